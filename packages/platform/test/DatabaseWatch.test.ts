import { expect, it } from "@effect/vitest"
import { Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import * as DatabaseWatch from "../src/DatabaseWatch.ts"

const stuckAfter = Effect.fnUntraced(function* (pool: boolean, database: boolean, seconds: number) {
  const stuck = yield* Ref.make(0)
  const fiber = yield* Effect.forkChild(
    DatabaseWatch.watch({
      poolAnswers: Effect.succeed(pool),
      databaseAnswers: Effect.succeed(database),
      stuck: Ref.update(stuck, (times) => times + 1)
    })
  )
  yield* TestClock.adjust(seconds * 1_000)
  yield* Fiber.interrupt(fiber)
  return yield* Ref.get(stuck)
})

it.effect("ends a process whose pool is silent while the database answers", () =>
  Effect.gen(function* () {
    expect(yield* stuckAfter(false, true, 18)).toBe(0)
    expect(yield* stuckAfter(false, true, 22)).toBeGreaterThan(0)
  })
)

it.effect("lets one be whose database is away, or whose pool answers", () =>
  Effect.gen(function* () {
    expect(yield* stuckAfter(false, false, 120)).toBe(0)
    expect(yield* stuckAfter(true, true, 120)).toBe(0)
  })
)
