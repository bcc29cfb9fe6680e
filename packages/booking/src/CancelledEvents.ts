/**
 * Refunds every order of an event that was cancelled. What is left to do stands in a row of
 * `booking.cancelled_events`: whoever claims it asks a page of orders for their refunds and moves its cursor, so it
 * goes on after a crash where it was, on any runner, at the price of some orders that are asked twice and answer with
 * what they have. Each refund is the order's own work, which goes on by itself (see `OrderSupervisor`).
 *
 * Orders that were under way get tickets behind the cursor, or end without: so it goes round until none is left.
 */
import { Cause, Clock, DateTime, Duration, Effect, Layer, Metric, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { OrderEntity } from "@onsale/contracts/booking/OrderEntity"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { EventId, OrderId } from "@onsale/contracts/Ids"
import type { JournalRow } from "@onsale/platform/Journal"
import * as Journal from "@onsale/platform/Journal"
import * as Projection from "@onsale/platform/Projection"

export interface Options {
  /** Orders that are asked at a time; 64 when left out. */
  readonly page?: number | undefined
  /** Of them at work at the same time; 8 when left out, so that people can buy for other events meanwhile. */
  readonly concurrency?: number | undefined
  /** How often to look when there was nothing to do; 500 ms when left out. */
  readonly pollEvery?: Duration.Input | undefined
  /** Between two rounds over the orders of an event; 5 s when left out. */
  readonly roundEvery?: Duration.Input | undefined
}

/** How long a page may take before another runner believes that its runner is gone. */
const leaseMs = 120_000

const asked = Metric.counter("onsale_cancelled_event_refunds", {
  description:
    "Orders of cancelled events that were asked for their refund, by outcome (asked, done, failed)",
  incremental: true
})

const Claimed = Schema.Struct({
  eventId: EventId,
  reason: Schema.String,
  /** The order up to which this round has come; null at its beginning. */
  cursorAt: Schema.NullOr(Schema.String),
  cursorId: Schema.NullOr(OrderId)
})
type Claimed = typeof Claimed.Type
const decodeClaimed = Schema.decodeUnknownEffect(Schema.Array(Claimed))
const decodeOrders = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ id: OrderId, createdAt: Schema.String }))
)
const decodeLeft = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ left: Schema.Int })))

const now = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return sql`to_timestamp(${yield* Clock.currentTimeMillis}::float8 / 1000)`
})

const claim = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const at = yield* now
  return yield* sql`UPDATE booking.cancelled_events SET started_at = coalesce(started_at, ${at}),
      next_check_at = ${at} + ${leaseMs}::float8 * interval '1 millisecond'
    WHERE event_id = (SELECT event_id FROM booking.cancelled_events WHERE next_check_at <= ${at}
      ORDER BY next_check_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING event_id::text AS "eventId", reason, cursor_at::text AS "cursorAt", cursor_id::text AS "cursorId"`.pipe(
    Effect.flatMap(decodeClaimed)
  )
})

/** Orders of the event that have valid tickets, behind the cursor. */
const nextOrders = Effect.fnUntraced(function* ({ cursorAt, cursorId, eventId }: Claimed, limit: number) {
  const sql = yield* SqlClient.SqlClient
  const behind =
    cursorAt === null ? sql`` : sql`AND (o.created_at, o.id) > (${cursorAt}::timestamptz, ${cursorId}::uuid)`
  return yield* sql`SELECT o.id::text AS id, o.created_at::text AS "createdAt" FROM booking.orders o
    WHERE o.event_id = ${eventId}::uuid AND o.status IN ('confirmed', 'partially_refunded') ${behind}
      AND EXISTS (SELECT FROM booking.tickets t WHERE t.order_id = o.id AND t.status = 'valid')
    ORDER BY o.created_at, o.id LIMIT ${limit}::int`.pipe(Effect.flatMap(decodeOrders))
})

/** Orders of the event that are not through: with valid tickets, or with something that somebody is at. */
const countLeft = Effect.fnUntraced(function* (eventId: EventId) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql`SELECT count(*)::int AS left FROM booking.orders o
    WHERE o.event_id = ${eventId}::uuid AND (o.next_check_at IS NOT NULL
      OR EXISTS (SELECT FROM booking.tickets t WHERE t.order_id = o.id AND t.status = 'valid'))`.pipe(
    Effect.flatMap(decodeLeft)
  )
  return row?.left ?? 0
})

