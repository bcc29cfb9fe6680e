/** How organisers have their own services told, over RPC, with the organiser's key: as over HTTP. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import {
  DeliveryNotFound,
  DeliveryReplay,
  Replayed,
  TooManyWebhooks,
  WebhookNotFound,
  WebhookUrlRefused
} from "../http/OrganiserWebhooksApi.ts"
import { CursorInvalid, EventNotFound } from "../http/Problems.ts"
import {
  Delivery,
  DeliveryDetail,
  DeliveryId,
  DeliveryPage,
  DeliveryQuery,
  NewWebhook,
  Webhook,
  WebhookChange,
  WebhookId,
  WebhookWithSecret
} from "../notifications/Webhook.ts"
import { OrganiserOnly } from "./OrganiserRpc.ts"

const webhookId = { webhookId: WebhookId }
const delivery = { ...webhookId, deliveryId: DeliveryId }

export class WebhooksRpc extends RpcGroup.make(
  /** The only answer that has the secret, but for `RotateWebhook`. */
  Rpc.make("CreateWebhook", {
    payload: { webhook: NewWebhook },
    success: WebhookWithSecret,
    error: Schema.Union([EventNotFound, WebhookUrlRefused, TooManyWebhooks])
  }),
  Rpc.make("ListWebhooks", { success: Schema.Struct({ webhooks: Schema.Array(Webhook) }) }),
  Rpc.make("GetWebhook", { payload: webhookId, success: Webhook, error: WebhookNotFound }),
  Rpc.make("ChangeWebhook", {
    payload: { ...webhookId, change: WebhookChange },
    success: Webhook,
    error: Schema.Union([WebhookNotFound, EventNotFound, WebhookUrlRefused])
  }),
  Rpc.make("RemoveWebhook", { payload: webhookId, error: WebhookNotFound }),
  Rpc.make("RotateWebhook", { payload: webhookId, success: WebhookWithSecret, error: WebhookNotFound }),
  Rpc.make("PingWebhook", { payload: webhookId, success: Delivery, error: WebhookNotFound }),
  Rpc.make("ListDeliveries", {
    payload: { ...webhookId, query: DeliveryQuery },
    success: DeliveryPage,
    error: Schema.Union([WebhookNotFound, CursorInvalid])
  }),
  Rpc.make("GetDelivery", { payload: delivery, success: DeliveryDetail, error: DeliveryNotFound }),
  Rpc.make("ReplayDelivery", { payload: delivery, success: Delivery, error: DeliveryNotFound }),
  Rpc.make("ReplayDeliveries", {
    payload: { ...webhookId, replay: DeliveryReplay },
    success: Replayed,
    error: WebhookNotFound
  })
).middleware(OrganiserOnly) {}
