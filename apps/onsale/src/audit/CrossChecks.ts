/**
 * What no context can check alone, because it needs the tables of several: sales and tickets, orders
 * and payments. An operator's tool may read them all; nothing else does.
 *
 * Each check is one statement over whole tables. The contexts commit one after another, never together,
 * always in the same order (sale before ticket, capture before ticket, ticket refunded before the sale
 * and the money go back), so what one snapshot shows in another order than that is a breach, and what
 * is merely unfinished is told by the order that drives it.
 */
import { SqlClient, type Statement } from "effect/sql"
import { Effect, Schema } from "effect"
import { maxShown } from "./Found.ts"

/** A step of a checkout takes milliseconds; a supervisor looks at what a crash left within seconds. */
export const graceMs = 60_000

/** Commands are remembered for 15 minutes, or the last 131,072 of an event: well within both, a repeat is known. */
const repeatWindowMs = 10 * 60_000
const repeatWindowCount = 100_000

/** What a check selects. */
const Row = Schema.Struct({
  invariant: Schema.Literals(["INV-01", "INV-04", "INV-05", "INV-06", "INV-07", "INV-08", "INV-09"]),
  kind: Schema.Literals(["breach", "in progress"]),
  what: Schema.String,
  total: Schema.Int
})
const decode = Schema.decodeUnknownEffect(Schema.Array(Row))
type Row = typeof Row.Type

