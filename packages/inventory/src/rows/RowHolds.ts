/**
 * The holds of an event as rows. A command on a hold locks its row first of all, so that the commands of
 * one hold follow one another.
 */
import { EventId, HoldId, OrderId } from "@onsale/contracts/Ids"
import type { AreaClaim } from "@onsale/contracts/inventory/InventoryCommand"
import { Effect, Option, Schema } from "effect"
import { type SqlClient, SqlSchema } from "effect/sql"
import type { Hold } from "../InventoryState.ts"

const Row = Schema.Struct({
  holdId: HoldId,
  seats: Schema.Array(Schema.Int),
  areas: Schema.Array(Schema.Int),
  quantities: Schema.Array(Schema.Int),
  expiresAtMs: Schema.Int,
  ownExpiryMs: Schema.Int,
  capMs: Schema.Int,
  orderId: Schema.NullOr(OrderId),
  frozenOnce: Schema.Boolean
})

const toHold = (row: typeof Row.Type): Hold => ({
  id: row.holdId,
  seats: row.seats,
  areas: row.areas.map((area, i) => ({ area, quantity: row.quantities[i]! })),
  expiresAtMs: row.expiresAtMs,
  ownExpiryMs: row.ownExpiryMs,
  capMs: row.capMs,
  order: row.orderId,
  frozenOnce: row.frozenOnce,
  customer: null,
  voucher: null,
  gone: false
})

const One = Schema.Struct({ eventId: EventId, holdId: HoldId })

/** As the columns of a row. */
export const columnsOf = (claims: ReadonlyArray<AreaClaim>) => ({
  areas: claims.map(({ area }) => area),
  quantities: claims.map(({ quantity }) => quantity)
})

export const make = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(
    `hold_id::text AS "holdId", seats, areas, quantities, expires_at_ms::float8 AS "expiresAtMs",
     own_expiry_ms::float8 AS "ownExpiryMs", cap_ms::float8 AS "capMs", order_id::text AS "orderId",
     frozen_once AS "frozenOnce"`
  )
  const findLocked = SqlSchema.findOneOption({
    Request: One,
    Result: Row,
    execute: ({ eventId, holdId }) => sql`SELECT ${columns} FROM inventory.row_hold
      WHERE event_id = ${eventId}::uuid AND hold_id = ${holdId}::uuid FOR UPDATE`
  })
  const find = SqlSchema.findOneOption({
    Request: One,
    Result: Row,
    execute: ({ eventId, holdId }) => sql`SELECT ${columns} FROM inventory.row_hold
      WHERE event_id = ${eventId}::uuid AND hold_id = ${holdId}::uuid`
  })
  const findAll = SqlSchema.findAll({
    Request: EventId,
    Result: Row,
    execute: (eventId) => sql`SELECT ${columns} FROM inventory.row_hold WHERE event_id = ${eventId}::uuid`
  })
  const takeExpired = SqlSchema.findAll({
    Request: Schema.Struct({ eventId: EventId, nowMs: Schema.Int, limit: Schema.Int }),
    Result: Row,
    // Who has locked one gives it more time, or ends it, or sweeps as well: then the places are free after it.
    execute: ({ eventId, limit, nowMs }) => sql`DELETE FROM inventory.row_hold AS hold
      USING (SELECT hold_id AS id FROM inventory.row_hold
        WHERE event_id = ${eventId}::uuid AND expires_at_ms <= ${nowMs}::bigint
        ORDER BY hold_id LIMIT ${limit}::int FOR UPDATE) AS expired
      WHERE hold.event_id = ${eventId}::uuid AND hold.hold_id = expired.id
      RETURNING ${columns}`
  })

  return {
    /** The hold, its time over or not; undefined where there is none. */
    find: (eventId: EventId, holdId: HoldId) =>
      Effect.map(find({ eventId, holdId }), (row) => Option.getOrUndefined(Option.map(row, toHold))),

    /** The hold, locked until the transaction ends; undefined where there is none. */
    lock: (eventId: EventId, holdId: HoldId) =>
      Effect.map(findLocked({ eventId, holdId }), (row) => Option.getOrUndefined(Option.map(row, toHold))),

    all: (eventId: EventId) => Effect.map(findAll(eventId), (rows) => rows.map(toHold)),

    /** Takes away the holds whose time is over at `nowMs`, at most `limit`, and answers what they were. */
    takeExpired: (eventId: EventId, nowMs: number, limit: number) =>
      Effect.map(takeExpired({ eventId, nowMs, limit }), (rows) => rows.map(toHold)),

    /** Events that have holds whose time is over, at most `limit`. */
    eventsWithExpired: (nowMs: number, limit: number) =>
      sql<{ readonly id: string }>`SELECT DISTINCT event_id::text AS id FROM
        (SELECT event_id FROM inventory.row_hold WHERE expires_at_ms <= ${nowMs}::bigint
         ORDER BY expires_at_ms LIMIT ${limit}::int) AS expired`,

    /** Statements to be carried out with an append. */
    insert: (eventId: EventId, hold: Hold) => {
      const { areas, quantities } = columnsOf(hold.areas)
      return sql`INSERT INTO inventory.row_hold (event_id, hold_id, seats, areas, quantities, expires_at_ms,
          own_expiry_ms, cap_ms, order_id, frozen_once)
        VALUES (${eventId}::uuid, ${hold.id}::uuid, ${[...hold.seats]}::int[], ${areas}::int[],
          ${quantities}::int[], ${hold.expiresAtMs}::bigint, ${hold.ownExpiryMs}::bigint, ${hold.capMs}::bigint,
          ${hold.order}::uuid, ${hold.frozenOnce}::boolean)`
    },
    update: (eventId: EventId, hold: Hold) =>
      sql`UPDATE inventory.row_hold SET expires_at_ms = ${hold.expiresAtMs}::bigint,
          own_expiry_ms = ${hold.ownExpiryMs}::bigint, order_id = ${hold.order}::uuid,
          frozen_once = ${hold.frozenOnce}::boolean
        WHERE event_id = ${eventId}::uuid AND hold_id = ${hold.id}::uuid`,
    remove: (eventId: EventId, holdId: HoldId) =>
      sql`DELETE FROM inventory.row_hold WHERE event_id = ${eventId}::uuid AND hold_id = ${holdId}::uuid`
  }
}
