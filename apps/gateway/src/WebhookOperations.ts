/** How organisers have their own services told, whoever carries the request. Who they are was checked before. */
import { Catalog } from "@onsale/catalog/Catalog"
import {
  DeliveryNotFound,
  type DeliveryReplay,
  TooManyWebhooks,
  WebhookNotFound,
  WebhookUrlRefused
} from "@onsale/contracts/http/OrganiserWebhooksApi"
import { CursorInvalid, EventNotFound } from "@onsale/contracts/http/Problems"
import type { EventId } from "@onsale/contracts/Ids"
import type {
  DeliveryId,
  DeliveryQuery,
  NewWebhook,
  WebhookChange,
  WebhookId,
  WebhookUrlRefused as UrlRefused
} from "@onsale/contracts/notifications/Webhook"
import { WebhookDeliveries } from "@onsale/notifications/webhooks/WebhookDeliveries"
import { ping } from "@onsale/notifications/webhooks/WebhookPing"
import { WebhookSubscriptions } from "@onsale/notifications/webhooks/WebhookSubscriptions"
import { Effect } from "effect"

const webhookNotFound = () => Effect.fail(new WebhookNotFound({}))
const deliveryNotFound = () => Effect.fail(new DeliveryNotFound({}))
const urlRefused = ({ message }: UrlRefused) =>
  Effect.fail(new WebhookUrlRefused({ errors: [{ path: "/url", message }] }))

export const make = Effect.gen(function* () {
  const catalog = yield* Catalog
  const webhooks = yield* WebhookSubscriptions
  const deliveries = yield* WebhookDeliveries
  const known = (id: WebhookId) => Effect.catchTag(webhooks.get(id), "WebhookNotFound", webhookNotFound)
  /** Of an event that nobody has, nothing is ever told. A draft will be, and so may one that is over. */
  const knownEvent = (eventId: EventId | null | undefined) =>
    eventId == null
      ? Effect.void
      : Effect.asVoid(Effect.mapError(catalog.getAny(eventId), () => new EventNotFound({})))

  return {
    create: (webhook: NewWebhook) =>
      Effect.andThen(knownEvent(webhook.eventId), webhooks.create(webhook)).pipe(
        Effect.catchTag("WebhookUrlRefused", urlRefused),
        Effect.catchTag("TooManyWebhooks", ({ limit }) => Effect.fail(new TooManyWebhooks({ limit })))
      ),
    list: Effect.map(webhooks.list, (webhooks) => ({ webhooks })),
    get: known,
    change: (id: WebhookId, change: WebhookChange) =>
      known(id).pipe(
        Effect.andThen(knownEvent(change.eventId)),
        Effect.andThen(webhooks.change(id, change)),
        Effect.catchTag("WebhookUrlRefused", urlRefused),
        // Removed in this moment.
        Effect.catchTag("WebhookNotFound", webhookNotFound)
      ),
    remove: (id: WebhookId) => Effect.catchTag(webhooks.remove(id), "WebhookNotFound", webhookNotFound),
    rotate: (id: WebhookId) => Effect.catchTag(webhooks.rotate(id), "WebhookNotFound", webhookNotFound),
    ping: Effect.fnUntraced(
      function* (id: WebhookId) {
        yield* known(id)
        return yield* ping(id)
      },
      Effect.provideService(WebhookDeliveries, deliveries),
      // Removed in this moment.
      Effect.catchTag("DeliveryNotFound", webhookNotFound)
    ),
    deliveries: (id: WebhookId, query: DeliveryQuery) =>
      known(id).pipe(
        Effect.andThen(deliveries.page(id, query)),
        Effect.catchTag("DeliveryCursorInvalid", () => Effect.fail(new CursorInvalid({})))
      ),
    delivery: (id: WebhookId, deliveryId: DeliveryId) =>
      Effect.catchTag(deliveries.get(id, deliveryId), "DeliveryNotFound", deliveryNotFound),
    replay: (id: WebhookId, deliveryId: DeliveryId) =>
      Effect.catchTag(deliveries.replay(id, deliveryId), "DeliveryNotFound", deliveryNotFound),
    replayBetween: (id: WebhookId, { from, status = "dead", until }: DeliveryReplay) =>
      Effect.andThen(known(id), deliveries.replayBetween(id, { from, until, status }))
  }
})
