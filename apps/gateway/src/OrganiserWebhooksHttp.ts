/** How organisers have their own services told, over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import {
  DeliveryNotFound,
  TooManyWebhooks,
  WebhookNotFound,
  WebhookUrlRefused
} from "@onsale/contracts/http/OrganiserWebhooksApi"
import { CursorInvalid } from "@onsale/contracts/http/Problems"
import type * as Errors from "@onsale/contracts/notifications/Webhook"
import { WebhookDeliveries } from "@onsale/notifications/webhooks/WebhookDeliveries"
import { ping } from "@onsale/notifications/webhooks/WebhookPing"
import { WebhookSubscriptions } from "@onsale/notifications/webhooks/WebhookSubscriptions"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"

const webhookNotFound = () => Effect.fail(new WebhookNotFound({}))
const deliveryNotFound = () => Effect.fail(new DeliveryNotFound({}))
const urlRefused = ({ message }: Errors.WebhookUrlRefused) =>
  Effect.fail(new WebhookUrlRefused({ errors: [{ path: "/url", message }] }))

export const layer = HttpApiBuilder.group(
  Api,
  "organiserWebhooks",
  Effect.fn(function* (handlers) {
    const webhooks = yield* WebhookSubscriptions
    const deliveries = yield* WebhookDeliveries
    const known = (id: Errors.WebhookId) =>
      Effect.catchTag(webhooks.get(id), "WebhookNotFound", webhookNotFound)
    const pinged = Effect.fnUntraced(
      function* (id: Errors.WebhookId) {
        yield* known(id)
        return yield* ping(id)
      },
      Effect.provideService(WebhookDeliveries, deliveries),
      // Removed in this moment.
      Effect.catchTag("DeliveryNotFound", webhookNotFound)
    )

    return handlers
      .handle("createWebhook", ({ payload }) =>
        webhooks.create(payload).pipe(
          Effect.catchTag("WebhookUrlRefused", urlRefused),
          Effect.catchTag("TooManyWebhooks", ({ limit }) => Effect.fail(new TooManyWebhooks({ limit })))
        )
      )
      .handle("webhooks", () => Effect.map(webhooks.list, (webhooks) => ({ webhooks })))
      .handle("webhook", ({ params }) => known(params.webhookId))
      .handle("changeWebhook", ({ params, payload }) =>
        webhooks
          .change(params.webhookId, payload)
          .pipe(
            Effect.catchTag("WebhookUrlRefused", urlRefused),
            Effect.catchTag("WebhookNotFound", webhookNotFound)
          )
      )
      .handle("removeWebhook", ({ params }) =>
        Effect.catchTag(webhooks.remove(params.webhookId), "WebhookNotFound", webhookNotFound)
      )
      .handle("rotateWebhook", ({ params }) =>
        Effect.catchTag(webhooks.rotate(params.webhookId), "WebhookNotFound", webhookNotFound)
      )
      .handle("pingWebhook", ({ params }) => pinged(params.webhookId))
      .handle("deliveries", ({ params, query }) =>
        known(params.webhookId).pipe(
          Effect.andThen(deliveries.page(params.webhookId, query)),
          Effect.catchTag("DeliveryCursorInvalid", () => Effect.fail(new CursorInvalid({})))
        )
      )
      .handle("delivery", ({ params }) =>
        Effect.catchTag(
          deliveries.get(params.webhookId, params.deliveryId),
          "DeliveryNotFound",
          deliveryNotFound
        )
      )
      .handle("replayDelivery", ({ params }) =>
        Effect.catchTag(
          deliveries.replay(params.webhookId, params.deliveryId),
          "DeliveryNotFound",
          deliveryNotFound
        )
      )
      .handle("replayDeliveries", ({ params, payload: { from, status = "dead", until } }) =>
        Effect.andThen(
          known(params.webhookId),
          deliveries.replayBetween(params.webhookId, { from, until, status })
        )
      )
  })
)
