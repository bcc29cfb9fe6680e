/**
 * Reads Mollie's webhooks: `id=tr_…` in a form, and not signed. It is only a hint, and the payment is read at
 * Mollie before it is passed on, so a forged one can tell us nothing that is not so.
 *
 * What it could do is have us ask Mollie at will. So the URL that each payment gives to Mollie has a secret
 * token, and without it nothing is asked. Tokens are compared in constant time.
 */
import { Effect, Redacted } from "effect"
import { Mac } from "effect/crypto"
import { type PaymentProvider, type WebhookNotice, WebhookRejected } from "./PaymentProvider.ts"
import type { MollieClient } from "./MollieClient.ts"
import { intentIdOf } from "./MollieWire.ts"

const idPattern = /^tr_[a-zA-Z0-9]{1,64}$/

/** The form has one short field. */
const maxBodyBytes = 1_024

const rejected = (reason: WebhookRejected["reason"]) => new WebhookRejected({ reason })

export const makeReader = (
  tokens: ReadonlyArray<Redacted.Redacted>,
  client: Pick<MollieClient, "get" | "standingOf">
): PaymentProvider["readWebhook"] => {
  const encoder = new TextEncoder()
  const accepted = tokens.map((token) => encoder.encode(Redacted.value(token)))

  const isAccepted = (token: string): boolean => {
    const bytes = encoder.encode(token)
    let isOne = false
    // Every one is tried, so that the time taken does not tell which one it was.
    for (const one of accepted) if (Mac.timingSafeEqual(one, bytes)) isOne = true
    return isOne
  }

  const standingOf = (id: string) =>
    Effect.flatMap(client.get(id), (payment) =>
      Effect.map(client.standingOf(payment), (standing) => ({ intentId: intentIdOf(payment), standing }))
    ).pipe(
      Effect.catch((why) =>
        // A payment that Mollie does not know is none of ours; without an answer it has to come again.
        why.kind === "declined" ? Effect.succeed(null) : Effect.fail(rejected("provider_unavailable"))
      )
    )

  return Effect.fn("MollieWebhook.read")(function* (body, _headers, token): Effect.fn.Return<
    WebhookNotice,
    WebhookRejected
  > {
    if (token === undefined) return yield* rejected("signature_missing")
    if (!isAccepted(token)) return yield* rejected("signature_invalid")
    if (body.length > maxBodyBytes) return yield* rejected("too_large")
    const id = new URLSearchParams(new TextDecoder().decode(body)).get("id")
    if (id === null || !idPattern.test(id)) return yield* rejected("body_invalid")
    const found = yield* standingOf(id)
    if (found === null) return { eventId: id, intentId: null, status: "processing" }
    const { captured, dispute, refunded, status } = found.standing
    return {
      // Mollie does not number its webhooks; one that finds what another has found says nothing new.
      eventId: [id, status, captured, refunded, dispute ?? "undisputed"].join(":"),
      intentId: found.intentId,
      status: dispute !== null ? "disputed" : refunded > 0 ? "refunded" : status
    }
  })
}
