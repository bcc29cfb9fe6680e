/**
 * Verifies and reads Stripe's webhooks: `Stripe-Signature: t=…,v1=…` over the body's bytes.
 *
 * The SDK has a verifier too. Ours looks at the bytes as they came instead of at text decoded from them,
 * refuses a time that lies ahead as well, and takes several secrets in one go; that both agree on what Stripe
 * sends is tested.
 */
import { Effect, type Redacted, Schema } from "effect"
import { type WebhookNotice, WebhookRejected } from "./PaymentProvider.ts"
import type { StripeClient } from "./StripeClient.ts"
import { intentIdOf, StripeEvent } from "./StripeWire.ts"
import * as TimedSignature from "./TimedSignature.ts"

const signatureHeader = "stripe-signature"

const decodeEvent = Schema.decodeUnknownEffect(Schema.fromJsonString(StripeEvent))

/** What a type of event says that a payment has become. */
const statuses = new Map<string, WebhookNotice["status"]>([
  ["payment_intent.amount_capturable_updated", "authorised"],
  ["payment_intent.canceled", "voided"],
  ["payment_intent.payment_failed", "failed"],
  ["payment_intent.processing", "processing"],
  ["payment_intent.requires_action", "requires_action"],
  ["payment_intent.succeeded", "captured"],
  ["charge.refunded", "refunded"],
  ["refund.created", "refunded"],
  ["refund.updated", "refunded"],
  // Money that came back to us: only a question tells how it stands.
  ["refund.failed", "disputed"],
  ["charge.dispute.created", "disputed"],
  ["charge.dispute.updated", "disputed"],
  ["charge.dispute.closed", "disputed"],
  ["charge.dispute.funds_withdrawn", "disputed"],
  ["charge.dispute.funds_reinstated", "disputed"]
])

/** A reader that accepts a body signed with any of the secrets within five minutes of now. */
export const makeReader = Effect.fnUntraced(function* (
  secrets: ReadonlyArray<Redacted.Redacted>,
  client: Pick<StripeClient, "retrieve">
) {
  const verify = yield* TimedSignature.makeVerifier(secrets)

  /** A dispute, and a refund made by hand, know the payment by Stripe's id only: then Stripe is asked whose it is. */
  const intentOf = Effect.fnUntraced(function* ({ metadata, payment_intent: payment }: EventObject) {
    const told = intentIdOf(metadata ?? {})
    if (told !== null || payment == null) return told
    const id = typeof payment === "string" ? payment : payment.id
    return yield* client.retrieve(id).pipe(
      Effect.map((found) => intentIdOf(found.metadata)),
      Effect.catch((why) =>
        // A payment that Stripe does not know is none of ours; without an answer it has to come again.
        why.kind === "declined"
          ? Effect.succeed(null)
          : Effect.fail(new WebhookRejected({ reason: "provider_unavailable" }))
      )
    )
  })

  return Effect.fn("StripeWebhook.read")(function* (
    body: Uint8Array,
    headers: Readonly<Record<string, string | undefined>>
  ): Effect.fn.Return<WebhookNotice, WebhookRejected> {
    yield* verify(headers[signatureHeader], body)
    const event = yield* Effect.mapError(
      decodeEvent(new TextDecoder().decode(body)),
      () => new WebhookRejected({ reason: "body_invalid" })
    )
    const status = statuses.get(event.type)
    // An endpoint may be sent more than we asked for: that is acknowledged, and means nothing to us.
    if (status === undefined) return { eventId: event.id, intentId: null, status: "processing" }
    return { eventId: event.id, intentId: yield* intentOf(event.data.object), status }
  })
})

type EventObject = StripeEvent["data"]["object"]
