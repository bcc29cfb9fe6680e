import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as Admission from "../src/Admission.ts"

describe("Admission", () => {
  it.effect("sends away who finds no place, and gives places back however their holders end", () =>
    Effect.gen(function* () {
      const admit = yield* Admission.make({ places: 3, retryAfterSeconds: 2 })
      const inside = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(admit(Effect.never), { startImmediately: true })
      )
      const refused = yield* Effect.flip(admit(Effect.void))
      assert.strictEqual(refused._tag, "Overloaded")
      assert.strictEqual(refused.retryAfterSeconds, 2)
      yield* Fiber.interruptAll(inside)
      yield* Effect.exit(admit(Effect.die("broken")))
      assert.deepStrictEqual(
        yield* Effect.forEach([1, 2, 3], (n) => admit(Effect.as(Effect.yieldNow, n)), { concurrency: 3 }),
        [1, 2, 3]
      )
    })
  )
})
