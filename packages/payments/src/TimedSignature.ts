/**
 * Signatures of the form `t=<unix seconds>,v1=<hex>`: the HMAC-SHA-256 of `<t>.<the body's bytes>`. Two
 * providers sign their webhooks so; a header may carry several `v1`, while a secret is being replaced.
 */
import { Clock, Effect, Redacted } from "effect"
import { Mac } from "effect/crypto"
import { WebhookRejected } from "./PaymentProvider.ts"

/** How far the signature's time may lie from ours: what was recorded longer ago cannot be played back. */
const toleranceMs = 5 * 60_000

/** One signature is some 80 bytes; beside the own there may be those of other schemes and secrets. */
const maxHeaderLength = 1_024

/** More tags than secrets in rotation are nobody's. */
const maxTags = 8

const timePattern = /^[0-9]{1,12}$/
const tagPattern = /^[0-9a-f]{64}$/

const rejected = (reason: WebhookRejected["reason"]) => new WebhookRejected({ reason })

/**
 * A check that accepts a body signed with any of the secrets within five minutes of now. Every secret is
 * compared with every tag, in constant time. Without a secret nothing is accepted.
 */
export const makeVerifier = Effect.fnUntraced(function* (secrets: ReadonlyArray<Redacted.Redacted>) {
  const mac = yield* Mac.Mac
  const keys = yield* Effect.forEach(secrets, (secret) =>
    Effect.orDie(Mac.key(Mac.hmacSha256, new TextEncoder().encode(Redacted.value(secret))))
  )

  return Effect.fnUntraced(function* (
    header: string | undefined,
    body: Uint8Array
  ): Effect.fn.Return<void, WebhookRejected> {
    if (header === undefined) return yield* rejected("signature_missing")
    const parsed = parse(header)
    if (parsed === null) return yield* rejected("signature_invalid")
    const message = signedBytes(parsed.time, body)
    let isSigned = false
    // Every key is tried, so that the time taken does not tell which one it was.
    for (const key of keys) {
      for (const tag of parsed.tags) {
        if (yield* Effect.orDie(mac.verify(key, tag, message))) isSigned = true
      }
    }
    if (!isSigned) return yield* rejected("signature_invalid")
    const nowMs = yield* Clock.currentTimeMillis
    if (Math.abs(nowMs - Number(parsed.time) * 1000) > toleranceMs)
      return yield* rejected("signature_expired")
  })
})

/** Null for a header that is not of the form. Items of other schemes are passed over. */
const parse = (
  header: string
): { readonly time: string; readonly tags: ReadonlyArray<Uint8Array> } | null => {
  if (header.length > maxHeaderLength) return null
  let time: string | null = null
  const tags: Array<Uint8Array> = []
  for (const item of header.split(",")) {
    const [name, value] = splitItem(item)
    if (name === "t") {
      // Two times would leave open which of them was signed.
      if (time !== null || !timePattern.test(value)) return null
      time = value
    } else if (name === "v1") {
      if (!tagPattern.test(value) || tags.length >= maxTags) return null
      tags.push(fromHex(value))
    }
  }
  return time === null || tags.length === 0 ? null : { time, tags }
}

const splitItem = (item: string): readonly [name: string, value: string] => {
  const at = item.indexOf("=")
  return at === -1 ? [item.trim(), ""] : [item.slice(0, at).trim(), item.slice(at + 1).trim()]
}

const signedBytes = (time: string, body: Uint8Array): Uint8Array => {
  const prefix = new TextEncoder().encode(`${time}.`)
  const bytes = new Uint8Array(prefix.length + body.length)
  bytes.set(prefix)
  bytes.set(body, prefix.length)
  return bytes
}

const fromHex = (hex: string): Uint8Array => {
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}
