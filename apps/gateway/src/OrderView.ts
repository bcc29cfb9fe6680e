/** An order as HTTP shows it: what booking knows of it, with the codes of its tickets. */
import type { OrdersNotListed } from "@onsale/booking/CustomerOrders"
import type { OrderTicket, OrderView } from "@onsale/contracts/booking/Order"
import type { BookingUnavailable } from "@onsale/contracts/booking/OrderEntity"
import type { Order, Ticket } from "@onsale/contracts/http/OrdersApi"
import { Overloaded } from "@onsale/contracts/http/Problems"
import type { UnansweredReason } from "@onsale/contracts/http/Unanswered"
import type { EventId } from "@onsale/contracts/Ids"
import { Notifications } from "@onsale/notifications/Notifications"
import { Effect } from "effect"
import { createHash } from "node:crypto"

/** Equal for equal requests: the schema has put the fields into its own order. */
export const fingerprintOf = (payload: unknown): string =>
  createHash("sha256").update(JSON.stringify(payload)).digest("base64url")

const unanswered = (retryAfterMs: number, reason?: UnansweredReason) =>
  Effect.fail(
    new Overloaded({
      retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)),
      ...(reason === undefined ? {} : { reason })
    })
  )

/** Of something that was to be done with an order. */
export const unsettled = ({ reason, retryAfterMs }: BookingUnavailable) =>
  reason === "overloaded"
    ? unanswered(retryAfterMs)
    : unanswered(retryAfterMs, reason === "not_begun" ? "unavailable" : "outcome_unknown")

/** Of a list of orders. */
export const notListed = ({ retryAfterMs }: OrdersNotListed) => unanswered(retryAfterMs, "unavailable")

export const ticketOf = Effect.fnUntraced(function* (eventId: EventId, ticket: OrderTicket) {
  const notifications = yield* Notifications
  const { id, seatId, areaId, label, status } = ticket
  const rendered: Ticket = {
    id,
    seatId,
    areaId,
    label,
    status,
    ...(ticket.holder === undefined ? {} : { holder: ticket.holder.name }),
    ...(ticket.checkIn === undefined
      ? {}
      : { checkIn: { at: new Date(ticket.checkIn.atMs).toISOString(), gate: ticket.checkIn.gate } }),
    code: ticket.holder === undefined ? yield* notifications.codeFor(eventId, ticket) : null
  }
  return rendered
})

export const render = Effect.fnUntraced(function* (order: OrderView) {
  const reason = order.reason ?? order.payment.failureCode
  const rendered: Order = {
    id: order.id,
    status: order.status,
    eventId: order.eventId,
    customer: order.customer,
    total: order.total,
    tickets: yield* Effect.forEach(order.tickets, (ticket) => ticketOf(order.eventId, ticket)),
    payment: { status: order.payment.status, provider: order.payment.provider },
    ...(order.nextAction === null ? {} : { nextAction: order.nextAction }),
    refunds: order.refunds,
    ...(reason === null ? {} : { reason }),
    createdAt: order.createdAt,
    updatedAt: order.updatedAt
  }
  return rendered
})
