/** How organisers have their own services told. All of it needs the organiser's bearer key. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiError, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Instant } from "../catalog/Event.ts"
import {
  Delivery,
  DeliveryDetail,
  DeliveryId,
  DeliveryPage,
  DeliveryQuery,
  maxReplayed,
  NewWebhook,
  Webhook,
  WebhookChange,
  WebhookId,
  WebhookWithSecret
} from "../notifications/Webhook.ts"
import { OrganiserAuth } from "./OrganiserApi.ts"
import { CursorInvalid, EventNotFound } from "./Problems.ts"

export class WebhookNotFound extends HttpApiError.Problem<WebhookNotFound>()("WebhookNotFound", {
  type: "urn:onsale:problem:webhook-not-found",
  status: 404,
  title: "There is no such webhook"
}) {}

export class DeliveryNotFound extends HttpApiError.Problem<DeliveryNotFound>()("DeliveryNotFound", {
  type: "urn:onsale:problem:delivery-not-found",
  status: 404,
  title: "The webhook has no such delivery"
}) {}

export class WebhookUrlRefused extends HttpApiError.Problem<WebhookUrlRefused>()(
  "WebhookUrlRefused",
  {
    type: "urn:onsale:problem:webhook-url-refused",
    status: 422,
    title: "Nothing is sent to such a URL"
  },
  { errors: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String })) }
) {}

export class TooManyWebhooks extends HttpApiError.Problem<TooManyWebhooks>()(
  "TooManyWebhooks",
  {
    type: "urn:onsale:problem:too-many-webhooks",
    status: 409,
    title: "There are as many webhooks as there may be"
  },
  { limit: Schema.Int }
) {}

const described = (summary: string, description: string) => OpenApi.annotations({ summary, description })
const params = { webhookId: WebhookId }
const delivery = { ...params, deliveryId: DeliveryId }

/** Deliveries that were created from then on and before then. */
export const DeliveryReplay = Schema.Struct({
  from: Instant,
  until: Instant,
  /** `dead` when left out. */
  status: Schema.optionalKey(Schema.Literals(["dead", "delivered"]))
}).check(
  Schema.makeFilter(({ from, until }) =>
    Date.parse(from) < Date.parse(until) ? undefined : "Expected from before until"
  )
)
export type DeliveryReplay = typeof DeliveryReplay.Type

export const Replayed = Schema.Struct({
  replayed: Schema.Int,
  /** There are more: ask again. */
  more: Schema.Boolean
})

export class OrganiserWebhooksApi extends HttpApiGroup.make("organiserWebhooks")
  .add(
    HttpApiEndpoint.post("createWebhook", "/organiser/webhooks", {
      payload: NewWebhook,
      success: WebhookWithSecret.pipe(HttpApiSchema.status(201)),
      error: [EventNotFound, WebhookUrlRefused, TooManyWebhooks]
    }).annotateMerge(
      described(
        "Have a service told",
        "From now on the URL gets a POST for everything of these types, by Standard Webhooks: webhook-id, webhook-timestamp and webhook-signature, to be verified with the secret of this answer, which is never shown again. 2xx within 10 seconds is success; anything else is tried again for three days, and a 410 disables the webhook. Messages of one order, or of one event, come in their order; the same webhook-id may come twice. At most 100."
      )
    ),
    HttpApiEndpoint.get("webhooks", "/organiser/webhooks", {
      success: Schema.Struct({ webhooks: Schema.Array(Webhook) })
    }),
    HttpApiEndpoint.get("webhook", "/organiser/webhooks/:webhookId", {
      params,
      success: Webhook,
      error: WebhookNotFound
    }),
    HttpApiEndpoint.patch("changeWebhook", "/organiser/webhooks/:webhookId", {
      params,
      payload: WebhookChange,
      success: Webhook,
      error: [WebhookNotFound, EventNotFound, WebhookUrlRefused]
    }),
    HttpApiEndpoint.delete("removeWebhook", "/organiser/webhooks/:webhookId", {
      params,
      error: WebhookNotFound
    }).annotateMerge(
      described("Remove a webhook", "With its log; what waits to be sent to it is never sent.")
    ),
    HttpApiEndpoint.post("rotateWebhook", "/organiser/webhooks/:webhookId/rotate", {
      params,
      success: WebhookWithSecret,
      error: WebhookNotFound
    }).annotateMerge(
      described(
        "Give it a new secret",
        "For 24 hours messages are signed with both, the new one first; one that was replaced before ends at once."
      )
    ),
    HttpApiEndpoint.post("pingWebhook", "/organiser/webhooks/:webhookId/ping", {
      params,
      success: Delivery.pipe(HttpApiSchema.status(202)),
      error: WebhookNotFound
    }).annotateMerge(
      described(
        "Try it",
        "Sends a webhook.ping, whatever types it asks for. Its delivery tells what came of it. Where it is disabled, it is sent when it is active again."
      )
    ),
    HttpApiEndpoint.get("deliveries", "/organiser/webhooks/:webhookId/deliveries", {
      params,
      query: DeliveryQuery,
      success: DeliveryPage,
      error: [WebhookNotFound, CursorInvalid]
    }).annotateMerge(
      described("List deliveries", "The newest first. Those that have ended are forgotten after 30 days.")
    ),
    HttpApiEndpoint.get("delivery", "/organiser/webhooks/:webhookId/deliveries/:deliveryId", {
      params: delivery,
      success: DeliveryDetail,
      error: DeliveryNotFound
    }),
    HttpApiEndpoint.post("replayDelivery", "/organiser/webhooks/:webhookId/deliveries/:deliveryId/replay", {
      params: delivery,
      success: Delivery.pipe(HttpApiSchema.status(202)),
      error: DeliveryNotFound
    }).annotateMerge(
      described(
        "Send one again",
        "With the same webhook-id and three more days. One that waits is tried at once; where the webhook is disabled, when it is active again. Until it has ended, what came later in its stream waits behind it."
      )
    ),
    HttpApiEndpoint.post("replayDeliveries", "/organiser/webhooks/:webhookId/replay", {
      params,
      payload: DeliveryReplay,
      success: Replayed.pipe(HttpApiSchema.status(202)),
      error: WebhookNotFound
    }).annotateMerge(
      described(
        "Send again what was made in a time",
        `Dead letters, or what was delivered, oldest first; at most ${maxReplayed.toLocaleString("en")} by one request. Repeat it for dead letters until nothing is left.`
      )
    )
  )
  .middleware(OrganiserAuth)
  .prefix("/api/v1") {}
