/**
 * All of an event at a glance, for those who look at it and for a new layout: which seats are taken, and how
 * many places and tickets. Whose they are is not read.
 */
import { EventId, HoldId, OrderId } from "@onsale/contracts/Ids"
import { Effect, Schema } from "effect"
import { type SqlClient, SqlSchema } from "effect/sql"
import { empty, type State } from "../InventoryState.ts"
import type { Layout } from "../Layout.ts"
import { AreaRow, QuotaRow } from "./RowPart.ts"
import { somebody, unknownHold } from "./RowState.ts"

const View = Schema.Struct({
  version: Schema.Int,
  layout: Schema.Int,
  atMs: Schema.Int,
  /** The newest version in the journal. */
  newest: Schema.Int,
  held: Schema.Array(Schema.Int),
  sold: Schema.Array(Schema.Int),
  areas: Schema.Array(AreaRow),
  quotas: Schema.Array(QuotaRow),
  /** Of holds whose time is over and that nobody has swept yet; they are counted still. */
  expiredSeats: Schema.Array(Schema.Int),
  expiredPlaces: Schema.Array(Schema.Struct({ area: Schema.Int, quantity: Schema.Int })),
  /** When the next hold expires; null where there is none that lives. */
  nextExpiryMs: Schema.NullOr(Schema.Int),
  /** There is a hold. */
  holds: Schema.Boolean,
  /** Something was returned once. */
  returned: Schema.Boolean
})
export type View = typeof View.Type

const someOrder = OrderId.make("00000000-0000-7000-8000-000000000000")
const expiredId = HoldId.make("00000000-0000-7000-8000-000000000001")

export const make = (sql: SqlClient.SqlClient) => {
  const read = SqlSchema.findAll({
    Request: Schema.Struct({ eventId: EventId, nowMs: Schema.Int }),
    Result: View,
    // Time never goes back in a stream: what has expired by its newest row has expired.
    execute: ({ eventId, nowMs }) => sql`WITH
      head AS MATERIALIZED (
        SELECT version, layout, at_ms, greatest(at_ms, ${nowMs}::bigint) AS now_ms
        FROM inventory.row_head WHERE event_id = ${eventId}::uuid
      ), expired AS MATERIALIZED (
        SELECT seats, areas, quantities FROM inventory.row_hold
        WHERE event_id = ${eventId}::uuid AND expires_at_ms <= (SELECT now_ms FROM head)
      )
      SELECT version::int4 AS version, layout, at_ms::float8 AS "atMs",
        (SELECT coalesce(max(version), 0) FROM inventory.journal WHERE stream = ${eventId}::uuid)::int4 AS newest,
        ARRAY(SELECT seat FROM inventory.row_seat
          WHERE event_id = ${eventId}::uuid AND order_id IS NULL AND expires_at_ms > now_ms) AS held,
        ARRAY(SELECT seat FROM inventory.row_seat
          WHERE event_id = ${eventId}::uuid AND order_id IS NOT NULL) AS sold,
        (SELECT coalesce(json_agg(one), '[]') FROM (SELECT area, held, sold FROM inventory.row_area
          WHERE event_id = ${eventId}::uuid) AS one) AS areas,
        (SELECT coalesce(json_agg(one), '[]') FROM (SELECT quota, taken FROM inventory.row_quota
          WHERE event_id = ${eventId}::uuid) AS one) AS quotas,
        ARRAY(SELECT unnest(seats) FROM expired) AS "expiredSeats",
        (SELECT coalesce(json_agg(one), '[]') FROM (SELECT area, sum(quantity)::int4 AS quantity
          FROM expired, unnest(areas, quantities) AS place (area, quantity) GROUP BY area) AS one) AS "expiredPlaces",
        (SELECT min(expires_at_ms) FROM inventory.row_hold
          WHERE event_id = ${eventId}::uuid AND expires_at_ms > now_ms)::float8 AS "nextExpiryMs",
        EXISTS (SELECT FROM inventory.row_hold WHERE event_id = ${eventId}::uuid) AS holds,
        EXISTS (SELECT FROM inventory.row_answer WHERE event_id = ${eventId}::uuid AND returned) AS returned
      FROM head`
  })

  /** Undefined where the event has no rows. */
  return (eventId: EventId, nowMs: number) => Effect.map(read({ eventId, nowMs }), ([view]) => view)
}

/** A state that looks like this from afar: nobody's holds and orders stand for all. */
export const stateOf = (layout: Layout, view: View, nowMs: number): State => {
  const state = empty(layout)
  state.version = view.version
  state.atMs = view.atMs
  const expired = {
    ...unknownHold(expiredId, Math.min(nowMs, view.atMs)),
    seats: view.expiredSeats,
    areas: view.expiredPlaces
  }
  if (view.holds) state.holds.set(somebody.id, somebody)
  if (expired.seats.length + expired.areas.length > 0) state.holds.set(expired.id, expired)
  for (const seat of expired.seats) state.owner[seat] = expired
  for (const seat of view.held) state.owner[seat] = somebody
  for (const seat of view.sold) state.sold[seat] = someOrder
  for (const { area, held, sold } of view.areas) {
    if (state.areaHeld[area] === undefined) continue
    state.areaHeld[area] = held
    state.areaSold[area]!.total = sold
  }
  const { quotaTaken } = state.counts
  for (const { quota, taken } of view.quotas) if (quota < quotaTaken.length) quotaTaken[quota] = taken
  if (view.returned) state.returns.add("")
  return state
}
