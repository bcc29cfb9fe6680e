import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import * as DoorAuth from "../src/DoorAuth.ts"

const organiserKey = Redacted.make("the organiser's key")
const checkWith = (env: Readonly<Record<string, string>>) =>
  DoorAuth.check(organiserKey).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env))))

describe("DoorAuth", () => {
  it.effect("lets everybody pass where nothing else is set up", () =>
    Effect.gen(function* () {
      const mayPass = yield* checkWith({})
      assert.isTrue(mayPass(undefined))
      assert.isTrue(mayPass("Bearer whatever"))
    })
  )

  it.effect("asks for the door's or the organiser's key", () =>
    Effect.gen(function* () {
      const both = yield* checkWith({ ONSALE_CHECKINS: "key", ONSALE_DOOR_KEY: "the door's key" })
      const one = yield* checkWith({ ONSALE_CHECKINS: "key" })
      for (const refused of [undefined, "", "Bearer ", "Bearer another", "the door's key"]) {
        assert.isFalse(both(refused))
        assert.isFalse(one(refused))
      }
      assert.isTrue(both("Bearer the door's key"))
      assert.isTrue(both("Bearer the organiser's key"))
      assert.isFalse(one("Bearer the door's key"))
    })
  )

  it.effect.each([{ ONSALE_CHECKINS: "key", ONSALE_DOOR_KEY: " " }, { ONSALE_CHECKINS: "closed" }])(
    "does not start with %o",
    (env) => Effect.flip(checkWith(env))
  )
})
