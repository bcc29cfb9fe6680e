/**
 * Checks what booking promises from its own tables, read-only, on a live database. What needs the payments'
 * or the inventory's tables too is checked by the audit as a whole.
 */
import { Clock, Effect, Schema } from "effect"
import { SqlClient, type Statement } from "effect/sql"

export interface Finding {
  /** The id of the invariant. */
  readonly invariant: string
  readonly ok: boolean
  readonly detail: string
}

/** An order whose time to pay is over should be ended within seconds; minutes are for a provider that is down. */
const graceMs = 10 * 60_000

/** A hall of 20,000 orders is refunded in minutes. */
const refundGraceMs = 60 * 60_000

const Breaches = Schema.Array(Schema.Struct({ what: Schema.String }))
/** Shown of each check. */
const maxExamples = 5

/** One finding a check, in the order of the invariants. */
export const run: Effect.Effect<ReadonlyArray<Finding>, never, SqlClient.SqlClient> = Effect.gen(
  function* () {
    const sql = yield* SqlClient.SqlClient
    const nowMs = yield* Clock.currentTimeMillis

    const checks: ReadonlyArray<readonly [invariant: string, promise: string, breaches: Statement.Fragment]> =
      [
        [
          "INV-04",
          "a hold is bought by one order",
          sql`SELECT 'hold ' || hold_id || ' by ' || count(*) || ' orders' AS what FROM booking.orders
        WHERE status NOT IN ('declined', 'cancelled') GROUP BY hold_id HAVING count(*) > 1`
        ],
        [
          "INV-04",
          "an intent pays for one order",
          sql`SELECT 'intent ' || intent_id || ' for ' || count(*) || ' orders' AS what FROM booking.orders
        GROUP BY intent_id HAVING count(*) > 1`
        ],
        [
          "INV-05",
          "a paid order has all its tickets",
          sql`SELECT 'order ' || o.id || ' has ' || count(t.id) || ' of ' || o.tickets || ' tickets' AS what
        FROM booking.orders o LEFT JOIN booking.tickets t ON t.order_id = o.id
        WHERE o.status IN ('confirmed', 'partially_refunded', 'refunded') GROUP BY o.id HAVING count(t.id) <> o.tickets`
        ],
        [
          "INV-05",
          "valid tickets and refunds add up to what was paid",
          sql`SELECT 'order ' || o.id || ': ' || coalesce(sum(t.price) FILTER (WHERE t.status = 'valid'), 0) || ' valid and '
          || o.refunded_amount || ' refunded and ' || o.kept_amount || ' kept of ' || o.total_amount AS what
        FROM booking.orders o LEFT JOIN booking.tickets t ON t.order_id = o.id
        WHERE o.status IN ('confirmed', 'partially_refunded', 'refunded') GROUP BY o.id
        HAVING coalesce(sum(t.price) FILTER (WHERE t.status = 'valid'), 0) + o.refunded_amount + o.kept_amount <> o.total_amount`
        ],
        [
          "INV-05",
          "an order comes to an end soon after its time to pay",
          sql`SELECT 'order ' || id || ' is ' || stage || ', checked ' || checks || ' times' AS what FROM booking.orders
        WHERE next_check_at IS NOT NULL
          AND greatest(pay_until, updated_at) < to_timestamp(${nowMs - graceMs}::float8 / 1000)`
        ],
        [
          "INV-05",
          "an order that is not finished will be looked at",
          sql`SELECT 'order ' || id || ' is ' || stage AS what FROM booking.orders
        WHERE next_check_at IS NULL AND stage NOT IN ('confirmed', 'declined', 'cancelled')`
        ],
        [
          "INV-05",
          "the orders are those of the journal",
          sql`SELECT 'order ' || coalesce(o.id, j.stream) || ' is at ' || coalesce(o.version, 0) || ', its journal at '
          || coalesce(j.version, 0) AS what
        FROM booking.orders o
        FULL JOIN (SELECT stream, max(version) AS version FROM booking.journal GROUP BY stream) j ON j.stream = o.id
        WHERE o.version IS DISTINCT FROM j.version`
        ],
        [
          "INV-05",
          "a cancelled event has no valid tickets once its refunds are through, or should be",
          sql`SELECT 'ticket ' || t.id || ' of order ' || t.order_id || ' for event ' || t.event_id AS what
        FROM booking.cancelled_events c JOIN booking.tickets t ON t.event_id = c.event_id
        WHERE t.status = 'valid' AND (c.finished_at IS NOT NULL
          OR c.cancelled_at < to_timestamp(${nowMs - refundGraceMs}::float8 / 1000))`
        ],
        [
          "INV-06",
          "a ticket is of a paid order, and of its event",
          sql`SELECT 'ticket ' || t.id || ' of order ' || t.order_id || ', which is ' || coalesce(o.status, 'unknown') AS what
        FROM booking.tickets t LEFT JOIN booking.orders o ON o.id = t.order_id
        WHERE o.status IS NULL OR o.status NOT IN ('confirmed', 'partially_refunded', 'refunded')
          OR o.event_id <> t.event_id`
        ],
        [
          "INV-06",
          "a seat has at most one valid ticket",
          sql`SELECT 'seat ' || seat || ' of event ' || event_id || ' has ' || count(*) || ' valid tickets' AS what
        FROM booking.tickets WHERE status = 'valid' AND seat IS NOT NULL GROUP BY event_id, seat HAVING count(*) > 1`
        ],
        [
          "INV-06",
          "what the door has seen of a ticket is of its order and event",
          sql`SELECT 'scan ' || s.scan_id || ' of ticket ' || s.ticket_id AS what
        FROM (SELECT ticket_id, order_id, event_id, scan_id FROM booking.check_ins
          UNION ALL SELECT ticket_id, order_id, event_id, scan_id FROM booking.scan_conflicts) s
        LEFT JOIN booking.tickets t ON t.id = s.ticket_id
        WHERE t.id IS NULL OR t.order_id <> s.order_id OR t.event_id <> s.event_id`
        ],
        [
          "INV-06",
          "a ticket is used once: each check-in in the journal takes over from the one before",
          sql`SELECT 'ticket ' || ticket_id || ' of order ' || stream || ' is used by scan ' || coalesce(scan_id, 'none')
          || ' and by scan ' || coalesce(counted, 'none') AS what
        FROM (SELECT a.stream, a.ticket_id, a.scan_id, c.scan_id AS counted, a.replaces,
            lag(a.scan_id) OVER (PARTITION BY a.ticket_id ORDER BY a.version, a.place) AS before,
            lead(a.scan_id) OVER (PARTITION BY a.ticket_id ORDER BY a.version, a.place) AS after
          FROM (SELECT j.stream, j.version, e.place, (e.value ->> 'ticketId')::uuid AS ticket_id,
              e.value ->> 'scanId' AS scan_id, e.value ->> 'replaces' AS replaces
            FROM booking.journal j CROSS JOIN LATERAL json_array_elements(j.events) WITH ORDINALITY AS e (value, place)
            WHERE e.value ->> '_tag' = 'TicketAdmitted') a
          FULL JOIN booking.check_ins c ON c.ticket_id = a.ticket_id) chain
        WHERE before IS DISTINCT FROM replaces OR (after IS NULL AND scan_id IS DISTINCT FROM counted)`
        ],
        [
          "INV-06",
          "a ticket is not used after its refund",
          sql`SELECT 'ticket ' || t.id || ' refunded before its check-in at ' || c.gate AS what
        FROM booking.check_ins c JOIN booking.tickets t ON t.id = c.ticket_id
        WHERE t.status = 'refunded' AND c.scanned_at >= t.updated_at`
        ],
        [
          "INV-07",
          "an order is known by one idempotency key",
          sql`SELECT 'order ' || o.id || ' by ' || count(i.key) || ' keys' AS what
        FROM booking.orders o LEFT JOIN booking.idempotency i ON i.order_id = o.id AND i.operation = 'place'
        GROUP BY o.id HAVING count(i.key) <> 1`
        ],
        [
          "INV-07",
          "an idempotency key belongs to an order",
          sql`SELECT i.operation || ' key of order ' || i.order_id AS what
        FROM booking.idempotency i LEFT JOIN booking.orders o ON o.id = i.order_id WHERE o.id IS NULL`
        ]
      ]

    return yield* Effect.forEach(checks, ([invariant, promise, breaches]) =>
      sql`SELECT what FROM (${breaches}) AS breach LIMIT ${maxExamples + 1}::int`.pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(Breaches)),
        Effect.map((found): Finding => {
          const shown = found.slice(0, maxExamples).map(({ what }) => what)
          const more = found.length > maxExamples ? "; and more" : ""
          return {
            invariant,
            ok: found.length === 0,
            detail: found.length === 0 ? promise : `${promise}, but ${shown.join("; ")}${more}`
          }
        })
      )
    )
  }
).pipe(Effect.orDie, Effect.withSpan("BookingAudit.run"))
