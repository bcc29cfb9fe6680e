/**
 * What is done with orders, whoever carries the request: put together from booking, catalog and notifications.
 */
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import * as PageCursor from "@onsale/catalog/PageCursor"
import type { Customer, NewOrder, OrderView } from "@onsale/contracts/booking/Order"
import type { HoldNotBuyable } from "@onsale/contracts/booking/OrderEntity"
import { NotReissuable, TicketsUsed } from "@onsale/contracts/http/CheckInProblems"
import type { NewRefund, OrderQuery } from "@onsale/contracts/http/OrdersApi"
import {
  CursorInvalid,
  EventCancelled,
  HoldInCheckout,
  HoldNotFound,
  KeyInUse,
  KeyReused,
  LimitPassed,
  NotRefundable,
  OrderCancelled,
  OrderNotFound,
  Overloaded,
  PaymentDeclined,
  RefundDeadlinePassed,
  TicketNotFound,
  Unauthorized
} from "@onsale/contracts/http/Problems"
import { eventNumberOfHold, type HoldId, type OrderId, type TicketId } from "@onsale/contracts/Ids"
import type { Locale } from "@onsale/contracts/notifications/Locale"
import { Notifications } from "@onsale/notifications/Notifications"
import * as Tracing from "@onsale/platform/Tracing"
import { Clock, DateTime, Effect } from "effect"
import * as AdmissionPlace from "./AdmissionPlace.ts"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import { Correlation } from "./Correlation.ts"
import { CurrentCustomer } from "./CurrentCustomer.ts"
import * as GoneHold from "./GoneHold.ts"
import * as OrderViews from "./OrderView.ts"
import * as OrderWait from "./OrderWait.ts"
import * as Patience from "./Patience.ts"

/** Longer than a database that works takes for a row. */
const eventLimitMs = 5_000

/** Why a hold that is there cannot be bought. */
const notBuyable = ({
  code,
  limit,
  scope = "order"
}: HoldNotBuyable): Effect.Effect<never, EventCancelled | HoldInCheckout | LimitPassed> => {
  switch (code) {
    case "limit_passed":
      return Effect.fail(new LimitPassed({ limit: limit ?? 0, scope }))
    case "event_cancelled":
      return Effect.fail(new EventCancelled({}))
    case "in_checkout":
      return Effect.fail(new HoldInCheckout({}))
    default:
      return Effect.die(new Error(`a hold could not be bought: ${code}`))
  }
}

const whyNotReissuable = {
  refunded: "It was refunded.",
  used: "It was used at the door.",
  too_many: "It was given as many codes as a ticket may have."
} as const

const defaultPageSize = 20

