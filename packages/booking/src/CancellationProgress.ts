/** How far the refunds of a cancelled event are, from the tables. */
import { Clock, DateTime, Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { EventId } from "@onsale/contracts/Ids"

/** A refund that is under way for longer has somebody's attention. */
const stuckAfterMs = 10 * 60_000

const iso = (at: Date): string => DateTime.formatIso(DateTime.fromDateUnsafe(at))
const Instant = Schema.NullOr(Schema.Date)

const ProgressRows = Schema.Array(
  Schema.Struct({
    reason: Schema.String,
    startedAt: Instant,
    finishedAt: Instant,
    total: Schema.Int,
    refunded: Schema.Int,
    pending: Schema.Int,
    waiting: Schema.Int,
    unfinished: Schema.Int,
    stuck: Schema.Int,
    oldestPendingAt: Instant
  })
)
const PaidBack = Schema.Array(Schema.Struct({ amount: Schema.Int, currency: Schema.String }))

/** How far the refunds of an event are; null where booking has not heard that it was cancelled. Amounts in minor units. */
export const read = Effect.fn("CancellationProgress.read")(function* (eventId: EventId) {
  const sql = yield* SqlClient.SqlClient
  const nowMs = yield* Clock.currentTimeMillis
  const [row] = yield* sql`SELECT c.reason, c.started_at AS "startedAt", c.finished_at AS "finishedAt", o.*
    FROM booking.cancelled_events c CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE has_tickets)::int AS total,
        count(*) FILTER (WHERE has_tickets AND status = 'refunded')::int AS refunded,
        count(*) FILTER (WHERE has_tickets AND status <> 'refunded' AND NOT has_valid)::int AS pending,
        count(*) FILTER (WHERE has_valid)::int AS waiting,
        count(*) FILTER (WHERE NOT has_tickets AND next_check_at IS NOT NULL)::int AS unfinished,
        count(*) FILTER (WHERE has_tickets AND status <> 'refunded' AND NOT has_valid
          AND updated_at < to_timestamp(${nowMs - stuckAfterMs}::float8 / 1000))::int AS stuck,
        min(updated_at) FILTER (WHERE has_tickets AND status <> 'refunded' AND NOT has_valid) AS "oldestPendingAt"
      FROM (
        SELECT o.status, o.next_check_at, o.updated_at, count(t.id) > 0 AS has_tickets,
          count(t.id) FILTER (WHERE t.status = 'valid') > 0 AS has_valid
        FROM booking.orders o LEFT JOIN booking.tickets t ON t.order_id = o.id
        -- Who gave everything back before has nothing to do with it.
        WHERE o.event_id = c.event_id AND NOT (o.status = 'refunded' AND o.updated_at < c.cancelled_at)
        GROUP BY o.id
      ) AS each
    ) AS o
    WHERE c.event_id = ${eventId}::uuid`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(ProgressRows)))
  if (row === undefined) return null
  const paidBack = yield* sql`SELECT sum(refunded_amount)::float8 AS amount, currency FROM booking.orders
    WHERE event_id = ${eventId}::uuid AND refunded_amount > 0 GROUP BY currency ORDER BY currency`.pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(PaidBack))
  )
  const { finishedAt, oldestPendingAt, reason, startedAt, ...orders } = row
  return {
    reason,
    startedAt: startedAt === null ? null : iso(startedAt),
    finishedAt: finishedAt === null ? null : iso(finishedAt),
    orders,
    refunded: paidBack,
    oldestPendingAt: oldestPendingAt === null ? null : iso(oldestPendingAt)
  }
}, Effect.orDie)
