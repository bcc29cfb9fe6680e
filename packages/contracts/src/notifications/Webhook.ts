/**
 * Outgoing webhooks: what an organiser's own service is told, by Standard Webhooks. A message is a JSON body with
 * `type` (`resource.verb`), `version`, `timestamp` and `data`; new members may be added within a version, so whoever
 * reads one leaves aside what it does not know.
 */
import { Schema } from "effect"
import { Gate, ScanId } from "../booking/CheckIn.ts"
import { RefundCause } from "../booking/Order.ts"
import { EventFacts } from "../catalog/CatalogEvent.ts"
import { AreaId, EventId, OrderId, RefundId, SeatId, TicketId, TierId } from "../Ids.ts"
import { Amount, Money } from "../Money.ts"
import { storableText } from "../Text.ts"

export const WebhookId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("WebhookId"))
export type WebhookId = typeof WebhookId.Type

/** Of one event to one subscription, the same however often it is sent: the header `webhook-id`. */
export const DeliveryId = Schema.String.check(
  Schema.isPattern(/^msg_[0-9a-f]{32}$/, { expected: "msg_ and 32 hexadecimal digits" })
).pipe(Schema.brand("DeliveryId"))
export type DeliveryId = typeof DeliveryId.Type

export const webhookEventTypes = [
  "order.confirmed",
  "order.cancelled",
  "order.refunded",
  "payment.failed",
  "ticket.admitted",
  "event.published",
  "event.changed",
  "event.cancelled"
] as const
export const WebhookEventType = Schema.Literals(webhookEventTypes)
export type WebhookEventType = typeof WebhookEventType.Type

// --- messages -----------------------------------------------------------------------------------

const message = <const Type extends string, Fields extends Schema.Struct.Fields>(type: Type, data: Fields) =>
  Schema.Struct({
    type: Schema.Literal(type),
    version: Schema.Literal(1),
    /** When it happened, UTC, ISO 8601. */
    timestamp: Schema.String,
    data: Schema.Struct(data)
  })

const ofOrder = { orderId: OrderId, eventId: EventId }

/** What is told. An order's messages come in the order in which things happened to it, and so do an event's. */
export const WebhookMessage = Schema.Union([
  /** It is paid, and has its tickets. */
  message("order.confirmed", {
    ...ofOrder,
    customer: Schema.Struct({ name: Schema.String, email: Schema.String }),
    total: Money,
    tickets: Schema.Array(
      Schema.Struct({
        id: TicketId,
        seatId: Schema.NullOr(SeatId),
        areaId: Schema.NullOr(AreaId),
        label: Schema.String,
        tier: TierId,
        price: Amount
      })
    )
  }),
  /** It ended without tickets; whatever was paid has gone back. */
  message("order.cancelled", { ...ofOrder, reason: Schema.String }),
  /** Money of tickets has gone back. */
  message("order.refunded", {
    ...ofOrder,
    refundId: RefundId,
    /** `whole` where no ticket of the order is left. */
    extent: Schema.Literals(["part", "whole"]),
    amount: Money,
    /** Kept of the tickets' price. */
    fee: Money,
    cause: RefundCause,
    tickets: Schema.Array(TicketId),
    reason: Schema.String
  }),
  /** A payment was declined; the buyer may try another with a new order. */
  message("payment.failed", { ...ofOrder, provider: Schema.String, code: Schema.String }),
  /** It was used at the door: once a ticket, also where an earlier scan takes the check-in over later. */
  message("ticket.admitted", {
    ...ofOrder,
    ticketId: TicketId,
    seatId: Schema.NullOr(SeatId),
    areaId: Schema.NullOr(AreaId),
    label: Schema.String,
    tier: TierId,
    gate: Gate,
    scanId: ScanId,
    /** By the gate's clock, put right; `timestamp` is when we heard of it, hours later where a gate had no network. */
    admittedAt: Schema.String
  }),
  message("event.published", { ...EventFacts.fields }),
  message("event.changed", { ...EventFacts.fields }),
  message("event.cancelled", { eventId: EventId, reason: Schema.String }),
  /** Asked for by the organiser, to try a subscription. */
  message("webhook.ping", { webhookId: WebhookId })
])
export type WebhookMessage = typeof WebhookMessage.Type

// --- subscriptions ------------------------------------------------------------------------------

export const maxUrlLength = 2000
const Url = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(maxUrlLength))
const Types = Schema.Array(WebhookEventType).check(
  Schema.isMinLength(1),
  Schema.isMaxLength(webhookEventTypes.length)
)
const Description = storableText(500)

export const NewWebhook = Schema.Struct({
  /** `https` on port 443 or 8443, without credentials. */
  url: Url,
  /** All types when left out, also those that come later. */
  eventTypes: Schema.optionalKey(Types),
  /** Only what concerns this event; all of them when left out. */
  eventId: Schema.optionalKey(EventId),
  description: Schema.optionalKey(Description)
})
export type NewWebhook = typeof NewWebhook.Type

