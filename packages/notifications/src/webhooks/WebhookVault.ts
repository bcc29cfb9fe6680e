/**
 * The secrets of webhooks. They have to be read again for each message, so they cannot be hashed: with
 * `ONSALE_WEBHOOK_KEY` (32 bytes as base64, the same in gateways and notification runners) they are kept under
 * AES-256-GCM, bound to their webhook; without it as they are, like the keys of ticket codes.
 */
import type { WebhookId } from "@onsale/contracts/notifications/Webhook"
import { Config, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { Webhook as StandardWebhook } from "standardwebhooks"

/** `ONSALE_WEBHOOK_KEY` is no key. The message does not repeat it. */
export class WebhookKeyUnreadable extends Schema.TaggedError<WebhookKeyUnreadable>()("WebhookKeyUnreadable", {
  message: Schema.String
}) {}

/** A secret that was kept under another key, or for another webhook. */
export class SecretUnreadable extends Schema.TaggedError<SecretUnreadable>()("SecretUnreadable", {
  message: Schema.String
}) {}

const keyBytes = 32
/** As long as the hash: the most that the standard's 24 to 64 bytes gain by. */
const secretBytes = 32
const ivBytes = 12
const tagBytes = 16
const sealedBy = "gcm1:"

/** A new secret, as libraries of Standard Webhooks take it. */
export const makeSecret = Effect.sync(() =>
  Redacted.make(`whsec_${randomBytes(secretBytes).toString("base64")}`)
)

/** The header `webhook-signature`: one signature a secret, separated by spaces. */
export const signature = (
  secrets: ReadonlyArray<Redacted.Redacted>,
  message: { readonly id: string; readonly atMs: number; readonly body: string }
): string =>
  secrets
    .map((secret) =>
      new StandardWebhook(Redacted.value(secret)).sign(message.id, new Date(message.atMs), message.body)
    )
    .join(" ")

export class WebhookVault extends Context.Service<
  WebhookVault,
  {
    /** As it is kept. Without a key that is as it is, and the log says so. */
    readonly seal: (webhookId: WebhookId, secret: Redacted.Redacted) => Effect.Effect<string>
    readonly open: (
      webhookId: WebhookId,
      sealed: string
    ) => Effect.Effect<Redacted.Redacted, SecretUnreadable>
  }
>()("@onsale/notifications/webhooks/WebhookVault") {
  static readonly layerKey = (key: Option.Option<Redacted.Redacted>) =>
    Layer.effect(
      WebhookVault,
      Effect.gen(function* () {
        const bytes = Option.map(key, (text) => Buffer.from(Redacted.value(text), "base64"))
        if (Option.isSome(bytes) && bytes.value.length !== keyBytes) {
          return yield* new WebhookKeyUnreadable({
            message: `ONSALE_WEBHOOK_KEY is not the base64 of ${keyBytes} bytes`
          })
        }
        return WebhookVault.of({
          seal: Effect.fnUntraced(function* (webhookId, secret) {
            if (Option.isNone(bytes)) {
              yield* Effect.logWarning(
                `the secret of webhook ${webhookId} is kept as it is, as there is no ONSALE_WEBHOOK_KEY`
              )
              return Redacted.value(secret)
            }
            const iv = randomBytes(ivBytes)
            const cipher = createCipheriv("aes-256-gcm", bytes.value, iv).setAAD(Buffer.from(webhookId))
            const text = Buffer.concat([cipher.update(Redacted.value(secret), "utf8"), cipher.final()])
            return sealedBy + Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64")
          }),

          open: (webhookId, sealed) => {
            if (!sealed.startsWith(sealedBy)) return Effect.succeed(Redacted.make(sealed))
            if (Option.isNone(bytes)) {
              return Effect.fail(
                new SecretUnreadable({
                  message: "ONSALE_WEBHOOK_KEY is missing: the secret is kept under it"
                })
              )
            }
            const all = Buffer.from(sealed.slice(sealedBy.length), "base64")
            return Effect.try({
              try: () => {
                const cipher = createDecipheriv("aes-256-gcm", bytes.value, all.subarray(0, ivBytes))
                  .setAAD(Buffer.from(webhookId))
                  .setAuthTag(all.subarray(ivBytes, ivBytes + tagBytes))
                const text = [cipher.update(all.subarray(ivBytes + tagBytes)), cipher.final()]
                return Redacted.make(Buffer.concat(text).toString("utf8"))
              },
              catch: () =>
                new SecretUnreadable({
                  message: `the secret of webhook ${webhookId} is kept under another ONSALE_WEBHOOK_KEY`
                })
            })
          }
        })
      })
    )

  static readonly layer = Layer.unwrap(
    Effect.map(Config.option(Config.Redacted("ONSALE_WEBHOOK_KEY")), this.layerKey)
  )
}
