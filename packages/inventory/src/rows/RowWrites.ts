/**
 * The statement that writes a batch: all of its rows, its sales, its answers and its row of the journal. Only
 * who has locked the event's `row_head` may run it.
 *
 * What was decided from rows that nobody else could change cannot fail, and is checked all the same: a seat is
 * claimed only if the database finds it free, and moved only if it finds it to be whose it was; the number of
 * rows that were written tells. The keys of the journal, of sales and of answers refuse a second one.
 */
import type { EventId } from "@onsale/contracts/Ids"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { Effect, Schema } from "effect"
import { type SqlClient, SqlSchema, type Statement } from "effect/sql"
import { rememberMs } from "../InventoryState.ts"
import type { Changes, SaleChanges, SeatChange } from "./RowChanges.ts"

const Written = Schema.Struct({
  head: Schema.Int,
  claimed: Schema.Int,
  moved: Schema.Int,
  ended: Schema.Int,
  sales: Schema.Int,
  answers: Schema.Int
})

const seatsIn = (changes: ReadonlyArray<SeatChange>): number =>
  changes.reduce((sum, { seats }) => sum + seats.length, 0)

export const make = (sql: SqlClient.SqlClient) => {
  /** The rows of a JSON array of objects, as a table. */
  const table = (rows: ReadonlyArray<unknown>, columns: string) =>
    sql`json_to_recordset(${JSON.stringify(rows)}::json) AS new (${sql.literal(columns)})`

  const seatColumns = `seats int[], hold uuid, "order" uuid, "untilMs" bigint, "wasHold" uuid, "wasOrder" uuid`
  const buyerColumns = `"order" uuid, customer text, voucher uuid, tickets int`

  /** Totals that end with their last ticket: `key` are the columns beside the event's, `from` those of `new`. */
  const put = (
    name: string,
    key: ReadonlyArray<string>,
    values: ReadonlyArray<string>,
    rows: Statement.Fragment
  ) => {
    const into = [...key, ...values].join(", ")
    const set = values.map((column) => `${column} = excluded.${column}`).join(", ")
    return sql`INSERT INTO ${sql(`inventory.${name}`)} (event_id, ${sql.literal(into)}) ${rows}
      ON CONFLICT (event_id, ${sql.literal(key.join(", "))}) DO UPDATE SET ${sql.literal(set)}`
  }

  /** The parts of a statement that write rows. */
  const rowWrites = (
    eventId: EventId,
    nowMs: number,
    { areas, buyers, claimed, customers, ended, holds, moved, places, quotas, vouchers }: Changes
  ): ReadonlyArray<readonly [name: string, write: Statement.Fragment]> => {
    const id = sql`${eventId}::uuid`
    const gone = <Row extends { readonly tickets: number }>(rows: ReadonlyArray<Row>) => ({
      kept: rows.filter(({ tickets }) => tickets > 0),
      gone: rows.filter(({ tickets }) => tickets <= 0)
    })
    const [place, buyer, customer, voucher] = [gone(places), gone(buyers), gone(customers), gone(vouchers)]
    return [
      [
        "claimed",
        sql`INSERT INTO inventory.row_seat AS mine (event_id, seat, hold_id, order_id, expires_at_ms)
          SELECT ${id}, unnest(new.seats), new.hold, new."order", new."untilMs" FROM ${table(claimed, seatColumns)}
          ON CONFLICT (event_id, seat) DO UPDATE SET hold_id = excluded.hold_id, order_id = excluded.order_id,
            expires_at_ms = excluded.expires_at_ms
          WHERE mine.expires_at_ms <= ${nowMs}::bigint RETURNING seat`
      ],
      [
        "moved",
        sql`UPDATE inventory.row_seat AS mine SET hold_id = new.hold, order_id = new."order", expires_at_ms = new."untilMs"
          FROM ${table(moved, seatColumns)} CROSS JOIN unnest(new.seats) AS place (seat)
          WHERE mine.event_id = ${id} AND mine.seat = place.seat AND mine.expires_at_ms > ${nowMs}::bigint
            AND mine.hold_id IS NOT DISTINCT FROM new."wasHold" AND mine.order_id IS NOT DISTINCT FROM new."wasOrder"
          RETURNING mine.seat`
      ],
      [
        "holds",
        put(
          "row_hold",
          ["hold_id"],
          [
            "seats",
            "areas",
            "quantities",
            "expires_at_ms",
            "own_expiry_ms",
            "cap_ms",
            "order_id",
            "frozen_once",
            "customer",
            "voucher"
          ],
          sql`SELECT ${id}, new.* FROM ${table(
            holds,
            `id uuid, seats int[], areas int[], quantities int[], "expiresAtMs" bigint, "ownExpiryMs" bigint,
             "capMs" bigint, "order" uuid, "frozenOnce" boolean, customer text, voucher uuid`
          )}`
        )
      ],
      [
        "ended",
        sql`DELETE FROM inventory.row_hold AS mine USING unnest(${[...ended]}::uuid[]) AS gone (id)
          WHERE mine.event_id = ${id} AND mine.hold_id = gone.id RETURNING mine.hold_id`
      ],
      [
        "areas",
        put(
          "row_area",
          ["area"],
          ["capacity", "held", "sold"],
          sql`SELECT ${id}, new.* FROM ${table(areas, "area int, capacity int, held int, sold int")}`
        )
      ],
      [
        "quotas",
        put(
          "row_quota",
          ["quota"],
          ["taken"],
          sql`SELECT ${id}, new.* FROM ${table(quotas, "quota int, taken int")}`
        )
      ],
      [
        "places",
        put(
          "row_area_sale",
          ["order_id", "area"],
          ["quantity"],
          sql`SELECT ${id}, new.* FROM ${table(place.kept, `"order" uuid, area int, tickets int`)}`
        )
      ],
      [
        "places_gone",
        sql`DELETE FROM inventory.row_area_sale AS mine USING ${table(place.gone, `"order" uuid, area int`)}
          WHERE mine.event_id = ${id} AND mine.order_id = new."order" AND mine.area = new.area`
      ],
      [
        "buyers",
        put(
          "row_buyer",
          ["order_id"],
          ["customer", "voucher", "tickets"],
          sql`SELECT ${id}, new.* FROM ${table(buyer.kept, buyerColumns)}`
        )
      ],
      [
        "buyers_gone",
        sql`DELETE FROM inventory.row_buyer AS mine USING unnest(${buyer.gone.map(({ order }) => order)}::uuid[]) AS gone (id)
          WHERE mine.event_id = ${id} AND mine.order_id = gone.id`
      ],
      [
        "customers",
        put(
          "row_customer",
          ["customer"],
          ["tickets"],
          sql`SELECT ${id}, new.* FROM ${table(customer.kept, "customer text, tickets int")}`
        )
      ],
      [
        "customers_gone",
        sql`DELETE FROM inventory.row_customer AS mine USING unnest(${customer.gone.map((one) => one.customer)}::text[]) AS gone (id)
          WHERE mine.event_id = ${id} AND mine.customer = gone.id`
      ],
      [
        "vouchers",
        put(
          "row_voucher",
          ["voucher"],
          ["tickets"],
          sql`SELECT ${id}, new.* FROM ${table(voucher.kept, "voucher uuid, tickets int")}`
        )
      ],
      [
        "vouchers_gone",
        sql`DELETE FROM inventory.row_voucher AS mine USING unnest(${voucher.gone.map((one) => one.voucher)}::uuid[]) AS gone (id)
          WHERE mine.event_id = ${id} AND mine.voucher = gone.id`
      ]
    ]
  }

  const saleWrites = (
    eventId: EventId,
    { moved, returned, sold }: SaleChanges
  ): ReadonlyArray<readonly [name: string, write: Statement.Fragment]> => {
    const id = sql`${eventId}::uuid`
    return [
      [
        "sold",
        sql`INSERT INTO inventory.sale (event_id, seat, order_id)
          SELECT ${id}, new.* FROM ${table(sold, `seat int, "order" uuid`)} RETURNING seat`
      ],
      [
        "resold",
        sql`UPDATE inventory.sale AS mine SET order_id = new."order"
          FROM ${table(moved, `seat int, "order" uuid, was uuid`)}
          WHERE mine.event_id = ${id} AND mine.seat = new.seat AND mine.order_id = new.was RETURNING mine.seat`
      ],
      [
        "returned",
        sql`DELETE FROM inventory.sale AS mine USING ${table(returned, `seat int, "order" uuid`)}
          WHERE mine.event_id = ${id} AND mine.seat = new.seat AND mine.order_id = new."order" RETURNING mine.seat`
      ]
    ]
  }

  const withs = (writes: ReadonlyArray<readonly [name: string, write: Statement.Fragment]>) =>
    sql.csv(writes.map(([name, write]) => sql`${sql.literal(name)} AS (${write})`))

  const count = (...names: ReadonlyArray<string>) =>
    sql.literal(`(${names.map((name) => `(SELECT count(*) FROM ${name})`).join(" + ")})::int4`)

  const dieUnless = (what: string, written: number, expected: number) => {
    if (written !== expected)
      throw new Error(`INV-01: of ${expected} ${what}, ${written} were as they had been read`)
  }

  return {
    /** Writes rows for whom there are none. */
    rows: (eventId: EventId, nowMs: number, changes: Changes) =>
      sql`WITH ${withs(rowWrites(eventId, nowMs, changes))} SELECT ${count("claimed")} AS claimed`,

    /** Writes a batch as `version`. Dies where the rows are not what they were read as. */
    batch: Effect.fnUntraced(function* (batch: {
      readonly eventId: EventId
      readonly version: number
      readonly nowMs: number
      readonly rows: Changes
      readonly sales: SaleChanges
      readonly events: ReadonlyArray<InventoryEvent>
    }) {
      const { eventId, events, nowMs, rows, sales, version } = batch
      const id = sql`${eventId}::uuid`
      const answers = events.flatMap((event, place) =>
        "cmd" in event ? [{ cmd: event.cmd, place, returned: event._tag === "Returned" }] : []
      )
      const written = yield* SqlSchema.findOne({
        Request: Schema.Void,
        Result: Written,
        execute: () => sql`WITH
          head AS (UPDATE inventory.row_head SET version = ${version}::bigint, at_ms = ${nowMs}::bigint,
              txid = greatest(txid, pg_current_xact_id())
            WHERE event_id = ${id} AND version = ${version - 1}::bigint RETURNING txid),
          journaled AS (INSERT INTO inventory.journal (stream, version, at, txid, events)
            SELECT ${id}, ${version}::bigint, to_timestamp(${nowMs}::float8 / 1000), head.txid,
              ${JSON.stringify(events)}::json FROM head),
          answered AS (INSERT INTO inventory.row_answer AS mine (event_id, cmd, version, at_ms, place, returned)
            SELECT ${id}, new.cmd, ${version}::bigint, ${nowMs}::bigint, new.place, new.returned
            FROM ${table(answers, "cmd text, place int, returned boolean")}
            ON CONFLICT (event_id, cmd) DO UPDATE SET version = excluded.version, at_ms = excluded.at_ms,
              place = excluded.place, returned = excluded.returned
            WHERE mine.at_ms <= ${nowMs - rememberMs}::bigint AND NOT mine.returned RETURNING cmd),
          ${withs([...rowWrites(eventId, nowMs, rows), ...saleWrites(eventId, sales)])}
          SELECT ${count("head")} AS head, ${count("claimed")} AS claimed, ${count("moved")} AS moved,
            ${count("ended")} AS ended, ${count("sold", "resold", "returned")} AS sales,
            ${count("answered")} AS answers`
      })().pipe(Effect.catchTag("NoSuchElementError", Effect.die))
      dieUnless("heads", written.head, 1)
      dieUnless("free seats", written.claimed, seatsIn(rows.claimed))
      dieUnless("claimed seats", written.moved, seatsIn(rows.moved))
      dieUnless("ended holds", written.ended, rows.ended.length)
      dieUnless("sales", written.sales, sales.sold.length + sales.moved.length + sales.returned.length)
      dieUnless("unanswered commands", written.answers, answers.length)
    })
  }
}
