import { expect, it } from "@effect/vitest"
import { pollUntil } from "@onsale/testing/Poll"
import { Clock, Effect } from "effect"

it.effect("returns the first value that satisfies, while the test's own clock stands still", () =>
  Effect.gen(function* () {
    let calls = 0
    const value = yield* pollUntil(
      Effect.map(Clock.currentTimeMillis, (nowMs) => [++calls, nowMs] as const),
      ([n]) => n === 3,
      { every: "1 millis" }
    )
    expect(value).toEqual([3, 0])
  })
)

it.live("fails after the deadline with what it saw last", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(
      pollUntil(Effect.succeed({ count: 2n }), () => false, { deadline: "5 millis", every: "1 millis" })
    )
    expect(error._tag).toBe("PollTimeout")
    expect(error.message).toContain('{"count":"2n"}')
  })
)
