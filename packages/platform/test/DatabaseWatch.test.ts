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

it.effect("counts from when the database is back", () =>
  Effect.gen(function* () {
    const stuck = yield* Ref.make(false)
    const isBack = yield* Ref.make(false)
    const fiber = yield* Effect.forkChild(
      DatabaseWatch.watch({
        poolAnswers: Effect.succeed(false),
        databaseAnswers: Ref.get(isBack),
        stuck: Ref.set(stuck, true)
      })
    )
    yield* TestClock.adjust("60 seconds")
    yield* Ref.set(isBack, true)
    yield* TestClock.adjust("18 seconds")
    expect(yield* Ref.get(stuck)).toBe(false)
    yield* TestClock.adjust("4 seconds")
    expect(yield* Ref.get(stuck)).toBe(true)
    yield* Fiber.interrupt(fiber)
  })
)
