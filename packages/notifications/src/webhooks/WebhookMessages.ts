/** What a webhook says of a domain event. */
import type { OrderEvent } from "@onsale/contracts/booking/Order"
import type { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { type EventId, OrderId } from "@onsale/contracts/Ids"
import type { WebhookEventType, WebhookMessage } from "@onsale/contracts/notifications/Webhook"
import { Effect } from "effect"

/** Undefined for what is nobody's business but ours. */
export const typeOfOrder = (event: OrderEvent): WebhookEventType | undefined => {
  switch (event._tag) {
    case "Confirmed":
      return "order.confirmed"
    case "Cancelled":
      return "order.cancelled"
    case "Refunded":
      return "order.refunded"
    case "PaymentDeclined":
      return "payment.failed"
    // Another scan that counts instead admits nobody anew: whoever counts messages counts tickets.
    case "TicketAdmitted":
      return event.replaces === undefined ? "ticket.admitted" : undefined
    default:
      return undefined
  }
}

export const typeOfEvent = (event: CatalogEvent): WebhookEventType | undefined => {
  switch (event._tag) {
    case "EventPublished":
      return "event.published"
    case "EventChanged":
      return "event.changed"
    case "EventCancelled":
      return "event.cancelled"
    default:
      return undefined
  }
}

const head = (atMs: number) => ({ version: 1, timestamp: new Date(atMs).toISOString() }) as const

/** The tickets that an order was given. */
const issuedIn = (events: ReadonlyArray<OrderEvent>) =>
  events.flatMap((event) => (event._tag === "Confirmed" ? event.tickets : []))

const broken = (what: string) => Effect.die(new Error(what))

/** Of the last of an order's events, which all those before it lead up to. Dies where there is nothing to tell. */
export const ofOrder = (
  stream: string,
  atMs: number,
  events: ReadonlyArray<OrderEvent>
): Effect.Effect<{
  readonly type: WebhookEventType
  readonly eventId: EventId
  readonly message: WebhookMessage
}> => {
  const placed = events[0]
  const event = events[events.length - 1]
  if (placed?._tag !== "Placed" || event === undefined) {
    return broken(`order ${stream} does not begin with Placed`)
  }
  const { customer, eventId, total } = placed
  const order = { orderId: OrderId.make(stream), eventId }
  const tell = (message: WebhookMessage & { readonly type: WebhookEventType }) =>
    Effect.succeed({ type: message.type, eventId, message })
  const money = (amount: number) => ({ amount, currency: total.currency })

  switch (event._tag) {
    case "Confirmed":
      return tell({
        ...head(atMs),
        type: "order.confirmed",
        data: {
          ...order,
          customer,
          total,
          tickets: event.tickets.map(({ areaId, id, label, price, seatId, tier }) => ({
            id,
            seatId,
            areaId,
            label,
            tier,
            price
          }))
        }
      })
    case "Cancelled":
      return tell({ ...head(atMs), type: "order.cancelled", data: { ...order, reason: event.reason } })
    case "PaymentDeclined":
      return tell({
        ...head(atMs),
        type: "payment.failed",
        data: { ...order, provider: event.provider, code: event.code }
      })
    case "Refunded": {
      const requests = events.filter((each) => each._tag === "RefundRequested")
      const request = requests.find(({ refundId }) => refundId === event.refundId)
      if (request === undefined)
        return broken(`refund ${event.refundId} of order ${stream} was never asked for`)
      // What was paid back by now: one that was asked for meanwhile is told when it is.
      const paid = new Set(events.filter((each) => each._tag === "Refunded").map(({ refundId }) => refundId))
      const returned = new Set(
        requests.filter(({ refundId }) => paid.has(refundId)).flatMap(({ tickets }) => tickets)
      )
      const issued = issuedIn(events)
      return tell({
        ...head(atMs),
        type: "order.refunded",
        data: {
          ...order,
          refundId: event.refundId,
          extent: issued.every(({ id }) => returned.has(id)) ? "whole" : "part",
          amount: money(request.amount),
          fee: money(request.fee ?? 0),
          cause: request.cause ?? "customer",
          tickets: request.tickets,
          reason: request.reason
        }
      })
    }
    case "TicketAdmitted": {
      const ticket = issuedIn(events).find(({ id }) => id === event.ticketId)
      if (ticket === undefined) return broken(`order ${stream} has no ticket ${event.ticketId}`)
      const { areaId, label, seatId, tier } = ticket
      const { gate, scanId, ticketId } = event
      const admittedAt = new Date(event.atMs).toISOString()
      return tell({
        ...head(atMs),
        type: "ticket.admitted",
        data: { ...order, ticketId, seatId, areaId, label, tier, gate, scanId, admittedAt }
      })
    }
    default:
      return broken(`nothing is told of ${event._tag}`)
  }
}

/** Of an event of the catalog. Dies where there is nothing to tell. */
export const ofEvent = (
  atMs: number,
  event: CatalogEvent | undefined
): Effect.Effect<{
  readonly type: WebhookEventType
  readonly eventId: EventId
  readonly message: WebhookMessage
}> => {
  switch (event?._tag) {
    case "EventPublished":
    case "EventChanged": {
      const type = event._tag === "EventPublished" ? "event.published" : "event.changed"
      const { eventId } = event.facts
      return Effect.succeed({ type, eventId, message: { ...head(atMs), type, data: event.facts } })
    }
    case "EventCancelled": {
      const { eventId, reason } = event
      const type = "event.cancelled"
      return Effect.succeed({ type, eventId, message: { ...head(atMs), type, data: { eventId, reason } } })
    }
    default:
      return broken(`nothing is told of ${event?._tag}`)
  }
}
