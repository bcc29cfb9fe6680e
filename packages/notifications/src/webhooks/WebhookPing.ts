/** A message that tells nothing, by which an organiser tries a webhook. */
import { makeUuidV7 } from "@onsale/contracts/Ids"
import type { WebhookId } from "@onsale/contracts/notifications/Webhook"
import { Clock, Effect } from "effect"
import { WebhookDeliveries } from "./WebhookDeliveries.ts"
import { deliveryId, encodeMessage } from "./WebhookFanOut.ts"
import { settled } from "./WebhookTime.ts"

/** Each is another one, in a stream of its own: it waits for nothing. */
export const ping = Effect.fn("WebhookPing.ping")(function* (webhookId: WebhookId) {
  const deliveries = yield* WebhookDeliveries
  const nowMs = yield* Clock.currentTimeMillis
  const name = `ping/${makeUuidV7(nowMs)}`
  const id = deliveryId(webhookId, name)
  const body = yield* Effect.orDie(
    encodeMessage({
      type: "webhook.ping",
      version: 1,
      timestamp: new Date(nowMs).toISOString(),
      data: { webhookId }
    })
  )
  const delivery = { id, webhookId, stream: name, type: "webhook.ping", body, correlation: null }
  yield* settled(deliveries.offer([delivery]))
  const { body: _, log: __, ...made } = yield* deliveries.get(webhookId, id)
  return made
})