/** What is left out stays as it is. */
export const WebhookChange = Schema.Struct({
  url: Schema.optionalKey(Url),
  eventTypes: Schema.optionalKey(Schema.NullOr(Types)),
  eventId: Schema.optionalKey(Schema.NullOr(EventId)),
  description: Schema.optionalKey(Description),
  /** `active` again sends what has waited; what happens while it is disabled is not kept for it. */
  status: Schema.optionalKey(Schema.Literals(["active", "disabled"]))
})
export type WebhookChange = typeof WebhookChange.Type

/** Times are UTC instants, ISO 8601. */
export const Webhook = Schema.Struct({
  id: WebhookId,
  url: Schema.String,
  eventTypes: Schema.NullOr(Schema.Array(Schema.String)),
  eventId: Schema.NullOr(EventId),
  description: Schema.String,
  status: Schema.Literals(["active", "disabled"]),
  /** `gone`: it answered 410. `failing`: nothing succeeded for days. `organiser`: by request. */
  disabledReason: Schema.NullOr(Schema.Literals(["organiser", "gone", "failing"])),
  disabledAt: Schema.NullOr(Schema.String),
  /** Since when no delivery has succeeded; null where the last one did. */
  failingSince: Schema.NullOr(Schema.String),
  /** Until when messages are signed with the secret before as well. */
  previousSecretUntil: Schema.NullOr(Schema.String),
  createdAt: Schema.String
})
export type Webhook = typeof Webhook.Type

/** With its secret, which is never shown again. */
export const WebhookWithSecret = Schema.Struct({
  ...Webhook.fields,
  /** `whsec_` and base64, as the libraries of Standard Webhooks take it. */
  secret: Schema.String
})

// --- deliveries ---------------------------------------------------------------------------------

export const DeliveryStatus = Schema.Literals(["waiting", "delivered", "dead"])

export const Delivery = Schema.Struct({
  id: DeliveryId,
  webhookId: WebhookId,
  type: Schema.String,
  /** What it is in order with: an order or an event. */
  stream: Schema.String,
  status: DeliveryStatus,
  attempts: Schema.Int,
  createdAt: Schema.String,
  /** When it is tried again; null where it is not waiting. */
  nextAttemptAt: Schema.NullOr(Schema.String),
  settledAt: Schema.NullOr(Schema.String),
  lastError: Schema.NullOr(Schema.String)
})
export type Delivery = typeof Delivery.Type

export const DeliveryAttempt = Schema.Struct({
  attempt: Schema.Int,
  startedAt: Schema.String,
  durationMs: Schema.Int,
  outcome: Schema.Literals(["delivered", "refused", "gone", "timeout", "unreachable", "blocked"]),
  /** Of the answer; null where none came. */
  status: Schema.NullOr(Schema.Int),
  error: Schema.NullOr(Schema.String),
  /** The beginning of what was answered. */
  response: Schema.NullOr(Schema.String)
})
export type DeliveryAttempt = typeof DeliveryAttempt.Type

export const DeliveryDetail = Schema.Struct({
  ...Delivery.fields,
  /** What is sent, to the byte: a `WebhookMessage` as JSON. */
  body: Schema.String,
  /** The newest 50, oldest first. */
  log: Schema.Array(DeliveryAttempt)
})
export type DeliveryDetail = typeof DeliveryDetail.Type

export const DeliveryQuery = Schema.Struct({
  status: Schema.optionalKey(DeliveryStatus),
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
  /** 50 when left out. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 })))
})
export type DeliveryQuery = typeof DeliveryQuery.Type

/** The newest first. */
export const DeliveryPage = Schema.Struct({
  deliveries: Schema.Array(Delivery),
  /** Give it back as `cursor` for the next page; null on the last. */
  nextCursor: Schema.NullOr(Schema.String)
})
export type DeliveryPage = typeof DeliveryPage.Type

/** Replayed by one request at most. */
export const maxReplayed = 1000

// --- errors -------------------------------------------------------------------------------------

export class WebhookNotFound extends Schema.TaggedError<WebhookNotFound>()("WebhookNotFound", {
  webhookId: WebhookId
}) {}

export class DeliveryNotFound extends Schema.TaggedError<DeliveryNotFound>()("DeliveryNotFound", {
  deliveryId: DeliveryId
}) {}

/** Nothing may be sent to such a URL. */
export class WebhookUrlRefused extends Schema.TaggedError<WebhookUrlRefused>()("WebhookUrlRefused", {
  message: Schema.String
}) {}

/** There are as many subscriptions as there may be. */
export class TooManyWebhooks extends Schema.TaggedError<TooManyWebhooks>()("TooManyWebhooks", {
  limit: Schema.Int
}) {}

/** A `cursor` that no page of ours has given. */
export class DeliveryCursorInvalid extends Schema.TaggedError<DeliveryCursorInvalid>()(
  "DeliveryCursorInvalid",
  { cursor: Schema.String }
) {}
