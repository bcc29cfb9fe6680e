/**
 * The rows that a batch of commands is about, read in one statement: what is not among them is free, or is
 * nothing that one of the commands could ask about.
 */
import { CommandId, EventId, HoldId, OrderId, VoucherId } from "@onsale/contracts/Ids"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { Effect, Schema } from "effect"
import { type SqlClient, SqlSchema } from "effect/sql"
import { isSeat } from "../Decision.ts"
import { rememberMs } from "../InventoryState.ts"
import type { Layout } from "../Layout.ts"

/** The end of what is sold: the last moment that JavaScript can name. */
export const neverMs = 8_640_000_000_000_000

/** Holds that one batch sweeps. Where there are more, it does nothing else, and another one follows. */
export const sweepLimit = 512

export const HoldRow = Schema.Struct({
  id: HoldId,
  seats: Schema.Array(Schema.Int),
  areas: Schema.Array(Schema.Int),
  quantities: Schema.Array(Schema.Int),
  expiresAtMs: Schema.Int,
  ownExpiryMs: Schema.Int,
  capMs: Schema.Int,
  order: Schema.NullOr(OrderId),
  frozenOnce: Schema.Boolean,
  customer: Schema.NullOr(Schema.String),
  voucher: Schema.NullOr(VoucherId)
})
export type HoldRow = typeof HoldRow.Type

/** A claim on a seat that is sold, or whose time is not over. */
const SeatRow = Schema.Struct({
  seat: Schema.Int,
  hold: Schema.NullOr(HoldId),
  order: Schema.NullOr(OrderId),
  untilMs: Schema.Int
})

export const AreaRow = Schema.Struct({ area: Schema.Int, held: Schema.Int, sold: Schema.Int })
export const QuotaRow = Schema.Struct({ quota: Schema.Int, taken: Schema.Int })

/** As it is read; the names are those of `State` where it has them. */
const Part = Schema.Struct({
  /** The newest version in the journal. */
  newest: Schema.Int,
  /** Those named by the commands and, at most `sweepLimit`, those whose time is over. */
  holds: Schema.Array(HoldRow),
  /** On the seats that are named. */
  seats: Schema.Array(SeatRow),
  /** Where somebody wants the best there is: all seats that are not free. */
  taken: Schema.Array(Schema.Int),
  areas: Schema.Array(AreaRow),
  quotas: Schema.Array(QuotaRow),
  /** Places that are sold to the orders that are named. */
  places: Schema.Array(Schema.Struct({ area: Schema.Int, order: OrderId, quantity: Schema.Int })),
  buyers: Schema.Array(
    Schema.Struct({
      order: OrderId,
      customer: Schema.NullOr(Schema.String),
      voucher: Schema.NullOr(VoucherId),
      tickets: Schema.Int
    })
  ),
  /** Of those named, and of the holds and buyers above. */
  customers: Schema.Array(Schema.Struct({ customer: Schema.String, tickets: Schema.Int })),
  vouchers: Schema.Array(Schema.Struct({ voucher: VoucherId, tickets: Schema.Int })),
  /** What was answered to the commands before; the event is null where only a return is remembered. */
  answers: Schema.Array(
    Schema.Struct({
      cmd: CommandId,
      version: Schema.Int,
      atMs: Schema.Int,
      returned: Schema.Boolean,
      event: Schema.NullOr(InventoryEvent)
    })
  )
})
export type Part = typeof Part.Type

/** What rows there may be of, of an event that nobody has asked anything. */
export const nothing: Part = {
  newest: 0,
  holds: [],
  seats: [],
  taken: [],
  areas: [],
  quotas: [],
  places: [],
  buyers: [],
  customers: [],
  vouchers: [],
  answers: []
}

const Question = Schema.Struct({
  eventId: EventId,
  nowMs: Schema.Int,
  commands: Schema.Array(Schema.String),
  holds: Schema.Array(Schema.String),
  seats: Schema.Array(Schema.Int),
  /** Somebody wants the best there is. */
  best: Schema.Boolean,
  orders: Schema.Array(Schema.String),
  customers: Schema.Array(Schema.String),
  vouchers: Schema.Array(Schema.String)
})

/** The seats that a command names, of those that there are. */
export const seatsOf = ({ seatCount }: Layout, command: InventoryCommand): ReadonlyArray<number> =>
  "seats" in command ? command.seats.filter((seat) => isSeat(seatCount, seat)) : []

/** The holds that a command names. */
export const holdsOf = (command: InventoryCommand): ReadonlyArray<HoldId> =>
  command._tag === "Return"
    ? []
    : command._tag === "Hold" && command.replaces !== undefined
      ? [command.holdId, command.replaces]
      : [command.holdId]

/** What has to be known before the commands can be decided. */
export const questionOf = (
  eventId: EventId,
  layout: Layout,
  commands: ReadonlyArray<InventoryCommand>,
  nowMs: number
): typeof Question.Type => {
  const holds = new Set<HoldId>()
  const seats = new Set<number>()
  const orders = new Set<OrderId>()
  const customers = new Set<string>()
  const vouchers = new Set<VoucherId>()
  let best = false
  for (const command of commands) {
    for (const hold of holdsOf(command)) holds.add(hold)
    for (const seat of seatsOf(layout, command)) seats.add(seat)
    if ("orderId" in command) orders.add(command.orderId)
    if ("customer" in command && command.customer !== undefined) customers.add(command.customer)
    if (command._tag === "Confirm" && command.voucher !== undefined) vouchers.add(command.voucher)
    if (command._tag === "Hold") {
      if (command.best !== null) best = true
      const voucher =
        command.voucherKey === undefined ? undefined : layout.rules.vouchersByKey.get(command.voucherKey)
      if (voucher !== undefined) vouchers.add(voucher.id)
    }
  }
  return {
    eventId,
    nowMs,
    commands: commands.map(({ commandId }) => commandId),
    holds: Array.from(holds),
    seats: Array.from(seats),
    best,
    orders: Array.from(orders),
    customers: Array.from(customers),
    vouchers: Array.from(vouchers)
  }
}

