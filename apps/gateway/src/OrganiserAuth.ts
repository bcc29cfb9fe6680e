/** Lets those pass who have the organiser's key. */
import { OrganiserAuth } from "@onsale/contracts/http/OrganiserApi"
import { Unauthorized } from "@onsale/contracts/http/Problems"
import { Effect, Layer, Redacted, Schema } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"

/** A blank key would be no key: a request without any has the credential "". */
export class OrganiserKeyBlank extends Schema.TaggedError<OrganiserKeyBlank>()("OrganiserKeyBlank", {
  message: Schema.String
}) {}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/**
 * Tells whether a credential is the key. Hashes of one length are compared, so that the time says nothing of the
 * key. An empty credential never passes.
 */
export const checkOf = Effect.fnUntraced(function* (key: Redacted.Redacted) {
  if (Redacted.value(key).trim() === "") {
    return yield* new OrganiserKeyBlank({ message: "the organiser's key is blank" })
  }
  const expected = digest(Redacted.value(key))
  return (credential: string): boolean => credential !== "" && timingSafeEqual(digest(credential), expected)
})

export const layer = (key: Redacted.Redacted): Layer.Layer<OrganiserAuth, OrganiserKeyBlank> =>
  Layer.effect(
    OrganiserAuth,
    Effect.map(checkOf(key), (isKey) =>
      OrganiserAuth.of({
        bearer: (httpEffect, { credential }) =>
          isKey(Redacted.value(credential)) ? httpEffect : Effect.fail(new Unauthorized({}))
      })
    )
  )
