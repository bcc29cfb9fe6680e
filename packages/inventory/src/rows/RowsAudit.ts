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
  invariant: Schema.Literals(["INV-01", "INV-02", "INV-08", "INV-09"]),
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
  SELECT head.event_id, head.at_ms, head.layout FROM inventory.row_head AS head
  WHERE head.version = (SELECT max(version) FROM inventory.journal WHERE stream = head.event_id))`

/** The seats of a hold whose time was over may be another's, or free, before it is swept. */
const liveHolds = `inventory.row_hold AS hold JOIN current
  ON current.event_id = hold.event_id AND hold.expires_at_ms > current.at_ms`

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
      FROM (SELECT event_id, seat, order_id FROM inventory.row_seat JOIN current USING (event_id) WHERE order_id IS NOT NULL) AS mine
      FULL JOIN (SELECT event_id, seat, order_id FROM inventory.sale JOIN current USING (event_id)) AS sale USING (event_id, seat)
      WHERE mine.order_id IS DISTINCT FROM sale.order_id`
  },
  {
    invariant: "INV-02",
    query: `SELECT hold.event_id::text AS "eventId", 'seat ' || place.seat || ' of hold ' || hold.hold_id || ' ends at '
        || mine.expires_at_ms || ', the hold at ' || hold.expires_at_ms AS what
      FROM ${liveHolds} CROSS JOIN unnest(hold.seats) AS place (seat)
      JOIN inventory.row_seat AS mine ON mine.event_id = hold.event_id AND mine.seat = place.seat
      WHERE mine.hold_id = hold.hold_id AND mine.expires_at_ms <> hold.expires_at_ms`
  },
  {
    invariant: "INV-01",
    query: `SELECT hold.event_id::text AS "eventId", 'seat ' || place.seat || ' of hold ' || hold.hold_id
        || ' is held by ' || coalesce(mine.hold_id::text, 'nobody')
        || coalesce(' and sold to ' || mine.order_id, '') AS what
      FROM ${liveHolds} CROSS JOIN unnest(hold.seats) AS place (seat)
      LEFT JOIN inventory.row_seat AS mine ON mine.event_id = hold.event_id AND mine.seat = place.seat
      WHERE mine.hold_id IS DISTINCT FROM hold.hold_id OR mine.order_id IS NOT NULL`
  },
  {
    // The other way round: a seat that nobody can have, and nobody has.
    invariant: "INV-01",
    query: `SELECT mine.event_id::text AS "eventId", 'seat ' || mine.seat || ' is held by ' || coalesce(mine.hold_id::text, 'nobody')
        || ', which does not have it' AS what
      FROM inventory.row_seat AS mine JOIN current USING (event_id)
      LEFT JOIN inventory.row_hold AS hold ON hold.event_id = mine.event_id AND hold.hold_id = mine.hold_id
      WHERE mine.order_id IS NULL AND mine.expires_at_ms > current.at_ms
        AND (hold.seats IS NULL OR NOT mine.seat = ANY (hold.seats))`
  },
  {
    invariant: "INV-01",
    query: `SELECT event_id::text AS "eventId", 'area ' || area || ' counts ' || counter.held || ' held and ' || counter.sold
        || ' sold; its holds are of ' || coalesce(held.places, 0) || ', its sales of ' || coalesce(sold.places, 0) AS what
      FROM (SELECT event_id, area, held, sold FROM inventory.row_area JOIN current USING (event_id)) AS counter
      LEFT JOIN (SELECT event_id, claim.area, sum(claim.quantity) AS places FROM inventory.row_hold AS hold,
          unnest(hold.areas, hold.quantities) AS claim (area, quantity) GROUP BY event_id, claim.area) AS held
        USING (event_id, area)
      LEFT JOIN (SELECT event_id, area, sum(quantity) AS places FROM inventory.row_area_sale GROUP BY event_id, area) AS sold
        USING (event_id, area)
      WHERE counter.held <> coalesce(held.places, 0) OR counter.sold <> coalesce(sold.places, 0)`
  },
  {
    // From the layout as it stands: which quotas a seat and an area draw on, and what is claimed of them. A hold
    // whose time is over counts until it is swept, though its seats may be free by their own rows.
    invariant: "INV-01",
    query: `SELECT event_id::text AS "eventId", 'quota ' || quota || ' counts ' || coalesce(counter.taken, 0)
        || ' tickets; its holds and sales are of ' || coalesce(used.tickets, 0) AS what
      FROM (SELECT event_id, quota, taken FROM inventory.row_quota JOIN current USING (event_id) WHERE taken > 0) AS counter
      FULL JOIN (
        WITH layout AS (SELECT current.event_id, sold_by.layout FROM current JOIN inventory.layout AS sold_by
            ON sold_by.event_id = current.event_id AND sold_by.version = current.layout
            WHERE json_array_length(sold_by.layout -> 'quotas') > 0),
          of_tier AS (SELECT event_id, quota.ordinality - 1 AS quota, tier.value::int AS tier FROM layout,
            json_array_elements(layout.layout -> 'quotas') WITH ORDINALITY AS quota,
            json_array_elements_text(quota.value -> 'tiers') AS tier),
          of_area AS (SELECT event_id, quota.ordinality - 1 AS quota, area.value::int AS area FROM layout,
            json_array_elements(layout.layout -> 'quotas') WITH ORDINALITY AS quota,
            json_array_elements_text(quota.value -> 'areas') AS area),
          seat AS (SELECT event_id, (seat.value ->> 'tier')::int AS tier,
            row_number() OVER (PARTITION BY event_id ORDER BY row.ordinality, seat.ordinality) - 1 AS seat
            FROM layout, json_array_elements(layout.layout -> 'rows') WITH ORDINALITY AS row,
              json_array_elements(row.value -> 'seats') WITH ORDINALITY AS seat),
          area AS (SELECT event_id, area.ordinality - 1 AS area, (area.value ->> 'tier')::int AS tier
            FROM layout, json_array_elements(layout.layout -> 'areas') WITH ORDINALITY AS area),
          claimed AS (
            SELECT event_id, unnest(seats) AS seat FROM inventory.row_hold
            UNION ALL SELECT event_id, seat FROM inventory.row_seat WHERE order_id IS NOT NULL),
          places AS (
            SELECT event_id, unnest(areas) AS area, unnest(quantities) AS quantity FROM inventory.row_hold
            UNION ALL SELECT event_id, area, quantity FROM inventory.row_area_sale)
        SELECT event_id, quota, sum(tickets) AS tickets FROM (
          SELECT event_id, quota, count(*) AS tickets FROM claimed JOIN seat USING (event_id, seat)
            JOIN of_tier USING (event_id, tier) GROUP BY event_id, quota
          UNION ALL
          SELECT event_id, quota, sum(quantity) FROM places JOIN area USING (event_id, area)
            JOIN (SELECT of_area.event_id, quota, area FROM of_area
              UNION SELECT event_id, quota, area FROM area JOIN of_tier USING (event_id, tier)) AS draws
            USING (event_id, area) GROUP BY event_id, quota
        ) AS each GROUP BY event_id, quota) AS used USING (event_id, quota)
      WHERE coalesce(counter.taken, 0) <> coalesce(used.tickets, 0)`
  },
  ...(["customer", "voucher"] as const).map((of) => ({
    invariant: "INV-08" as const,
    query: `SELECT event_id::text AS "eventId", '${of} ' || ${of} || ' counts ' || coalesce(counter.tickets, 0)
        || ' tickets; the holds and sales are of ' || coalesce(used.tickets, 0) AS what
      FROM (SELECT event_id, ${of}, tickets FROM inventory.row_${of} JOIN current USING (event_id)) AS counter
      FULL JOIN (SELECT event_id, ${of}, sum(tickets) AS tickets FROM (
          SELECT event_id, ${of}, cardinality(seats) + (SELECT coalesce(sum(place), 0) FROM unnest(quantities) AS place) AS tickets
            FROM inventory.row_hold
          UNION ALL SELECT event_id, ${of}, tickets FROM inventory.row_buyer) AS each JOIN current USING (event_id)
        WHERE ${of} IS NOT NULL GROUP BY event_id, ${of}) AS used USING (event_id, ${of})
      WHERE coalesce(counter.tickets, 0) <> coalesce(used.tickets, 0)`
  })),
  {
    // What a buyer counts, the tables of sales have of the order.
    invariant: "INV-08",
    query: `SELECT event_id::text AS "eventId", 'order ' || buyer.order_id || ' counts ' || buyer.tickets || ' tickets and has '
        || sold.tickets AS what
      FROM inventory.row_buyer AS buyer JOIN current USING (event_id) CROSS JOIN LATERAL (
        SELECT (SELECT count(*) FROM inventory.row_seat WHERE event_id = buyer.event_id AND order_id = buyer.order_id)
          + (SELECT coalesce(sum(quantity), 0) FROM inventory.row_area_sale
            WHERE event_id = buyer.event_id AND order_id = buyer.order_id) AS tickets) AS sold
      WHERE buyer.tickets > sold.tickets`
  }
]