/** The columns of `row_hold` as a `HoldRow`. */
export const holdColumns = (sql: SqlClient.SqlClient) =>
  sql.literal(
    `hold_id AS id, seats, areas, quantities, expires_at_ms AS "expiresAtMs", own_expiry_ms AS "ownExpiryMs",
     cap_ms AS "capMs", order_id AS "order", frozen_once AS "frozenOnce", customer, voucher`
  )

export const make = (sql: SqlClient.SqlClient) => {
  const json = (query: string) =>
    sql.literal(`(SELECT coalesce(json_agg(found), '[]') FROM (${query}) AS found)`)
  const columns = holdColumns(sql)

  const read = SqlSchema.findOne({
    Request: Question,
    Result: Part,
    // Each row is looked up by its key, one by one (OFFSET keeps it so): a plan that was made while the tables
    // were small would look through all of the event's. Only who wants the best reads all of its seats.
    execute: ({ best, commands, customers, eventId, holds, nowMs, orders, seats, vouchers }) => sql`WITH
      held AS MATERIALIZED (
        SELECT found.* FROM unnest(${holds}::uuid[]) AS named (id), LATERAL (
          SELECT ${columns} FROM inventory.row_hold
          WHERE event_id = ${eventId}::uuid AND hold_id = named.id OFFSET 0) AS found
        WHERE "expiresAtMs" > ${nowMs}::bigint
        UNION ALL
        (SELECT ${columns} FROM inventory.row_hold
        WHERE event_id = ${eventId}::uuid AND expires_at_ms <= ${nowMs}::bigint
        ORDER BY expires_at_ms LIMIT ${sweepLimit}::int)
      ), bought AS MATERIALIZED (
        SELECT found.* FROM unnest(${orders}::uuid[]) AS named (id), LATERAL (
          SELECT order_id AS "order", customer, voucher, tickets FROM inventory.row_buyer
          WHERE event_id = ${eventId}::uuid AND order_id = named.id OFFSET 0) AS found
      ), seat AS (
        SELECT found.* FROM unnest(${seats}::int[]) AS named (seat), LATERAL (
          SELECT seat, hold_id AS hold, order_id AS "order", expires_at_ms AS "untilMs" FROM inventory.row_seat
          WHERE event_id = ${eventId}::uuid AND seat = named.seat OFFSET 0) AS found
        WHERE "untilMs" > ${nowMs}::bigint
      ), place AS (
        SELECT found.* FROM unnest(${orders}::uuid[]) AS named (id), LATERAL (
          SELECT area, order_id AS "order", quantity FROM inventory.row_area_sale
          WHERE event_id = ${eventId}::uuid AND order_id = named.id OFFSET 0) AS found
      ), area AS (
        SELECT area, held, sold FROM inventory.row_area WHERE event_id = ${eventId}::uuid
      ), quota AS (
        SELECT quota, taken FROM inventory.row_quota WHERE event_id = ${eventId}::uuid
      ), customer AS (
        SELECT found.* FROM (
          SELECT unnest(${customers}::text[]) UNION SELECT customer FROM held UNION SELECT customer FROM bought
        ) AS named (customer), LATERAL (
          SELECT customer, tickets FROM inventory.row_customer
          WHERE event_id = ${eventId}::uuid AND customer = named.customer OFFSET 0) AS found
      ), voucher AS (
        SELECT found.* FROM (
          SELECT unnest(${vouchers}::uuid[]) UNION SELECT voucher FROM held UNION SELECT voucher FROM bought
        ) AS named (voucher), LATERAL (
          SELECT voucher, tickets FROM inventory.row_voucher
          WHERE event_id = ${eventId}::uuid AND voucher = named.voucher OFFSET 0) AS found
      ), answer AS (
        SELECT found.cmd, version, at_ms AS "atMs", returned,
          CASE WHEN at_ms > ${nowMs - rememberMs}::bigint THEN (SELECT events -> place FROM inventory.journal AS row
            WHERE row.stream = ${eventId}::uuid AND row.version = found.version) END AS event
        FROM unnest(${commands}::text[]) AS named (cmd), LATERAL (
          SELECT answer.cmd, version, at_ms, place, returned FROM inventory.row_answer AS answer
          WHERE event_id = ${eventId}::uuid AND answer.cmd = named.cmd OFFSET 0) AS found
      )
      SELECT (SELECT coalesce(max(version), 0) FROM inventory.journal WHERE stream = ${eventId}::uuid)::int4 AS newest,
        ${json("TABLE held")} AS holds, ${json("TABLE seat")} AS seats, ${json("TABLE area")} AS areas,
        ${json("TABLE quota")} AS quotas, ${json("TABLE place")} AS places, ${json("TABLE bought")} AS buyers,
        ${json("TABLE customer")} AS customers, ${json("TABLE voucher")} AS vouchers,
        ${json("TABLE answer")} AS answers,
        ${
          best
            ? sql`ARRAY(SELECT seat FROM inventory.row_seat
                WHERE event_id = ${eventId}::uuid AND expires_at_ms > ${nowMs}::bigint)`
            : sql.literal("'{}'::int[]")
        } AS taken`
  })

  return (question: typeof Question.Type) => Effect.catchTag(read(question), "NoSuchElementError", Effect.die)
}