const checks = (sql: SqlClient.SqlClient, nowMs: number): ReadonlyArray<Statement.Fragment> => {
  const since = (ms: number) => sql`to_timestamp(${nowMs - ms}::float8 / 1000)`
  // Somebody is at it, or has just been.
  const unfinished = sql`(coalesce(o.next_check_at > ${since(graceMs)}, false) OR o.updated_at > ${since(graceMs)})`
  const kind = sql`CASE WHEN ${unfinished} THEN 'in progress' ELSE 'breach' END`
  const paid = sql`('confirmed', 'partially_refunded', 'refunded')`

  return [
    // A sale stands for a valid ticket, or for an order that will have one or give the seat back.
    sql`SELECT 'INV-01' AS invariant,
        CASE WHEN o.id IS NULL OR o.event_id <> s.event_id THEN 'breach' ELSE ${kind} END AS kind,
        'seat ' || s.seat || ' of event ' || s.event_id || ' is sold to order ' || s.order_id || ', which is '
          || coalesce(CASE WHEN o.event_id <> s.event_id THEN 'of another event' ELSE o.status END, 'unknown')
          || ' and has no valid ticket for it' AS what
      FROM inventory.sale s
      LEFT JOIN booking.orders o ON o.id = s.order_id
      LEFT JOIN booking.tickets t ON t.order_id = s.order_id AND t.event_id = s.event_id AND t.seat = s.seat AND t.status = 'valid'
      WHERE t.id IS NULL`,

    // And a ticket for a sale.
    sql`SELECT 'INV-06' AS invariant, 'breach' AS kind,
        'ticket ' || t.id || ' of order ' || t.order_id || ' is valid for seat ' || t.seat || ' of event ' || t.event_id
          || ', which is ' || coalesce('sold to order ' || s.order_id, 'not sold') AS what
      FROM booking.tickets t
      LEFT JOIN inventory.sale s ON s.event_id = t.event_id AND s.seat = t.seat
      WHERE t.status = 'valid' AND t.seat IS NOT NULL AND s.order_id IS DISTINCT FROM t.order_id`,

    // The same of places of areas, whose sales are in the journal alone.
    sql`SELECT CASE WHEN sold.places > coalesce(t.places, 0) THEN 'INV-01' ELSE 'INV-06' END AS invariant,
        CASE WHEN o.id IS NOT NULL AND sold.places > coalesce(t.places, 0) THEN ${kind} ELSE 'breach' END AS kind,
        'order ' || coalesce(sold.order_id, t.order_id) || ' (' || coalesce(o.status, 'unknown') || ') has '
          || coalesce(sold.places, 0) || ' places of area ' || coalesce(sold.area, t.area) || ' of event '
          || coalesce(sold.event_id, t.event_id) || ' and ' || coalesce(t.places, 0) || ' valid tickets for it' AS what
      FROM (
        SELECT j.stream AS event_id, (e.value->>'order')::uuid AS order_id, (a.value->>'area')::int AS area,
          sum(CASE e.value->>'_tag' WHEN 'Sold' THEN 1 ELSE -1 END * (a.value->>'quantity')::int) AS places
        FROM inventory.journal j CROSS JOIN LATERAL json_array_elements(j.events) e
          CROSS JOIN LATERAL json_array_elements(e.value->'areas') a
        WHERE e.value->>'_tag' IN ('Sold', 'Returned') AND j.events::text LIKE '%"quantity"%'
        GROUP BY 1, 2, 3
      ) AS sold
      FULL JOIN (
        SELECT event_id, order_id, area, count(*) AS places FROM booking.tickets
        WHERE status = 'valid' AND area IS NOT NULL GROUP BY 1, 2, 3
      ) AS t USING (event_id, order_id, area)
      LEFT JOIN booking.orders o ON o.id = order_id
      WHERE coalesce(sold.places, 0) <> coalesce(t.places, 0)`,

    sql`SELECT 'INV-04' AS invariant, 'breach' AS kind,
        'order ' || o.id || ' is over ' || o.total_amount || ' ' || o.currency || ', its payment ' || i.id || ' over '
          || i.amount || ' ' || i.currency || ' for order ' || i.order_id AS what
      FROM booking.orders o JOIN (
        SELECT o.id AS for_order, i.* FROM booking.orders o JOIN payments.intents i ON i.id = o.intent_id
        UNION SELECT order_id, i.* FROM payments.intents i
      ) AS i ON i.for_order = o.id
      WHERE (i.id, i.order_id, i.amount, i.currency) IS DISTINCT FROM (o.intent_id, o.id, o.total_amount, o.currency)`,

    // What is left of the money that was captured is what the valid tickets cost, and what was kept of the others.
    sql`SELECT CASE WHEN held > backed THEN 'INV-05' ELSE 'INV-06' END AS invariant,
        CASE WHEN held > backed AND order_id IS NOT NULL AND is_unfinished THEN 'in progress' ELSE 'breach' END AS kind,
        CASE WHEN order_id IS NULL THEN 'payment ' || intent_id || ' has ' || held || ' captured for an order that is unknown'
          WHEN held > backed THEN 'order ' || order_id || ' (' || status || ') has ' || held || ' captured and valid tickets for '
            || backed || ', without a refund of the rest'
          ELSE 'order ' || order_id || ' (' || status || ') has valid tickets for ' || backed || ' and ' || held || ' captured'
        END AS what
      FROM (
        SELECT o.id AS order_id, i.id AS intent_id, o.status, coalesce(i.captured - i.refunded, 0) AS held,
          coalesce(t.price, 0) + coalesce(o.kept_amount, 0) AS backed, ${unfinished} OR coalesce(i.updated_at > ${since(graceMs)}, false) AS is_unfinished
        FROM booking.orders o FULL JOIN payments.intents i ON i.id = o.intent_id
        LEFT JOIN (SELECT order_id, sum(price) AS price FROM booking.tickets WHERE status = 'valid' GROUP BY order_id) t
          ON t.order_id = o.id
      ) AS books
      WHERE held <> backed`,

    // A confirmed order has the payment it was confirmed for, even where it is a payment of nothing.
    sql`SELECT 'INV-06' AS invariant, 'breach' AS kind,
        'order ' || o.id || ' is ' || o.status || ' and its payment ' || o.intent_id || ' is '
          || coalesce(i.status, 'unknown') AS what
      FROM booking.orders o LEFT JOIN payments.intents i ON i.id = o.intent_id
      WHERE o.status IN ${paid} AND (i.id IS NULL OR i.status NOT IN ('captured', 'partially_refunded', 'refunded', 'disputed'))`,

    sql`SELECT 'INV-07' AS invariant, 'breach' AS kind,
        'the key of order ' || order_id || ' was answered with order ' || coalesce(answer->>'id', 'nothing') AS what
      FROM booking.idempotency WHERE answer IS NOT NULL AND answer->>'id' IS DISTINCT FROM order_id::text`,

    sql`SELECT 'INV-07' AS invariant, 'breach' AS kind,
        'event ' || stream || ' has carried out command ' || command || ' again at version ' || version AS what
      FROM (
        SELECT stream, version, at, command, n,
          lag(at) OVER same AS at_before, lag(n) OVER same AS n_before
        FROM (
          SELECT j.stream, j.version, j.at, e.value->>'cmd' AS command,
            row_number() OVER (PARTITION BY j.stream ORDER BY j.version, e.ordinality) AS n
          FROM inventory.journal j CROSS JOIN LATERAL json_array_elements(j.events) WITH ORDINALITY e
          WHERE e.value->>'cmd' IS NOT NULL
        ) AS commands
        WINDOW same AS (PARTITION BY stream, command ORDER BY n)
      ) AS repeats
      WHERE at_before > at - ${repeatWindowMs}::float8 * interval '1 millisecond' AND n - n_before < ${repeatWindowCount}::int`,

    sql`SELECT 'INV-08' AS invariant, 'breach' AS kind,
        'order ' || o.id || ' has ' || o.tickets || ' tickets of at most ' || l.most || ' for event ' || o.event_id AS what
      FROM booking.orders o JOIN (
        SELECT event_id, max((layout->>'maxPerOrder')::int) AS most FROM inventory.layout GROUP BY event_id
      ) AS l USING (event_id)
      WHERE o.tickets > l.most`,

    // What is followed by cursor is compared too: a follower may have seen a row and done nothing of it.
    sql`SELECT 'INV-09' AS invariant, 'breach' AS kind,
        'order ' || o.id || ' is ' || o.status || ' and the notifications know nothing of it' AS what
      FROM booking.orders o LEFT JOIN notifications.orders n ON n.order_id = o.id
      WHERE o.status IN ${paid} AND n.order_id IS NULL AND o.updated_at < ${since(graceMs)}
        AND EXISTS (SELECT 1 FROM booking.tickets t WHERE t.order_id = o.id AND t.created_at < ${since(graceMs)})`
  ]
}

/** What was found, at most 20 of a kind of each check; `total` says how many there are of that kind. */
export const run = Effect.fn("CrossChecks.run")(function* (nowMs: number) {
  const sql = yield* SqlClient.SqlClient
  const found: Array<{ readonly row: Row; readonly times: number }> = []
  for (const check of checks(sql, nowMs)) {
    const rows = yield* sql`SELECT invariant, kind, what, total::int AS total FROM (
        SELECT *, count(*) OVER (PARTITION BY invariant, kind) AS total,
          row_number() OVER (PARTITION BY invariant, kind ORDER BY what) AS n
        FROM (${check}) AS broken
      ) AS counted WHERE n <= ${maxShown}::int ORDER BY invariant, kind, n`.pipe(Effect.flatMap(decode))
    const shown = new Map<string, number>()
    for (const row of rows)
      shown.set(row.invariant + row.kind, (shown.get(row.invariant + row.kind) ?? 0) + 1)
    for (const row of rows) {
      // The first line stands for those that are not shown, too.
      const key = row.invariant + row.kind
      found.push({ row, times: 1 + (row.total - (shown.get(key) ?? row.total)) })
      shown.set(key, row.total)
    }
  }
  return found
})
