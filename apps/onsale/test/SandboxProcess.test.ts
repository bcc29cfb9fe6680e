import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { keepRunning } from "../src/SandboxProcess.ts"

/** What ends after so long, every time. */
const ending = (seconds: number) => {
  let runs = 0
  const run = Effect.suspend(() => {
    runs++
    return Effect.andThen(Effect.sleep(`${seconds} seconds`), Effect.fail("ended"))
  })
  return { run, runs: () => runs }
}

describe("SandboxProcess", () => {
  it.effect("gives up what ends at once again and again", () =>
    Effect.gen(function* () {
      const short = ending(1)
      const fiber = yield* Effect.forkChild(keepRunning(short.run))
      yield* TestClock.adjust("1 hour")
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
      assert.strictEqual(short.runs(), 11)
    })
  )

  it.effect("starts again, however often, what has run for a while each time", () =>
    Effect.gen(function* () {
      const long = ending(120)
      const fiber = yield* Effect.forkChild(keepRunning(long.run))
      yield* TestClock.adjust("2 hours")
      assert.isUndefined(fiber.pollUnsafe())
      assert.isAbove(long.runs(), 50)
      yield* Fiber.interrupt(fiber)
    })
  )
})
