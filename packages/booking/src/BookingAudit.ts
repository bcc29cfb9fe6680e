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
