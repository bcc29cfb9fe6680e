/**
 * Pushes to browsers (RFC 8030), encrypted to each (RFC 8291) and signed with our key (RFC 8292) by `web-push`; sent
 * by our own client, as an endpoint is anybody's text: https only, to public addresses, answers bounded.
 */
import { Clock, Effect, Redacted, type Scope } from "effect"
import { createHash } from "node:crypto"
import webPush from "web-push"
import { type ChannelMessage, type ChannelProvider, DeliveryError } from "../Channel.ts"
import * as ProviderHttp from "../ProviderHttp.ts"
import * as WebhookTarget from "../webhooks/WebhookTarget.ts"
import type { VapidKeys } from "./VapidKeys.ts"

export const policy: WebhookTarget.TargetPolicy = { allowPrivate: false, allowHttp: false }

/** Seconds that a push service keeps it for a browser that is offline. What is told of an order is of use the next day. */
const ttlSeconds = 24 * 60 * 60
/** A hold is given up a minute after. */
const holdTtlSeconds = 60

/** A repetition of one that was not delivered yet takes its place: 32 characters of base64url at most. */
const topicOf = (id: string) => createHash("sha256").update(id).digest("base64url").slice(0, 32)

export interface WebPushOptions extends ProviderHttp.HttpOptions {
  readonly keys: VapidKeys["Service"]
  /** `policy` when left out. */
  readonly policy?: WebhookTarget.TargetPolicy
}

export const make = Effect.fnUntraced(function* (
  options: WebPushOptions
): Effect.fn.Return<ChannelProvider, never, Scope.Scope> {
  const allowed = options.policy ?? policy
  const http = yield* ProviderHttp.make({ lookup: WebhookTarget.lookupBy(allowed), ...options })
  const { publicKey, subject } = options.keys

  const send = Effect.fn("WebPushProvider.send")(function* ({ id, recipient, rendered }: ChannelMessage) {
    if (recipient.channel !== "push") return yield* DeliveryError.of("refused", "not a browser")
    const { endpoint, keys } = recipient
    const url = yield* WebhookTarget.check(endpoint, allowed).pipe(
      Effect.mapError(({ message }) => DeliveryError.gone(message))
    )
    const isUrgent = id.includes(":expiring") || id.includes(":payment-expiring")
    // Keys that are no point of the curve are known only now.
    const call = yield* Effect.try({
      try: () =>
        webPush.generateRequestDetails({ endpoint, keys }, JSON.stringify({ id, ...rendered.push }), {
          vapidDetails: { subject, publicKey, privateKey: Redacted.value(options.keys.privateKey) },
          TTL: isUrgent ? holdTtlSeconds : ttlSeconds,
          urgency: isUrgent ? "high" : "normal",
          topic: topicOf(id)
        }),
      catch: () => DeliveryError.gone("the keys of the browser are none")
    })
    const answer = yield* ProviderHttp.call(() =>
      http({
        url: url.href,
        method: "POST",
        headers: Object.fromEntries(
          Object.entries(call.headers).map(([name, value]) => [name, String(value)])
        ),
        body: call.body ?? Buffer.alloc(0)
      })
    )
    if (answer.status >= 200 && answer.status < 300) return { reference: topicOf(id) }
    // Its own address lets anybody push to that browser: it may stand in what the service says.
    const words = [endpoint, url.href, url.pathname]
      .filter((part) => part.length > 1)
      .reduce((text, part) => text.replaceAll(part, "<redacted>"), answer.text)
    if (answer.status === 404 || answer.status === 410) {
      return yield* DeliveryError.gone(`${answer.status} ${words}`.trim())
    }
    return yield* ProviderHttp.refusal(answer, yield* Clock.currentTimeMillis, words)
  })

  return { channel: "push", name: "web-push", send }
})
