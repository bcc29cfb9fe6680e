/**
 * What the notifications know of events and confirmed orders: read models of their own, made from the
 * journals of the catalog and the bookings (`CatalogNotices`, `BookingNotices`), so that nobody has to be asked when
 * a message is written.
 */
import { Customer, OrderTicket } from "@onsale/contracts/booking/Order"
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import { CustomerId, EventId, OrderId } from "@onsale/contracts/Ids"
import { Money } from "@onsale/contracts/Money"
import * as Gathered from "@onsale/platform/Gathered"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { EventCopies, EventState, type KnownEvent } from "./EventCopies.ts"
import { settled } from "./SettledSql.ts"

/** A confirmed order, as far as documents and messages need it. */
export const ConfirmedOrder = Schema.Struct({
  orderId: OrderId,
  eventId: EventId,
  customer: Schema.Struct({
    ...Customer.fields,
    /** Whom a token has named at the purchase. */
    customerId: Schema.optionalKey(CustomerId)
  }),
  total: Money,
  tickets: Schema.Array(OrderTicket),
  /** Milliseconds since 1970, as `OrderView.createdAt`: its documents bear this time. */
  placedAtMs: Schema.Int
})
export type ConfirmedOrder = typeof ConfirmedOrder.Type

const OrderRow = Schema.Struct({
  order: Schema.toCodecJson(ConfirmedOrder),
  /** Of its event; null where that has not come here yet. */
  event: Schema.NullOr(EventState)
})
const decodeOrders = Schema.decodeUnknownEffect(Schema.Array(OrderRow))
const decodeChanges = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ atMs: Schema.Finite })))

export class NotificationFacts extends Context.Service<
  NotificationFacts,
  {
    /** Of a confirmed order; none where its confirmation has not come here (yet). */
    readonly order: (orderId: OrderId) => Effect.Effect<Option.Option<ConfirmedOrder>>
    /** With its event at the same moment; undefined where that has not come here yet. */
    readonly orderWithEvent: (
      orderId: OrderId
    ) => Effect.Effect<
      Option.Option<{ readonly order: ConfirmedOrder; readonly event: KnownEvent | undefined }>
    >
    readonly event: (eventId: EventId) => Effect.Effect<Option.Option<EventFacts>>
    /** A cancelled event keeps its facts: whoever holds tickets of it may still look at them. */
    readonly known: (eventId: EventId) => Effect.Effect<Option.Option<KnownEvent>>
    /** When that was which buyers are told of, in milliseconds since 1970; null where it is not on record. */
    readonly changedAtMs: (eventId: EventId, change: number) => Effect.Effect<number | null>
  }
>()("@onsale/notifications/NotificationFacts") {
  static readonly layer = Layer.effect(
    NotificationFacts,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const events = yield* EventCopies

      const readOrder = Gathered.make<OrderId, (typeof OrderRow)["Type"]>(sql, {
        idOf: (orderId) => orderId.toLowerCase(),
        run: Effect.fnUntraced(function* (orderIds) {
          const rows = yield* sql`SELECT
              json_build_object('orderId', o.order_id, 'eventId', o.event_id, 'customer', o.customer, 'total', o.total,
                'tickets', o.tickets, 'placedAtMs', (extract(epoch FROM o.placed_at) * 1000)::float8) AS "order",
              CASE WHEN e.event_id IS NOT NULL THEN ${events.stateOf("e")} END AS event
            FROM notifications.orders o LEFT JOIN notifications.events e ON e.event_id = o.event_id
            WHERE o.order_id = ANY(${orderIds}::uuid[])`
          return new Map((yield* decodeOrders(rows)).map((row) => [row.order.orderId, row]))
        }, settled)
      })

      const orderWithEvent = Effect.fn("NotificationFacts.order")(function* (orderId: OrderId) {
        const row = yield* readOrder(orderId)
        if (row === undefined) return Option.none()
        const { event, order } = row
        const known = event === null ? undefined : yield* events.at(order.eventId, event)
        return Option.some({ order, event: known })
      })

      return NotificationFacts.of({
        orderWithEvent,
        order: (orderId) => Effect.map(readOrder(orderId), (row) => Option.fromUndefinedOr(row?.order)),

        known: (eventId) => Effect.map(events.known(eventId), Option.fromUndefinedOr),
        event: (eventId) =>
          Effect.map(events.known(eventId), (known) => Option.fromUndefinedOr(known?.facts)),

        changedAtMs: Effect.fn("NotificationFacts.changedAtMs")(function* (eventId, change) {
          const rows = yield* sql`SELECT (extract(epoch FROM at) * 1000)::float8 AS "atMs"
            FROM notifications.event_changes
            WHERE event_id = ${eventId}::uuid AND change = ${change}::int`
          return (yield* decodeChanges(rows))[0]?.atMs ?? null
        }, settled)
      })
    })
  ).pipe(Layer.provide(EventCopies.layer))
}
