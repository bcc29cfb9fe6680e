/**
 * What the notifications know of events and confirmed orders: read models of their own, made from the
 * journals of the catalog and the bookings (`CatalogNotices`, `BookingNotices`), so that nobody has to be asked when
 * a message is written.
 */
import { Customer, OrderTicket } from "@onsale/contracts/booking/Order"
import { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import { CustomerId, EventId, OrderId } from "@onsale/contracts/Ids"
import { Money } from "@onsale/contracts/Money"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
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

const KnownEvent = Schema.Struct({
  facts: Schema.toCodecJson(EventFacts),
  cancelled: Schema.Boolean,
  /** Milliseconds since 1970. */
  cancelledAtMs: Schema.NullOr(Schema.Finite),
  /** Of the last row of the event that was read here: what is behind it is not known yet. */
  version: Schema.Int,
  /** Of the event then, as the catalog counts them; at most too small where only rows of older builds were read. */
  revision: Schema.Int
})
export type KnownEvent = typeof KnownEvent.Type

const decodeOrders = Schema.decodeUnknownEffect(Schema.Array(Schema.toCodecJson(ConfirmedOrder)))
const decodeEvents = Schema.decodeUnknownEffect(Schema.Array(KnownEvent))
const decodeChanges = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ atMs: Schema.Finite })))

export class NotificationFacts extends Context.Service<
  NotificationFacts,
  {
    /** Of a confirmed order; none where its confirmation has not come here (yet). */
    readonly order: (orderId: OrderId) => Effect.Effect<Option.Option<ConfirmedOrder>>
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

      const known = Effect.fn("NotificationFacts.event")(function* (eventId: EventId) {
        const rows = yield* sql`SELECT facts, cancelled_at IS NOT NULL AS cancelled,
            (extract(epoch FROM cancelled_at) * 1000)::float8 AS "cancelledAtMs",
            version, version + untold_revisions AS revision
          FROM notifications.events WHERE event_id = ${eventId}::uuid`
        return Option.fromUndefinedOr((yield* decodeEvents(rows))[0])
      }, settled)

      return NotificationFacts.of({
        known,
        event: (eventId) =>
          Effect.map(
            known(eventId),
            Option.map(({ facts }) => facts)
          ),

        order: Effect.fn("NotificationFacts.order")(function* (orderId) {
          const rows =
            yield* sql`SELECT order_id::text AS "orderId", event_id::text AS "eventId", customer, total, tickets,
              (extract(epoch FROM placed_at) * 1000)::float8 AS "placedAtMs"
            FROM notifications.orders WHERE order_id = ${orderId}::uuid`
          return Option.fromUndefinedOr((yield* decodeOrders(rows))[0])
        }, settled),

        changedAtMs: Effect.fn("NotificationFacts.changedAtMs")(function* (eventId, change) {
          const rows = yield* sql`SELECT (extract(epoch FROM at) * 1000)::float8 AS "atMs"
            FROM notifications.event_changes
            WHERE event_id = ${eventId}::uuid AND change = ${change}::int`
          return (yield* decodeChanges(rows))[0]?.atMs ?? null
        }, settled)
      })
    })
  )
}
