/**
 * The seats of an event as rows. A claim is one conditional upsert of all its seats: a seat whose row is
 * somebody else's and whose time is not over is left out of what comes back, and who gets fewer back than
 * he asked for rolls back, so that it is all of them or nothing (INV-02).
 *
 * Rows are always locked in the order of their seats, by every statement here: two who want the same
 * seats wait for one another, and never in a circle. Who waited sees what the other has committed, because
 * the upsert judges the newest row and not the one of its snapshot.
 */
import { HoldId, OrderId } from "@onsale/contracts/Ids"
import type { EventId } from "@onsale/contracts/Ids"
import { Schema } from "effect"
import { type SqlClient, SqlSchema } from "effect/sql"

/** The end of what is sold: the last moment that JavaScript can name. */
export const neverMs = 8_640_000_000_000_000

const Claim = Schema.Struct({
  seat: Schema.Int,
  /** Null for a sale that was read out of a journal. */
  holdId: Schema.NullOr(HoldId),
  /** The command that made the claim; null where that is not known any more. */
  cmd: Schema.NullOr(Schema.String),
  /** The order it is sold to. */
  orderId: Schema.NullOr(OrderId),
  expiresAtMs: Schema.Int
})
/** A claim on a seat that is sold, or whose time is not over. */
export type Claim = typeof Claim.Type

const Places = Schema.Struct({ eventId: Schema.String, seats: Schema.Array(Schema.Int), nowMs: Schema.Int })

export const make = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(
    `seat, hold_id::text AS "holdId", cmd, order_id::text AS "orderId", expires_at_ms::float8 AS "expiresAtMs"`
  )
  const seatsOf = (rows: ReadonlyArray<{ readonly seat: number }>) => rows.map(({ seat }) => seat)

  return {
    /** Takes those of the seats that are free at `nowMs`, and answers which these were. */
    claim: (options: {
      readonly eventId: EventId
      readonly seats: ReadonlyArray<number>
      readonly holdId: HoldId
      readonly cmd: string
      readonly orderId: OrderId | null
      readonly expiresAtMs: number
      readonly nowMs: number
    }) =>
      sql<{ readonly seat: number }>`INSERT INTO inventory.row_seat AS mine
        (event_id, seat, hold_id, cmd, order_id, expires_at_ms)
        SELECT ${options.eventId}::uuid, wanted.seat, ${options.holdId}::uuid, ${options.cmd}::text,
          ${options.orderId}::uuid, ${options.expiresAtMs}::bigint
        FROM unnest(${[...options.seats]}::int[]) AS wanted (seat) ORDER BY wanted.seat
        ON CONFLICT (event_id, seat) DO UPDATE SET hold_id = excluded.hold_id, cmd = excluded.cmd,
          order_id = excluded.order_id, expires_at_ms = excluded.expires_at_ms
        WHERE mine.expires_at_ms <= ${options.nowMs}::bigint
        RETURNING seat`,

    /** Gives those of the seats that the hold has at `nowMs` another end, or an order, and answers which. */
    change: (options: {
      readonly eventId: EventId
      readonly seats: ReadonlyArray<number>
      readonly holdId: HoldId
      readonly orderId: OrderId | null
      readonly expiresAtMs: number
      readonly nowMs: number
    }) =>
      sql<{ readonly seat: number }>`UPDATE inventory.row_seat AS mine
        SET order_id = ${options.orderId}::uuid, expires_at_ms = ${options.expiresAtMs}::bigint
        FROM (SELECT seat FROM inventory.row_seat
          WHERE event_id = ${options.eventId}::uuid AND seat = ANY (${[...options.seats]}::int[])
            AND hold_id = ${options.holdId}::uuid AND order_id IS NULL AND expires_at_ms > ${options.nowMs}::bigint
          ORDER BY seat FOR UPDATE) AS locked
        WHERE mine.event_id = ${options.eventId}::uuid AND mine.seat = locked.seat
        RETURNING mine.seat`,

    /** Frees those of the seats that are sold to the order, and answers which. */
    giveBack: (options: {
      readonly eventId: EventId
      readonly seats: ReadonlyArray<number>
      readonly orderId: OrderId
    }) =>
      sql<{ readonly seat: number }>`UPDATE inventory.row_seat AS mine SET order_id = NULL, expires_at_ms = 0
        FROM (SELECT seat FROM inventory.row_seat
          WHERE event_id = ${options.eventId}::uuid AND seat = ANY (${[...options.seats]}::int[])
            AND order_id = ${options.orderId}::uuid
          ORDER BY seat FOR UPDATE) AS locked
        WHERE mine.event_id = ${options.eventId}::uuid AND mine.seat = locked.seat
        RETURNING mine.seat`,

    /** The claims on these seats that count at `nowMs`. */
    claimsOn: SqlSchema.findAll({
      Request: Places,
      Result: Claim,
      execute: ({ eventId, nowMs, seats }) => sql`SELECT ${columns} FROM inventory.row_seat
        WHERE event_id = ${eventId}::uuid AND seat = ANY (${[...seats]}::int[]) AND expires_at_ms > ${nowMs}::bigint
        ORDER BY seat`
    }),

    /** The same, and nobody else changes them until the transaction ends. */
    lockClaimsOn: SqlSchema.findAll({
      Request: Places,
      Result: Claim,
      execute: ({ eventId, nowMs, seats }) => sql`SELECT ${columns} FROM inventory.row_seat
        WHERE event_id = ${eventId}::uuid AND seat = ANY (${[...seats]}::int[]) AND expires_at_ms > ${nowMs}::bigint
        ORDER BY seat FOR UPDATE`
    }),

    /** All claims of the event that count at `nowMs`. */
    claims: SqlSchema.findAll({
      Request: Schema.Struct({ eventId: Schema.String, nowMs: Schema.Int }),
      Result: Claim,
      execute: ({ eventId, nowMs }) => sql`SELECT ${columns} FROM inventory.row_seat
        WHERE event_id = ${eventId}::uuid AND expires_at_ms > ${nowMs}::bigint ORDER BY seat`
    }),

    seatsOf
  }
}
