/**
 * Refunds every order of an event that was cancelled: a row an event in `booking.cancelled_events`, and a fiber
 * that goes through its orders page by page, in the order in which they were placed.
 *
 * The catalog tells of a cancellation when the event's sale is closed, so nothing is sold after it; but orders may
 * be under way that were sold before. So it goes round, again and again, until no order of the event is unfinished
 * and no ticket valid. Then, and not before, it is finished.
 *
 * All that is known is in the row, and a refund is asked for under a key that is made of the event and the order:
 * whoever goes on after a crash, or works on the same page at the same time, asks for no refund twice. An order
 * that cannot be refunded now stops nobody: the next round comes by again. A refund that was asked for is the
 * order's own business, which sees to it as to every other (`OrderSupervisor`).
 */
import { Cause, Clock, Config, Duration, Effect, Layer, Metric, Option, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { CatalogEvent, rowsAtATime } from "@onsale/contracts/catalog/CatalogEvent"
import { OrderEntity } from "@onsale/contracts/booking/OrderEntity"
import { EventId, OrderId } from "@onsale/contracts/Ids"
import * as Journal from "@onsale/platform/Journal"
import * as Projection from "@onsale/platform/Projection"

/** Orders of a page; after a crash so many are asked again at the most. */
const pageSize = 128
/** Refunds of a page at the same time. Buyers and the orders' supervisor need the runner too. */
const concurrency = 8
/**
 * How long one order may hold its page up. It was asked by then: its tickets are valid no more, and what its provider
 * takes so long for is the order's own business.
 */
const refundLimit = Duration.seconds(3)
/** How long the page of a process that died waits for the next one, where that is not this one. */
const leaseMs = 60_000
/** Between two rounds, and where most of a page could not be paid back at once: it doubles, up to the last. */
const firstPauseMs = 1_000
const lastPauseMs = 30_000

const asked = Metric.counter("onsale_cancelled_event_refunds", {
  description:
    "Orders of cancelled events whose refund was asked for, by outcome (refunded, pending, failed)",
  incremental: true
})

type Outcome = "refunded" | "pending" | "failed"

const Claimed = Schema.Struct({
  eventId: EventId,
  reason: Schema.String,
  /** The end of the last page, as Postgres writes its time; null at the beginning of a round. */
  afterCreated: Schema.NullOr(Schema.String),
  afterId: Schema.NullOr(OrderId),
  rounds: Schema.Int
})
type Claimed = typeof Claimed.Type

const Page = Schema.Array(Schema.Struct({ id: OrderId, createdAt: Schema.String }))

/** Where nothing is due, look again after that. */
const settings = Config.all({
  pollEvery: Config.Duration("ONSALE_BOOKING_CANCELLED_EVERY").pipe(Config.withDefault(Duration.seconds(1)))
})

const pauseMs = (times: number): number => Math.min(lastPauseMs, firstPauseMs * 2 ** Math.min(times, 10))

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const orderFor = yield* OrderEntity.client

  const instant = (ms: number) => sql`to_timestamp(${ms}::float8 / 1000)`

  /** An event that is due, the longest due first; nobody else takes it for a while. */
  const claim = Effect.gen(function* () {
    const nowMs = yield* Clock.currentTimeMillis
    const rows = yield* sql`UPDATE booking.cancelled_events SET
        next_check_at = ${instant(nowMs + leaseMs)}, started_at = coalesce(started_at, ${instant(nowMs)})
      WHERE event_id = (
        SELECT event_id FROM booking.cancelled_events WHERE next_check_at <= ${instant(nowMs)}
        ORDER BY next_check_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING event_id::text AS "eventId", reason, cursor_created_at::text AS "afterCreated",
        cursor_order_id::text AS "afterId", rounds`
    return (yield* Schema.decodeUnknownEffect(Schema.Array(Claimed))(rows))[0]
  })

  const nextPage = Effect.fnUntraced(function* ({ afterCreated, afterId, eventId }: Claimed) {
    const behind =
      afterId === null
        ? sql.literal("true")
        : sql`(created_at, id) > (${afterCreated}::text::timestamptz, ${afterId}::uuid)`
    // Whose tickets are all refunded has nothing to be asked for: its money is on the way, or back.
    const rows = yield* sql`SELECT id::text AS id, created_at::text AS "createdAt" FROM booking.orders
      WHERE event_id = ${eventId}::uuid AND ${behind}
        AND EXISTS (SELECT FROM booking.tickets WHERE order_id = orders.id AND status = 'valid')
      ORDER BY created_at, id LIMIT ${pageSize}::int`
    return yield* Schema.decodeUnknownEffect(Page)(rows)
  })

  const refund = ({ eventId, reason }: Claimed, orderId: OrderId): Effect.Effect<Outcome> =>
    orderFor(orderId)
      .RequestRefund({
        // Of an operation of its own: no buyer can have used it.
        key: `${eventId}:${orderId}`,
        fingerprint: "event_cancelled",
        tickets: null,
        reason,
        cause: "event_cancelled"
      })
      .pipe(
        Effect.map(
          ({ refunds }): Outcome =>
            refunds.every(({ status }) => status === "succeeded") ? "refunded" : "pending"
        ),
        // It names the tickets that stand in the way: there are none of an order whose tickets are all refunded.
        Effect.catchTag("NotRefundable", (error) =>
          error.tickets.length === 0 ? Effect.succeed<Outcome>("refunded") : Effect.fail(error)
        ),
        Effect.timeoutOption(refundLimit),
        Effect.map(Option.getOrElse((): Outcome => "pending")),
        Effect.catchCause((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.interrupt
            : Effect.as(
                Effect.logWarning(
                  `order ${orderId} of the cancelled event ${eventId} is not refunded yet`,
                  cause
                ),
                "failed" as const
              )
        ),
        Effect.tap((outcome) => Metric.update(Metric.withAttributes(asked, { outcome }), 1))
      )

  /** Moves an event on, unless somebody else has done so since it was claimed. */
  const move = (
    { afterCreated, afterId, eventId, rounds }: Claimed,
    to: Claimed,
    counts: { readonly requested: number; readonly failed: number },
    dueMs: number
  ) => sql`UPDATE booking.cancelled_events SET
      cursor_created_at = ${to.afterCreated}::text::timestamptz, cursor_order_id = ${to.afterId}::uuid,
      requested = requested + ${counts.requested}::int,
      failed = CASE WHEN ${to.rounds}::int > rounds THEN 0 ELSE failed + ${counts.failed}::int END,
      rounds = ${to.rounds}::int, next_check_at = ${instant(dueMs)}
    WHERE event_id = ${eventId}::uuid AND rounds = ${rounds}::int AND finished_at IS NULL
      AND cursor_created_at IS NOT DISTINCT FROM ${afterCreated}::text::timestamptz
      AND cursor_order_id IS NOT DISTINCT FROM ${afterId}::uuid`

  /** True once nothing of the event is owed to anybody. */
  const finish = Effect.fnUntraced(function* ({ eventId }: Claimed) {
    const nowMs = yield* Clock.currentTimeMillis
    // One statement, one snapshot. An order that is unfinished may get tickets yet; one that is not, never will.
    const rows = yield* sql`UPDATE booking.cancelled_events
      SET finished_at = ${instant(nowMs)}, next_check_at = NULL, cursor_created_at = NULL, cursor_order_id = NULL
      WHERE event_id = ${eventId}::uuid AND finished_at IS NULL
        AND NOT EXISTS (SELECT FROM booking.tickets WHERE event_id = ${eventId}::uuid AND status = 'valid')
        AND NOT EXISTS (SELECT FROM booking.orders WHERE event_id = ${eventId}::uuid AND next_check_at IS NOT NULL)
      RETURNING requested`
    if (rows.length > 0) yield* Effect.logInfo(`all orders of the cancelled event ${eventId} are refunded`)
    return rows.length > 0
  })

  const work = Effect.fn("CancelledEvents.work")(function* (event: Claimed) {
    const page = yield* nextPage(event)
    const outcomes = yield* Effect.forEach(page, ({ id }) => refund(event, id), { concurrency })
    const failed = outcomes.filter((outcome) => outcome === "failed").length
    const pending = outcomes.filter((outcome) => outcome === "pending").length
    const counts = { failed, requested: page.length - failed }
    const last = page[pageSize - 1]
    const nowMs = yield* Clock.currentTimeMillis
    if (last !== undefined) {
      const slow = (failed + pending) * 2 > page.length
      const to = { ...event, afterCreated: last.createdAt, afterId: last.id }
      return yield* move(event, to, counts, slow ? nowMs + pauseMs(3) : nowMs)
    }
    // Of what failed or is under way the next round will know.
    const to = { ...event, afterCreated: null, afterId: null, rounds: event.rounds + 1 }
    yield* move(event, to, counts, nowMs + pauseMs(event.rounds))
    yield* finish(event)
  })

  /** Works on one page of one event, and answers whether there was one. */
  const step = Effect.gen(function* () {
    const event = yield* claim
    if (event === undefined) return false
    yield* work(event)
    return true
  })

  // Whatever the last process left is not made to wait. Where another one is at it, both do no harm.
  const makeAllDue = Effect.gen(function* () {
    const now = instant(yield* Clock.currentTimeMillis)
    yield* sql`UPDATE booking.cancelled_events SET next_check_at = ${now} WHERE next_check_at > ${now}`
  })

  return { makeAllDue, step }
})

