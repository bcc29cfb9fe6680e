/**
 * The places of an event's areas as counters: how many are held, how many sold. A claim is a conditional
 * upsert like that of the seats; an area that has not as many places is left out of what comes back.
 * Counters are locked in the order of their areas, after the seats.
 */
import { EventId, OrderId } from "@onsale/contracts/Ids"
import type { AreaClaim } from "@onsale/contracts/inventory/InventoryCommand"
import { Effect, Schema } from "effect"
import { type SqlClient, SqlSchema } from "effect/sql"

/** Places to be added to the counters of an area; fewer, where they are negative. */
export interface AreaChange {
  readonly area: number
  readonly held: number
  readonly sold: number
  readonly capacity: number
}

const Counter = Schema.Struct({ area: Schema.Int, held: Schema.Int, sold: Schema.Int })
export type Counter = typeof Counter.Type

export const make = (sql: SqlClient.SqlClient) => ({
  /** Changes the counters of those areas that have the places, and answers which these were. */
  add: (eventId: EventId, changes: ReadonlyArray<AreaChange>) =>
    sql<{
      readonly area: number
    }>`INSERT INTO inventory.row_area AS counter (event_id, area, capacity, held, sold)
      SELECT ${eventId}::uuid, change.area, change.capacity, change.held, change.sold
      FROM unnest(${changes.map(({ area }) => area)}::int[], ${changes.map(({ capacity }) => capacity)}::int[],
        ${changes.map(({ held }) => held)}::int[], ${changes.map(({ sold }) => sold)}::int[])
        AS change (area, capacity, held, sold) ORDER BY change.area
      ON CONFLICT (event_id, area) DO UPDATE SET capacity = excluded.capacity,
        held = counter.held + excluded.held, sold = counter.sold + excluded.sold
      WHERE counter.held + counter.sold + excluded.held + excluded.sold <= excluded.capacity
      RETURNING area`.pipe(Effect.map((rows) => rows.map(({ area }) => area))),

  /** Of these areas, those whose places do not suffice, not counting the holds whose time is over at `nowMs`. */
  short: (eventId: EventId, changes: ReadonlyArray<AreaChange>, nowMs: number) =>
    sql<{ readonly area: number }>`SELECT change.area
      FROM (SELECT area, max(capacity) AS capacity, sum(places) AS places
        FROM unnest(${changes.map(({ area }) => area)}::int[], ${changes.map(({ capacity }) => capacity)}::int[],
          ${changes.map(({ held, sold }) => held + sold)}::int[]) AS each (area, capacity, places)
        GROUP BY area) AS change
      LEFT JOIN inventory.row_area AS counter ON counter.event_id = ${eventId}::uuid AND counter.area = change.area
      LEFT JOIN LATERAL (SELECT sum(claim.quantity) AS places FROM inventory.row_hold AS hold
        CROSS JOIN unnest(hold.areas, hold.quantities) AS claim (area, quantity)
        WHERE hold.event_id = ${eventId}::uuid AND hold.expires_at_ms <= ${nowMs}::bigint
          AND claim.area = change.area) AS over ON true
      WHERE coalesce(counter.held + counter.sold, 0) - coalesce(over.places, 0) + change.places > change.capacity`.pipe(
      Effect.map((rows) => rows.map(({ area }) => area))
    ),

  /** Remembers whose the sold places are; takes them away again where the quantity is negative. */
  addSold: (eventId: EventId, orderId: OrderId, places: ReadonlyArray<AreaClaim>) =>
    sql`INSERT INTO inventory.row_area_sale AS sale (event_id, area, order_id, quantity)
      SELECT ${eventId}::uuid, place.area, ${orderId}::uuid, place.quantity
      FROM unnest(${places.map(({ area }) => area)}::int[], ${places.map(({ quantity }) => quantity)}::int[])
        AS place (area, quantity) ORDER BY place.area
      ON CONFLICT (event_id, area, order_id) DO UPDATE SET quantity = sale.quantity + excluded.quantity`,

  /** The counters of these areas; nobody else changes them until the transaction ends. */
  lock: SqlSchema.findAll({
    Request: Schema.Struct({ eventId: EventId, areas: Schema.Array(Schema.Int) }),
    Result: Counter,
    execute: ({ areas, eventId }) => sql`SELECT area, held, sold FROM inventory.row_area
      WHERE event_id = ${eventId}::uuid AND area = ANY (${[...areas]}::int[]) ORDER BY area FOR UPDATE`
  }),

  /** The places of these areas that are sold to the order. */
  soldTo: SqlSchema.findAll({
    Request: Schema.Struct({ eventId: EventId, orderId: OrderId }),
    Result: Schema.Struct({ area: Schema.Int, quantity: Schema.Int }),
    execute: ({ eventId, orderId }) => sql`SELECT area, quantity FROM inventory.row_area_sale
      WHERE event_id = ${eventId}::uuid AND order_id = ${orderId}::uuid AND quantity > 0`
  }),

  counters: SqlSchema.findAll({
    Request: EventId,
    Result: Counter,
    execute: (eventId) =>
      sql`SELECT area, held, sold FROM inventory.row_area WHERE event_id = ${eventId}::uuid ORDER BY area`
  })
})
