/** Verifies and reads the webhooks of the sandbox provider. */
import { PaymentIntentId } from "@onsale/contracts/Ids"
import { SandboxWebhook, signatureHeader } from "@onsale/contracts/payments/Sandbox"
import { storableText } from "@onsale/contracts/Text"
import { Effect, Option, type Redacted, Schema } from "effect"
import { type WebhookNotice, WebhookRejected } from "./PaymentProvider.ts"
import * as TimedSignature from "./TimedSignature.ts"

const isEventId = Schema.is(storableText(255).check(Schema.isMinLength(1)))

const decodeBody = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxWebhook))
const decodeIntentId = Schema.decodeUnknownOption(PaymentIntentId)

const bodyInvalid = () => new WebhookRejected({ reason: "body_invalid" })

/** A reader that accepts a body signed with any of the secrets within five minutes of now. */
export const makeReader = Effect.fnUntraced(function* (secrets: ReadonlyArray<Redacted.Redacted>) {
  const verify = yield* TimedSignature.makeVerifier(secrets)

  return Effect.fn("SandboxWebhook.read")(function* (
    body: Uint8Array,
    headers: Readonly<Record<string, string | undefined>>
  ): Effect.fn.Return<WebhookNotice, WebhookRejected> {
    yield* verify(headers[signatureHeader], body)
    const webhook = yield* Effect.mapError(decodeBody(new TextDecoder().decode(body)), bodyInvalid)
    if (!isEventId(webhook.id)) return yield* bodyInvalid()
    return {
      eventId: webhook.id,
      intentId: Option.getOrNull(decodeIntentId(webhook.data.reference)),
      status: webhook.type === "payment.disputed" ? "disputed" : webhook.data.status
    }
  })
})
