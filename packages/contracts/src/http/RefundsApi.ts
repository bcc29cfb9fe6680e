/** What organisers give back: refunds of orders, refund policies, cancelled events. Needs the organiser's bearer key. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { EventDetail, NewRefundPolicy } from "../catalog/Event.ts"
import { EventId, OrderId } from "../Ids.ts"
import { Money } from "../Money.ts"
import { storableText } from "../Text.ts"
import { IdempotencyHeaders } from "./Common.ts"
import { NewRefund, Order } from "./OrdersApi.ts"
import { OrganiserAuth } from "./OrganiserApi.ts"
import { EventNotCancelled, EventNotPublished } from "./OrganiserProblems.ts"
import {
  EventCancelled,
  EventInvalid,
  EventNotFound,
  KeyInUse,
  KeyReused,
  NotRefundable,
  OrderNotFound,
  OverloadedProblem
} from "./Problems.ts"

export const EventCancellation = Schema.Struct({ reason: storableText(500).check(Schema.isMinLength(1)) })

/** How far the refunds of a cancelled event are. */
export const CancellationProgress = Schema.Struct({
  eventId: EventId,
  reason: Schema.String,
  /** UTC instants; null before. */
  startedAt: Schema.NullOr(Schema.String),
  /** When the last order was refunded and none was under way any more. */
  finishedAt: Schema.NullOr(Schema.String),
  orders: Schema.Struct({
    /** That have, or had, tickets. */
    total: Schema.Int,
    refunded: Schema.Int,
    /** Whose refund is asked for and not made yet. */
    pending: Schema.Int,
    /** Of them those that are under way for more than ten minutes: see the runbook. */
    stuck: Schema.Int,
    /** With valid tickets, whose turn has not come. */
    waiting: Schema.Int,
    /** Without tickets yet: they are ended, or get tickets and are refunded then. */
    unfinished: Schema.Int
  }),
  /** Paid back, by currency. */
  refunded: Schema.Array(Money),
  /** UTC instant of the last change of the refund that is longest under way; null where none is. */
  oldestPendingAt: Schema.NullOr(Schema.String)
})

const described = (summary: string, description: string) => OpenApi.annotations({ summary, description })
const eventId = { eventId: EventId }

export class RefundsApi extends HttpApiGroup.make("refunds")
  .add(
    HttpApiEndpoint.post("refundOrder", "/organiser/orders/:orderId/refunds", {
      params: { orderId: OrderId },
      headers: IdempotencyHeaders,
      payload: NewRefund,
      success: Order.pipe(HttpApiSchema.status(201)),
      error: [OrderNotFound, NotRefundable, KeyReused, KeyInUse, OverloadedProblem]
    }).annotateMerge(
      described(
        "Refund an order, whatever its terms say",
        "Pays back the whole price of the named tickets, or of all that are valid: without a fee, and also when the time in which the buyer could have given them back is over."
      )
    ),
    HttpApiEndpoint.put("setRefundPolicy", "/organiser/events/:eventId/refund-policy", {
      params: eventId,
      payload: NewRefundPolicy,
      success: EventDetail,
      error: [EventNotFound, EventCancelled, EventInvalid]
    }).annotateMerge(
      described(
        "Say what buyers get back",
        "Sets until when tickets may be given back and what is kept of their price, for orders from now on: those that were placed keep what was agreed. An empty object pays back everything at any time."
      )
    ),
    HttpApiEndpoint.post("cancelEvent", "/organiser/events/:eventId/cancel", {
      params: eventId,
      payload: EventCancellation,
      success: EventDetail,
      error: [EventNotFound, EventNotPublished]
    }).annotateMerge(
      described(
        "Cancel an event, and refund all of its orders",
        "Closes the sale at once and for ever, then pays every order back, whole. Once more changes nothing: the first reason stays."
      )
    ),
    HttpApiEndpoint.get("eventRefunds", "/organiser/events/:eventId/refunds", {
      params: eventId,
      success: CancellationProgress,
      error: [EventNotFound, EventNotCancelled]
    })
  )
  .middleware(OrganiserAuth)
  .prefix("/api/v1") {}
