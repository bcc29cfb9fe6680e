import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { concretePort } from "../src/ListeningPort.ts"

describe("ListeningPort", () => {
  it.live("is the configured one, or one that is free", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* concretePort(3000), 3000)
      assert.isAbove(yield* concretePort(0, "127.0.0.1"), 0)
    })
  )

  it.live("fails where there can be none", () =>
    Effect.gen(function* () {
      // An address for documentation (RFC 5737), which no machine has.
      const error = yield* Effect.flip(concretePort(0, "192.0.2.1"))
      assert.strictEqual(error._tag, "NoFreePort")
    })
  )
})
