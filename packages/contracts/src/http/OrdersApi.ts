/** Orders, tickets and refunds. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Customer, NewCustomer, NewOrder, OrderRefund, OrderStatus, TicketStatus } from "../booking/Order.ts"
import { AreaId, EventId, OrderId, SeatId, TicketId } from "../Ids.ts"
import { Money } from "../Money.ts"
import { NextAction } from "../payments/PaymentIntent.ts"
import { storableText } from "../Text.ts"
import { NotReissuable, TicketsUsed } from "./CheckInProblems.ts"
import { aboutWaiting, IdempotencyHeaders, WaitingHeaders } from "./Common.ts"
import { CustomerAuth } from "./CustomerAuth.ts"
import {
  CursorInvalid,
  EventCancelled,
  HoldBought,
  HoldInCheckout,
  HoldNotFound,
  LimitPassed,
  KeyInUse,
  KeyReused,
  NotRefundable,
  OrderCancelled,
  OrderNotFound,
  OverloadedProblem,
  PaymentDeclined,
  RefundDeadlinePassed,
  TicketNotFound,
  TicketsNotReady,
  Unauthorized
} from "./Problems.ts"

export const Ticket = Schema.Struct({
  id: TicketId,
  seatId: Schema.NullOr(SeatId),
  areaId: Schema.NullOr(AreaId),
  label: Schema.String,
  status: TicketStatus,
  /** The name on it, where it was given to somebody else than the customer. */
  holder: Schema.optionalKey(Schema.String),
  /** When and where it was used; left out where it was not. */
  checkIn: Schema.optionalKey(Schema.Struct({ at: Schema.String, gate: Schema.String })),
  /**
   * What the QR code says; it opens the door. Null where the ticket was given to somebody else: the code is for that
   * person alone, who has it by e-mail.
   */
  code: Schema.NullOr(Schema.String)
})
export type Ticket = typeof Ticket.Type

const fields = {
  id: OrderId,
  eventId: EventId,
  customer: Customer,
  total: Money,
  tickets: Schema.Array(Ticket),
  payment: Schema.Struct({ status: Schema.NullOr(Schema.String), provider: Schema.NullOr(Schema.String) }),
  nextAction: Schema.optionalKey(NextAction),
  refunds: Schema.Array(OrderRefund),
  /** Why it was cancelled or declined. */
  reason: Schema.optionalKey(Schema.String),
  createdAt: Schema.String,
  updatedAt: Schema.String
}

export const Order = Schema.Struct({ status: OrderStatus, ...fields })
export type Order = typeof Order.Type

export const ConfirmedOrder = Schema.Struct({ status: Schema.Literal("confirmed"), ...fields })
export const PendingOrder = Schema.Struct({ status: Schema.Literal("payment_pending"), ...fields })

export const NewRefund = Schema.Struct({
  /** All that can still be refunded, where left out. */
  tickets: Schema.optionalKey(
    Schema.Array(TicketId).check(Schema.isMinLength(1), Schema.isMaxLength(1000), Schema.isUnique())
  ),
  reason: storableText(500)
})
export type NewRefund = typeof NewRefund.Type

/** Whom a ticket is given to. */
export const TicketTransfer = NewCustomer
export type TicketTransfer = Customer

/** Not its order: whoever was given one ticket must not be able to return the others. */
export const TicketOfEvent = Schema.Struct({ ...Ticket.fields, eventId: EventId })

/** An order in a list; `GET /orders/{orderId}` tells the rest. */
export const OrderSummary = Schema.Struct({
  id: OrderId,
  status: OrderStatus,
  eventId: EventId,
  total: Money,
  /** How many it is for. */
  tickets: Schema.Int,
  createdAt: Schema.String
})

