import { assert, describe, it } from "@effect/vitest"
import { OrganiserAuth } from "@onsale/contracts/http/OrganiserApi"
import { Effect, Exit, Layer, Redacted } from "effect"
import { layer } from "../src/OrganiserAuth.ts"

describe("OrganiserAuth", () => {
  it.effect("is not built with a blank key, which a request without one would have", () =>
    Effect.gen(function* () {
      for (const blank of ["", " ", "\n"]) {
        const exit = yield* Effect.exit(Effect.scoped(Layer.build(layer(Redacted.make(blank)))))
        assert.isTrue(Exit.isFailure(exit), JSON.stringify(blank))
      }
    })
  )

  it.effect("is built with any other", () =>
    Effect.gen(function* () {
      assert.isFunction((yield* OrganiserAuth).bearer)
    }).pipe(Effect.provide(layer(Redacted.make("k"))))
  )
})
