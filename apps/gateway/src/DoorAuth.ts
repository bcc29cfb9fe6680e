/**
 * Who may have somebody let in: everybody who has a code, or those with the door's or the organiser's key.
 *
 * Without a key whoever has seen a code can use it up from elsewhere; `ONSALE_CHECKINS=key` is for doors that are worth it.
 */
import { DoorAuth } from "@onsale/contracts/http/CheckInsApi"
import { Unauthorized } from "@onsale/contracts/http/Problems"
import { Config, Effect, Layer, Option, type Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { checkOf } from "./OrganiserAuth.ts"

const bearer = /^Bearer +(.+)$/i

export const settings = Config.all({
  mode: Config.Literals(["open", "key"], "ONSALE_CHECKINS").pipe(Config.withDefault("open" as const)),
  doorKey: Config.option(Config.Redacted("ONSALE_DOOR_KEY"))
})

/** Tells whether a request with that header `authorization` may pass. Fails of a key that is blank. */
export const check = Effect.fnUntraced(function* (organiserKey: Redacted.Redacted) {
  const { doorKey, mode } = yield* settings
  if (mode === "open") return (_: string | undefined): boolean => true
  const keys = Option.isNone(doorKey) ? [organiserKey] : [organiserKey, doorKey.value]
  const checks = yield* Effect.forEach(keys, (key) => checkOf(key))
  return (authorization: string | undefined): boolean => {
    const credential = bearer.exec(authorization ?? "")?.[1] ?? ""
    return checks.some((isKey) => isKey(credential))
  }
})

/** For people, at the start. */
export const described = Effect.map(settings, ({ doorKey, mode }) =>
  mode === "open"
    ? "open to whoever has a code (ONSALE_CHECKINS=open)"
    : `with the organiser's key${Option.isSome(doorKey) ? " or the door's" : ""}`
)

export const layer = (organiserKey: Redacted.Redacted) =>
  Layer.effect(
    DoorAuth,
    Effect.map(check(organiserKey), (mayPass) =>
      DoorAuth.of((answer) =>
        Effect.gen(function* () {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          return yield* mayPass(headers["authorization"]) ? answer : new Unauthorized({})
        })
      )
    )
  )
