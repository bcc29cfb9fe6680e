/** Verifies and reads the webhooks of the sandbox provider. */
import { PaymentIntentId } from "@onsale/contracts/Ids"
import { SandboxSignature, SandboxWebhook, signatureHeader } from "@onsale/contracts/payments/Sandbox"
import { Clock, Effect, Option, Redacted, Schema } from "effect"
import { Mac } from "effect/crypto"
import { type WebhookNotice, WebhookRejected } from "./PaymentProvider.ts"

/** How far the signature's time may lie from ours: what was recorded longer ago cannot be played back. */
const toleranceMs = 5 * 60_000

/** The header is some 80 bytes long. */
const maxHeaderLength = 256

const maxEventIdLength = 255

const decodeSignature = Schema.decodeUnknownOption(SandboxSignature)
const decodeBody = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxWebhook))
const decodeIntentId = Schema.decodeUnknownOption(PaymentIntentId)

const rejected = (reason: WebhookRejected["reason"]) => new WebhookRejected({ reason })

/**
 * A reader that accepts a body signed with any of the secrets within five minutes of now. The tags are
 * compared in constant time. Without a secret nothing is accepted.
 */
export const makeReader = Effect.fnUntraced(function* (secrets: ReadonlyArray<Redacted.Redacted>) {
  const mac = yield* Mac.Mac
  const keys = yield* Effect.forEach(secrets, (secret) =>
    Effect.orDie(Mac.key(Mac.hmacSha256, new TextEncoder().encode(Redacted.value(secret))))
  )

  const isSigned = Effect.fnUntraced(function* (tag: Uint8Array, message: Uint8Array) {
    let signed = false
    // Every key is tried, so that the time taken does not tell which one it was.
    for (const key of keys) {
      if (yield* Effect.orDie(mac.verify(key, tag, message))) signed = true
    }
    return signed
  })

  return Effect.fn("SandboxWebhook.read")(function* (
    body: Uint8Array,
    headers: Readonly<Record<string, string | undefined>>
  ): Effect.fn.Return<WebhookNotice, WebhookRejected> {
    const header = headers[signatureHeader]
    if (header === undefined) return yield* rejected("signature_missing")
    const signature = header.length > maxHeaderLength ? Option.none() : decodeSignature(header)
    if (Option.isNone(signature)) return yield* rejected("signature_invalid")
    const [, seconds, , hex] = signature.value
    if (!(yield* isSigned(fromHex(hex), signedBytes(seconds, body))))
      return yield* rejected("signature_invalid")
    const nowMs = yield* Clock.currentTimeMillis
    if (Math.abs(nowMs - seconds * 1000) > toleranceMs) return yield* rejected("signature_expired")
    const webhook = yield* Effect.mapError(decodeBody(new TextDecoder().decode(body)), () =>
      rejected("body_invalid")
    )
    if (webhook.id.length === 0 || webhook.id.length > maxEventIdLength)
      return yield* rejected("body_invalid")
    return {
      eventId: webhook.id,
      intentId: Option.getOrNull(decodeIntentId(webhook.data.reference)),
      status: webhook.data.status
    }
  })
})

const signedBytes = (seconds: number, body: Uint8Array): Uint8Array => {
  const prefix = new TextEncoder().encode(`${seconds}.`)
  const bytes = new Uint8Array(prefix.length + body.length)
  bytes.set(prefix)
  bytes.set(body, prefix.length)
  return bytes
}

/** `hex` has been checked to be 64 hexadecimal digits. */
const fromHex = (hex: string): Uint8Array => {
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}
