import { assert, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Watch from "../src/slo/Watch.ts"

it.effect("a run fails with its cause when it cannot be looked at any more, and does not go on unseen", () =>
  Effect.gen(function* () {
    let looks = 0
    const during = yield* Watch.keep(
      Effect.promise(async () => {
        if (++looks === 3) throw new Error("Postgres is away")
      })
    )
    assert.strictEqual(yield* during(Effect.succeed("done")), "done")
    const run = yield* Effect.forkChild(Effect.exit(during(Effect.never)))
    yield* TestClock.adjust("10 seconds")
    const exit = yield* Fiber.join(run)
    assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("Postgres is away"))
    assert.strictEqual(looks, 3)
  })
)