export const OrderQuery = Schema.Struct({
  /** The `nextCursor` of the page before. */
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
  /** 20 when left out. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })))
})
export type OrderQuery = typeof OrderQuery.Type

/** Newest first. */
export const OrderPage = Schema.Struct({
  orders: Schema.Array(OrderSummary),
  nextCursor: Schema.NullOr(Schema.String)
})

/** Why an order may not be placed, over any transport; overload comes besides. */
export const newOrderProblems = [
  HoldNotFound,
  LimitPassed,
  HoldBought,
  HoldInCheckout,
  EventCancelled,
  PaymentDeclined,
  OrderCancelled,
  KeyReused,
  KeyInUse
] as const
export const refundProblems = [
  OrderNotFound,
  NotRefundable,
  RefundDeadlinePassed,
  TicketsUsed,
  KeyReused,
  KeyInUse
] as const
export const reissueProblems = [OrderNotFound, TicketNotFound, NotReissuable, KeyReused, KeyInUse] as const

const orderId = { orderId: OrderId }

export class OrdersApi extends HttpApiGroup.make("orders")
  .add(
    HttpApiEndpoint.post("create", "/orders", {
      headers: WaitingHeaders,
      payload: NewOrder,
      success: [ConfirmedOrder.pipe(HttpApiSchema.status(201)), PendingOrder.pipe(HttpApiSchema.status(202))],
      error: [...newOrderProblems, OverloadedProblem]
    }).annotate(
      OpenApi.Description,
      `Buys what a hold has. One that was bought before is a 409 of type \`hold-bought\`: the order is the answer to the Idempotency-Key that it was bought with. One that has expired or was given back is a 404. While many buy, purchases wait in line for 25 seconds at most. ${aboutWaiting} An order that is not placed by then is not begun any more: 503, and nothing is charged; where it is not known whether it was placed, the 503 has the type \`outcome-unknown\`. One that is placed is never undone for it: 202, and the order tells how it ended. Who says nothing waits for 45 seconds. The same Idempotency-Key asks what became of it.`
    ),
    HttpApiEndpoint.get("list", "/orders", {
      query: OrderQuery,
      success: OrderPage,
      error: [Unauthorized, CursorInvalid, OverloadedProblem]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "List the customer's orders",
        description:
          "The orders of the customer whom the bearer token names, newest first: those that were placed with a token of this customer, and those that were placed without any for the address that the token tells. A new order is listed within two seconds."
      })
    ),
    HttpApiEndpoint.get("get", "/orders/:orderId", {
      params: orderId,
      success: Order,
      error: [OrderNotFound, OverloadedProblem]
    }),
    HttpApiEndpoint.post("refund", "/orders/:orderId/refunds", {
      params: orderId,
      headers: IdempotencyHeaders,
      payload: NewRefund,
      success: Order.pipe(HttpApiSchema.status(201)),
      error: [...refundProblems, OverloadedProblem]
    }),
    HttpApiEndpoint.post("transfer", "/orders/:orderId/tickets/:ticketId/transfer", {
      params: { ...orderId, ticketId: TicketId },
      headers: IdempotencyHeaders,
      payload: TicketTransfer,
      success: Order,
      error: [...reissueProblems, OverloadedProblem]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Give a ticket to somebody else",
        description:
          "The ticket gets a new code and another name; its older codes admit nobody. The seat stays sold and the order stays who has its id. A ticket that was used or refunded is not given on."
      })
    ),
    HttpApiEndpoint.post("reissue", "/orders/:orderId/tickets/:ticketId/reissue", {
      params: { ...orderId, ticketId: TicketId },
      headers: IdempotencyHeaders,
      success: Order,
      error: [...reissueProblems, OverloadedProblem]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Give a ticket a new code",
        description: "For a ticket that was lost or seen by others: its older codes admit nobody."
      })
    ),
    HttpApiEndpoint.get("ticketsPdf", "/orders/:orderId/tickets.pdf", {
      params: orderId,
      success: HttpApiSchema.WithHeaders(
        Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array({ contentType: "application/pdf" })),
        { "content-disposition": Schema.String, etag: Schema.String, "cache-control": Schema.String }
      ),
      error: [OrderNotFound, TicketsNotReady, OverloadedProblem]
    }).annotate(
      OpenApi.Description,
      "A page for each valid ticket. The same version of the order has the same bytes and the same ETag."
    ),
    HttpApiEndpoint.get("ticket", "/tickets/:ticketId", {
      params: { ticketId: TicketId },
      success: TicketOfEvent,
      error: [TicketNotFound, OverloadedProblem]
    })
  )
  .middleware(CustomerAuth)
  .prefix("/api/v1") {}
