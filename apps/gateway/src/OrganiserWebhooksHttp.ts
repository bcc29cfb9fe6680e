/** How organisers have their own services told, over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as WebhookOperations from "./WebhookOperations.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "organiserWebhooks",
  Effect.fn(function* (handlers) {
    const operations = yield* WebhookOperations.make
    return handlers
      .handle("createWebhook", ({ payload }) => operations.create(payload))
      .handle("webhooks", () => operations.list)
      .handle("webhook", ({ params }) => operations.get(params.webhookId))
      .handle("changeWebhook", ({ params, payload }) => operations.change(params.webhookId, payload))
      .handle("removeWebhook", ({ params }) => operations.remove(params.webhookId))
      .handle("rotateWebhook", ({ params }) => operations.rotate(params.webhookId))
      .handle("pingWebhook", ({ params }) => operations.ping(params.webhookId))
      .handle("deliveries", ({ params, query }) => operations.deliveries(params.webhookId, query))
      .handle("delivery", ({ params }) => operations.delivery(params.webhookId, params.deliveryId))
      .handle("replayDelivery", ({ params }) => operations.replay(params.webhookId, params.deliveryId))
      .handle("replayDeliveries", ({ params, payload }) =>
        operations.replayBetween(params.webhookId, payload)
      )
  })
)
