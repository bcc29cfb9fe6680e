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

/** Hashes of one length are compared, so that the time says nothing of the key. An empty credential never passes. */
export const layer = (key: Redacted.Redacted): Layer.Layer<OrganiserAuth, OrganiserKeyBlank> =>
  Layer.effect(
    OrganiserAuth,
    Effect.gen(function* () {
      if (Redacted.value(key).trim() === "") {
        return yield* new OrganiserKeyBlank({ message: "the organiser's key is blank" })
      }
      const expected = digest(Redacted.value(key))
      return OrganiserAuth.of({
        bearer: (httpEffect, { credential }) =>
          Redacted.value(credential) !== "" && timingSafeEqual(digest(Redacted.value(credential)), expected)
            ? httpEffect
            : Effect.fail(new Unauthorized({}))
      })
    })
  )