const supervise = Effect.gen(function* () {
  const { pollEvery } = yield* settings
  const { makeAllDue, step } = yield* make
  const forever = Effect.andThen(
    makeAllDue,
    Effect.forever(Effect.flatMap(step, (worked) => (worked ? Effect.void : Effect.sleep(pollEvery))))
  )
  yield* Effect.forkScoped(
    forever.pipe(
      Effect.sandbox,
      Effect.tapError((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.void
          : Effect.logError("refunding the orders of cancelled events failed", cause)
      ),
      Effect.retry(
        Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")]).pipe(
          Schedule.jittered
        )
      )
    )
  )
})

/** Whatever the catalog says to be cancelled becomes a row, once. */
const cancellations = Layer.unwrap(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return Projection.layer({
      schema: "booking",
      name: "cancelled-events",
      journal: yield* Journal.make({ schema: "catalog", event: CatalogEvent }),
      batch: rowsAtATime,
      handle: Effect.fnUntraced(function* (rows: ReadonlyArray<Journal.JournalRow<CatalogEvent>>) {
        for (const { atMs, events } of rows) {
          for (const event of events) {
            if (event._tag !== "EventCancelled") continue
            const at = sql`to_timestamp(${atMs}::float8 / 1000)`
            yield* sql`INSERT INTO booking.cancelled_events (event_id, reason, cancelled_at, next_check_at)
              VALUES (${event.eventId}::uuid, ${event.reason}::text, ${at}, ${at}) ON CONFLICT DO NOTHING`
          }
        }
      })
    })
  })
)

/** `ONSALE_BOOKING_CANCELLED_EVERY` (1 second): how long a cancelled event may wait to be noticed. */
export const layer = Layer.merge(Layer.effectDiscard(supervise), cancellations)
