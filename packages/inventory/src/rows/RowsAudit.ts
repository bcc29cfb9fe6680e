/**
 * The rows of the levels without an entity compared with each other and with the sales, by plain SQL on
 * another path than the commands'. Read-only; on a live database. Rows that the journal has
 * left behind (an entity has the event now) stand for nothing and are passed by.
 */
import { EventId } from "@onsale/contracts/Ids"
import { Effect, Schema } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import type { Breach } from "../InventoryAudit.ts"

const Found = Schema.Struct({
  invariant: Schema.Literals(["INV-01", "INV-02", "INV-09"]),
  eventId: EventId,
  what: Schema.String
})

/** Answers what is broken, at most 1,000 of each kind. One statement, and so one moment of the database. */
export const run = Effect.fn("RowsAudit.run")(function* () {
  const sql = yield* SqlClient.SqlClient
  const all = checks.map(
    ({ invariant, query }) =>
      `(SELECT '${invariant}' AS invariant, found.* FROM (${query} LIMIT 1000) AS found)`
  )
  const rows = yield* SqlSchema.findAll({
    Request: Schema.Void,
    Result: Found,
    execute: () => sql.unsafe(`${current} ${all.join(" UNION ALL ")}`)
  })()
  return rows.map(
    ({ eventId, invariant, what }): Breach => ({ invariant, detail: `event ${eventId}: ${what}` })
  )
}, Effect.orDie)

const current = `WITH current AS (
  SELECT head.event_id FROM inventory.row_head AS head
  WHERE head.version = (SELECT max(version) FROM inventory.journal WHERE stream = head.event_id))`

const checks: ReadonlyArray<{ readonly invariant: Breach["invariant"]; readonly query: string }> = [
  {
    invariant: "INV-09",
    query: `SELECT event_id::text AS "eventId", 'its rows stand for version ' || version || ', which the journal lacks' AS what
      FROM inventory.row_head AS head
      WHERE version > coalesce((SELECT max(version) FROM inventory.journal WHERE stream = head.event_id), 0)`
  },
  {
    invariant: "INV-01",
    query: `SELECT event_id::text AS "eventId", 'seat ' || seat || ' is sold to ' || coalesce(mine.order_id::text, 'nobody')
        || ' by its row and to ' || coalesce(sale.order_id::text, 'nobody') || ' by the table of sales' AS what
      FROM (SELECT * FROM inventory.row_seat JOIN current USING (event_id) WHERE order_id IS NOT NULL) AS mine
      FULL JOIN (SELECT * FROM inventory.sale JOIN current USING (event_id)) AS sale USING (event_id, seat)
      WHERE mine.order_id IS DISTINCT FROM sale.order_id`
  },
  {
    // Whatever the time: a seat whose end is not its hold's was changed without the hold.
    invariant: "INV-02",
    query: `SELECT hold.event_id::text AS "eventId", 'seat ' || place.seat || ' of hold ' || hold.hold_id || ' ends at '
        || mine.expires_at_ms || ', the hold at ' || hold.expires_at_ms AS what
      FROM inventory.row_hold AS hold JOIN current USING (event_id) CROSS JOIN unnest(hold.seats) AS place (seat)
      JOIN LATERAL (SELECT * FROM inventory.row_seat
        WHERE event_id = hold.event_id AND seat = place.seat AND hold_id = hold.hold_id) AS mine ON true
      WHERE mine.expires_at_ms <> hold.expires_at_ms OR mine.order_id IS NOT NULL`
  },
  {
    // A seat that is another's was taken when the hold's time was over: the other's began after that.
    invariant: "INV-01",
    query: `SELECT hold.event_id::text AS "eventId", 'seat ' || place.seat || ' of hold ' || hold.hold_id
        || ' is held by ' || coalesce(mine.hold_id::text, 'nobody') AS what
      FROM inventory.row_hold AS hold JOIN current USING (event_id) CROSS JOIN unnest(hold.seats) AS place (seat)
      LEFT JOIN inventory.row_seat AS mine ON mine.event_id = hold.event_id AND mine.seat = place.seat
      WHERE mine.hold_id IS DISTINCT FROM hold.hold_id
        AND coalesce(mine.expires_at_ms, 0) BETWEEN 1 AND hold.expires_at_ms`
  },
  {
    invariant: "INV-01",
    query: `SELECT event_id::text AS "eventId", 'area ' || area || ' counts ' || counter.held || ' held and ' || counter.sold
        || ' sold; its holds are of ' || coalesce(held.places, 0) || ', its sales of ' || coalesce(sold.places, 0) AS what
      FROM (SELECT * FROM inventory.row_area JOIN current USING (event_id)) AS counter
      LEFT JOIN (SELECT event_id, claim.area, sum(claim.quantity) AS places FROM inventory.row_hold AS hold,
          unnest(hold.areas, hold.quantities) AS claim (area, quantity) GROUP BY event_id, claim.area) AS held
        USING (event_id, area)
      LEFT JOIN (SELECT event_id, area, sum(quantity) AS places FROM inventory.row_area_sale GROUP BY event_id, area) AS sold
        USING (event_id, area)
      WHERE counter.held <> coalesce(held.places, 0) OR counter.sold <> coalesce(sold.places, 0)`
  }
]