const makeRound = Effect.fnUntraced(function* (options: Options) {
  const sql = yield* SqlClient.SqlClient
  const orderFor = yield* OrderEntity.client
  const page = options.page ?? 64
  const concurrency = options.concurrency ?? 8
  const roundEveryMs = Duration.toMillis(Duration.fromInputUnsafe(options.roundEvery ?? "5 seconds"))

  const refund = (orderId: OrderId, reason: string) =>
    orderFor(orderId)
      .RequestRefund({
        // The same for ever: an order that was asked before answers with its refund.
        key: `cancelled:${orderId}`,
        fingerprint: "event_cancelled",
        tickets: null,
        reason,
        cause: "event_cancelled"
      })
      .pipe(
        Effect.as("asked"),
        // All of it was refunded in the meantime.
        Effect.catchTag("NotRefundable", () => Effect.succeed("done")),
        Effect.catchCause((cause) =>
          (Cause.hasDies(cause) ? Effect.logError : Effect.logWarning)(
            `order ${orderId} of a cancelled event could not be asked for its refund, it will be again`,
            cause
          ).pipe(Effect.as("failed"))
        ),
        Effect.tap((outcome) => Metric.update(Metric.withAttributes(asked, { outcome }), 1))
      )

  /** One page of one event; answers whether there was any. */
  return Effect.gen(function* () {
    const [claimed] = yield* claim
    if (claimed === undefined) return false
    const { eventId, reason } = claimed
    const orders = yield* nextOrders(claimed, page)
    yield* Effect.forEach(orders, ({ id }) => refund(id, reason), { concurrency, discard: true })
    const at = yield* now
    const last = orders[page - 1]
    if (last !== undefined) {
      yield* sql`UPDATE booking.cancelled_events SET cursor_at = ${last.createdAt}::timestamptz, cursor_id = ${last.id}::uuid,
        next_check_at = ${at} WHERE event_id = ${eventId}::uuid`
    } else if ((yield* countLeft(eventId)) === 0) {
      yield* sql`UPDATE booking.cancelled_events SET finished_at = ${at}, next_check_at = NULL
        WHERE event_id = ${eventId}::uuid AND finished_at IS NULL`
      yield* Effect.logInfo(`all orders of the cancelled event ${eventId} are refunded`)
    } else {
      yield* sql`UPDATE booking.cancelled_events SET cursor_at = NULL, cursor_id = NULL, rounds = rounds + 1,
        next_check_at = ${at} + ${roundEveryMs}::float8 * interval '1 millisecond'
        WHERE event_id = ${eventId}::uuid AND finished_at IS NULL`
    }
    return true
  }).pipe(Effect.withSpan("CancelledEvents.round"))
})

const worker = (options: Options) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const round = yield* makeRound(options)
      const pollEvery = options.pollEvery ?? Duration.millis(500)
      yield* round.pipe(
        Effect.flatMap((worked) => (worked ? Effect.void : Effect.sleep(pollEvery))),
        Effect.sandbox,
        Effect.tapError((cause) =>
          Effect.logError("refunding the orders of a cancelled event failed", cause)
        ),
        Effect.retry(
          Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("30 seconds")]).pipe(
            Schedule.jittered
          )
        ),
        Effect.forever,
        Effect.forkScoped
      )
    })
  )

/** Hears from the catalog which events are cancelled: their sale is closed by then. */
const news = Layer.unwrap(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return Projection.layer({
      schema: "booking",
      name: "cancelled-events",
      journal: yield* Journal.make({ schema: "catalog", event: CatalogEvent }),
      handle: Effect.fnUntraced(function* (rows: ReadonlyArray<JournalRow<CatalogEvent>>) {
        const at = yield* now
        for (const { atMs, events } of rows) {
          for (const event of events) {
            if (event._tag !== "EventCancelled") continue
            yield* sql`INSERT INTO booking.cancelled_events (event_id, reason, cancelled_at, next_check_at)
              VALUES (${event.eventId}::uuid, ${event.reason}::text, to_timestamp(${atMs}::float8 / 1000), ${at})
              ON CONFLICT DO NOTHING`
          }
        }
      })
    })
  })
)

/** Runs as long as the layer lives; any number of runners may. */
export const layer = (options: Options = {}) => Layer.merge(worker(options), news)

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
    oldestPendingAt: Instant
  })
)
const PaidBack = Schema.Array(Schema.Struct({ amount: Schema.Int, currency: Schema.String }))

/** How far the refunds of an event are; null where booking has not heard that it was cancelled. Amounts in minor units. */
export const progress = Effect.fn("CancelledEvents.progress")(function* (eventId: EventId) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql`SELECT c.reason, c.started_at AS "startedAt", c.finished_at AS "finishedAt", o.*
    FROM booking.cancelled_events c CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE has_tickets)::int AS total,
        count(*) FILTER (WHERE has_tickets AND status = 'refunded')::int AS refunded,
        count(*) FILTER (WHERE has_tickets AND status <> 'refunded' AND NOT has_valid)::int AS pending,
        count(*) FILTER (WHERE has_valid)::int AS waiting,
        count(*) FILTER (WHERE NOT has_tickets AND next_check_at IS NOT NULL)::int AS unfinished,
        min(updated_at) FILTER (WHERE has_tickets AND status <> 'refunded' AND NOT has_valid) AS "oldestPendingAt"
      FROM (
        SELECT o.status, o.next_check_at, o.updated_at, count(t.id) > 0 AS has_tickets,
          count(t.id) FILTER (WHERE t.status = 'valid') > 0 AS has_valid
        FROM booking.orders o LEFT JOIN booking.tickets t ON t.order_id = o.id
        WHERE o.event_id = c.event_id GROUP BY o.id
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