export const make = Effect.gen(function* () {
  const orders = yield* Orders
  const catalog = yield* Catalog
  const notifications = yield* Notifications
  const boards = yield* AvailabilityBoard
  const goneHold = yield* GoneHold.make
  /** What an order was asked for goes on there when its client has left. */
  const goesOn = AdmissionPlace.keeping(yield* Effect.scope)
  const { atLast, inTime, within } = yield* OrderWait.make(orders)

  /** What became of a hold, for who waits until then. */
  const goneInTime = (holdId: HoldId, untilMs: number | undefined) =>
    untilMs === undefined
      ? goneHold(holdId)
      : Effect.flatMap(atLast(goneHold(holdId), untilMs), (told) =>
          told === null
            ? Effect.fail(new Overloaded({ retryAfterSeconds: 1, reason: "unavailable" }))
            : Effect.succeed(told.value)
        )

  const eventOf = Effect.fnUntraced(function* (holdId: HoldId) {
    return (yield* catalog.eventIdByNumber(eventNumberOfHold(holdId))) ?? (yield* new HoldNotFound({}))
  })

  const render = (order: OrderView) =>
    Effect.provideService(OrderViews.render(order), Notifications, notifications)

  const orderOf = Effect.fnUntraced(function* (orderId: OrderId) {
    return (yield* orders.get(orderId)) ?? (yield* new OrderNotFound({}))
  })

  /** What whoever placed it is told. */
  const answerOf = Effect.fnUntraced(function* (order: OrderView) {
    const rendered = yield* render(order)
    switch (order.status) {
      case "payment_pending":
        return { ...rendered, status: "payment_pending" as const }
      case "declined":
        return yield* new PaymentDeclined({ orderId: order.id, code: order.payment.failureCode })
      case "cancelled":
        return yield* new OrderCancelled({
          orderId: order.id,
          ...(order.reason === null ? {} : { detail: order.reason })
        })
      default:
        // What was confirmed when it was answered first is answered so again, whatever came later.
        return { ...rendered, status: "confirmed" as const }
    }
  })

  return {
    byId: orderOf,

    /** Of the customer who asks. */
    list: Effect.fnUntraced(function* (query: OrderQuery) {
      const customer = (yield* CurrentCustomer) ?? (yield* new Unauthorized({}))
      const limit = query.limit ?? defaultPageSize
      const after =
        query.cursor === undefined
          ? null
          : yield* Effect.mapError(PageCursor.decode(query.cursor), () => new CursorInvalid({}))
      const found = yield* orders
        .ofCustomer(customer, after, limit + 1)
        .pipe(Effect.catchTag("OrdersNotListed", OrderViews.notListed))
      const last = found.length > limit ? found[limit - 1] : undefined
      return {
        orders: found.slice(0, limit).map(({ atMicros, ...order }) => ({
          ...order,
          createdAt: DateTime.formatIso(DateTime.makeUnsafe(Math.floor(atMicros / 1_000)))
        })),
        nextCursor: last === undefined ? null : PageCursor.encode(last)
      }
    }),

    create: Effect.fnUntraced(function* (
      key: string,
      payload: NewOrder,
      {
        asked,
        reads
      }: {
        /** A hash of what was asked and by whom, where that is not the payload. */
        readonly asked?: string | undefined
        /** What the client reads, where the order does not say what the customer does. */
        readonly reads?: Locale | undefined
      } = {}
    ) {
      const customer = yield* CurrentCustomer
      // Whoever has the key of somebody else is not told of his order.
      const fingerprint =
        asked ?? OrderViews.fingerprintOf(customer === null ? payload : [customer.id, payload])
      const untilMs = yield* Patience.Until
      const left = Effect.map(Clock.currentTimeMillis, (nowMs) =>
        untilMs === undefined ? undefined : Math.max(0, untilMs - nowMs)
      )
      const found = yield* within(eventOf(payload.holdId), (yield* left) ?? eventLimitMs)
      if (found === null) return yield* new Overloaded({ retryAfterSeconds: 1, reason: "unavailable" })
      const eventId = found.value
      const waitMs = yield* left
      const order = yield* orders
        .place({
          key,
          fingerprint,
          ...(waitMs === undefined ? {} : { waitMs }),
          correlation: yield* Tracing.carried(yield* Correlation),
          eventId,
          ...(customer === null ? {} : { customerId: customer.id }),
          // Not in the fingerprint: a repeat from another program is a repeat.
          order:
            reads === undefined ? payload : { ...payload, customer: { locale: reads, ...payload.customer } }
        })
        .pipe(
          Effect.map(({ order }) => order),
          goesOn,
          (placing) => inTime(placing, { key, fingerprint, waitMs }),
          Tracing.resumed,
          Effect.catchTag(
            "HoldNotBuyable",
            (
              error
            ): Effect.Effect<
              never,
              Effect.Error<ReturnType<typeof goneHold> | ReturnType<typeof notBuyable>>
            > => (GoneHold.isGone(error) ? goneInTime(payload.holdId, untilMs) : notBuyable(error))
          ),
          Effect.catchTag("KeyReused", () => Effect.fail(new KeyReused({}))),
          Effect.catchTag("KeyInUse", () => Effect.fail(new KeyInUse({}))),
          Effect.catchTag("BookingUnavailable", OrderViews.unsettled)
        )
      boards.changed(eventId)
      yield* Effect.logInfo(`order ${order.id} is ${order.status}`)
      return yield* answerOf(order)
    }),

    /** What `create` has answered under a key before, however long ago; null where it has not. */
    again: Effect.fnUntraced(function* (key: string, fingerprint: string) {
      const known = yield* orders.placed(key)
      if (known === null) return null
      return known.fingerprint === fingerprint ? yield* answerOf(known.order) : yield* new KeyReused({})
    }),

    get: (orderId: OrderId) => Effect.flatMap(orderOf(orderId), render),

    /** By the buyer, within the terms of the order. */
    refund: Effect.fnUntraced(function* (orderId: OrderId, key: string, payload: NewRefund) {
      const order = yield* orders
        .refund(orderId, {
          key,
          fingerprint: OrderViews.fingerprintOf([orderId, payload]),
          correlation: yield* Tracing.carried(yield* Correlation),
          tickets: payload.tickets ?? null,
          reason: payload.reason
        })
        .pipe(
          goesOn,
          Tracing.resumed,
          Effect.catchTag("OrderNotFound", () => Effect.fail(new OrderNotFound({}))),
          Effect.catchTag(
            "NotRefundable",
            ({
              deadlineMs,
              message,
              tickets,
              used
            }): Effect.Effect<never, NotRefundable | RefundDeadlinePassed | TicketsUsed> =>
              deadlineMs === undefined
                ? Effect.fail(
                    used === true
                      ? new TicketsUsed({ detail: message, tickets })
                      : new NotRefundable({ detail: message, tickets })
                  )
                : Effect.fail(
                    new RefundDeadlinePassed({
                      detail: message,
                      deadline: new Date(deadlineMs).toISOString()
                    })
                  )
          ),
          Effect.catchTag("KeyReused", () => Effect.fail(new KeyReused({}))),
          Effect.catchTag("KeyInUse", () => Effect.fail(new KeyInUse({}))),
          Effect.catchTag("BookingUnavailable", OrderViews.unsettled)
        )
      boards.changed(order.eventId)
      return yield* render(order)
    }),

    /** By the organiser: whole, at any time. */
    refundAny: Effect.fnUntraced(function* (orderId: OrderId, key: string, payload: NewRefund) {
      const order = yield* orders
        .refund(orderId, {
          key,
          fingerprint: OrderViews.fingerprintOf(["organiser", orderId, payload]),
          correlation: yield* Tracing.carried(yield* Correlation),
          tickets: payload.tickets ?? null,
          reason: payload.reason,
          cause: "organiser"
        })
        .pipe(
          goesOn,
          Tracing.resumed,
          Effect.catchTag("OrderNotFound", () => Effect.fail(new OrderNotFound({}))),
          Effect.catchTag("NotRefundable", ({ message, tickets }) =>
            Effect.fail(new NotRefundable({ detail: message, tickets }))
          ),
          Effect.catchTag("KeyReused", () => Effect.fail(new KeyReused({}))),
          Effect.catchTag("KeyInUse", () => Effect.fail(new KeyInUse({}))),
          Effect.catchTag("BookingUnavailable", OrderViews.unsettled)
        )
      boards.changed(order.eventId)
      return yield* render(order)
    }),

    /** A new code for a ticket, and another holder where one is named. */
    reissue: Effect.fnUntraced(function* (
      orderId: OrderId,
      ticketId: TicketId,
      key: string,
      holder: Customer | null
    ) {
      const order = yield* orders
        .reissue(orderId, {
          key,
          fingerprint: OrderViews.fingerprintOf([orderId, ticketId, holder]),
          ticketId,
          holder
        })
        .pipe(
          goesOn,
          Effect.catchTag("OrderNotFound", () => Effect.fail(new OrderNotFound({}))),
          Effect.catchTag(
            "NotReissuable",
            ({ reason }): Effect.Effect<never, TicketNotFound | NotReissuable> =>
              Effect.fail(
                reason === "unknown"
                  ? new TicketNotFound({})
                  : new NotReissuable({ detail: whyNotReissuable[reason], reason })
              )
          ),
          Effect.catchTag("KeyReused", () => Effect.fail(new KeyReused({}))),
          Effect.catchTag("KeyInUse", () => Effect.fail(new KeyInUse({}))),
          Effect.catchTag("BookingUnavailable", OrderViews.unsettled)
        )
      return yield* render(order)
    }),

    ticket: Effect.fnUntraced(function* (ticketId: TicketId) {
      const found = (yield* orders.ticket(ticketId)) ?? (yield* new TicketNotFound({}))
      const { eventId } = found
      const ticket = yield* OrderViews.ticketOf(eventId, found.ticket).pipe(
        Effect.provideService(Notifications, notifications)
      )
      return { ...ticket, eventId }
    })
  }
})
