/**
 * Tells all buyers of an event, and whom they gave tickets to: a notice for each order with valid tickets and for each
 * address that has some of them, a few hundred orders in a transaction, from a
 * cursor that moves with them. A worker that dies is followed by one that goes on from there.
 */
import { EventId, OrderId } from "@onsale/contracts/Ids"
import { type HolderKey, Notice, noticeId } from "@onsale/contracts/notifications/Notice"
import * as JobWorker from "@onsale/platform/JobWorker"
import type * as Jobs from "@onsale/platform/Jobs"
import * as Tracing from "@onsale/platform/Tracing"
import { Duration, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { DeliveryOptions } from "./DeliveryWorker.ts"
import { lockChanges } from "./EventChange.ts"
import { FanOut, fanOutId, NoticeJobs } from "./NoticeJobs.ts"
import * as NoticeTimes from "./NoticeTimes.ts"
import * as TicketHolders from "./TicketHolders.ts"

/** Orders in a transaction: some milliseconds each time. */
const batch = 500

/** Two events at a time: the buyers of one do not wait for all of those of another. */
const concurrency = 2

/** Events in a look; the next one comes for the others. */
const maxEvents = 100

const Told = Schema.Array(Schema.Struct({ lastOrder: Schema.NullOr(Schema.String) }))
const Orders = Schema.Array(
  Schema.Struct({
    orderId: OrderId,
    valid: Schema.Boolean,
    buyer: Schema.String,
    /** Addresses that have valid tickets of it, whatever they are. */
    given: Schema.Array(Schema.String)
  })
)
const Soon = Schema.Array(Schema.Struct({ eventId: EventId, startsAt: Schema.String }))

const noticeOf = (fanOut: FanOut, orderId: OrderId, holder?: HolderKey): Notice => {
  const about = { orderId, eventId: fanOut.eventId, ...(holder === undefined ? {} : { holder }) }
  return fanOut._tag === "EventChanged"
    ? Notice.cases.EventChanged.make({ ...about, change: fanOut.change })
    : Notice.cases.EventReminder.make({ ...about, startsAt: fanOut.startsAt })
}

const noticesOf = (
  fanOut: FanOut,
  { buyer, given, orderId, valid }: (typeof Orders.Type)[number]
): ReadonlyArray<Notice> => {
  if (!valid) return []
  const others = given.filter((address) => !TicketHolders.isSameAddress(address, buyer))
  const keys = new Set(others.map((address) => TicketHolders.keyOf(orderId, address)))
  return [noticeOf(fanOut, orderId), ...Array.from(keys, (key) => noticeOf(fanOut, orderId, key))]
}

export const layer = (options: DeliveryOptions) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { fanOuts, notices } = yield* NoticeJobs
      const { remindBefore } = yield* NoticeTimes.config
      const beforeMs = Duration.toMillis(remindBefore)

      /** Who ordered later knows it already; an order that is not on record yet is told when it is (`BookingNotices`). */
      const boughtBefore = (fanOut: FanOut) =>
        fanOut._tag === "EventChanged"
          ? sql`placed_at < (SELECT at FROM notifications.event_changes
              WHERE event_id = ${fanOut.eventId}::uuid AND change = ${fanOut.change}::int)`
          : sql`confirmed_at < ${fanOut.startsAt}::timestamptz - ${beforeMs}::float8 * interval '1 millisecond'`

      /** The next orders; true where there may be more. */
      const step = (fanOut: FanOut, correlation: string | null) =>
        sql.withTransaction(
          Effect.gen(function* () {
            const id = fanOutId(fanOut)
            yield* sql`INSERT INTO notifications.fan_outs (id) VALUES (${id}::text) ON CONFLICT DO NOTHING`
            const [state] = yield* sql`SELECT last_order::text AS "lastOrder" FROM notifications.fan_outs
              WHERE id = ${id}::text FOR UPDATE`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(Told)))
            const orders = yield* sql`SELECT order_id::text AS "orderId",
                EXISTS (SELECT 1 FROM json_array_elements(tickets) t WHERE t.value ->> 'status' = 'valid') AS valid,
                customer ->> 'email' AS buyer,
                ARRAY(SELECT DISTINCT t.value -> 'holder' ->> 'email' FROM json_array_elements(tickets) t
                  WHERE t.value ->> 'status' = 'valid' AND t.value -> 'holder' ->> 'email' IS NOT NULL) AS given
              FROM notifications.orders
              WHERE event_id = ${fanOut.eventId}::uuid AND order_id > coalesce(${state?.lastOrder ?? null}::uuid,
                  '00000000-0000-0000-0000-000000000000'::uuid)
                AND ${boughtBefore(fanOut)}
              ORDER BY order_id LIMIT ${batch}::int`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(Orders)))
            const last = orders[orders.length - 1]
            if (last === undefined) return false
            const told = orders.flatMap((order) => noticesOf(fanOut, order))
            yield* notices.offerAll(
              told.map((notice) => ({ id: noticeId(notice), payload: notice, correlation }))
            )
            yield* sql`UPDATE notifications.fan_outs SET last_order = ${last.orderId}::uuid,
              told = told + ${told.length}::int WHERE id = ${id}::text`
            return orders.length === batch
          })
        )

      const handle = Effect.fn("FanOutWorker.handle")(function* (job: Jobs.Job<FanOut>) {
        const correlation = job.correlation === null ? null : yield* Tracing.carried(job.correlation)
        yield* Effect.repeat(step(job.payload, correlation), { while: (more) => more })
      })

      /** Events that begin within the time and whose buyers were not told of that beginning. */
      const look = Effect.gen(function* () {
        const events = yield* sql`SELECT event_id::text AS "eventId", facts ->> 'startsAt' AS "startsAt"
          FROM notifications.events e
          WHERE cancelled_at IS NULL AND starts_at > clock_timestamp()
            AND starts_at <= clock_timestamp() + ${beforeMs}::float8 * interval '1 millisecond'
            AND NOT EXISTS (SELECT 1 FROM notifications.jobs j
              WHERE j.queue = ${fanOuts.queue}::text AND j.id = e.event_id || ':reminder:' || (e.facts ->> 'startsAt'))
          ORDER BY starts_at LIMIT ${maxEvents}::int`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(Soon)))
        for (const event of events) {
          const reminder = FanOut.cases.EventReminder.make(event)
          yield* sql.withTransaction(Effect.andThen(lockChanges, fanOuts.offer(fanOutId(reminder), reminder)))
        }
      }).pipe(Effect.withSpan("FanOutWorker.look"))

      const reminders = look.pipe(
        Effect.catchCause((cause) =>
          Effect.logWarning("events that begin soon could not be looked for", cause)
        ),
        Effect.repeat(Schedule.spaced(options.lookEvery)),
        Effect.forkScoped
      )

      return Layer.merge(
        Layer.effectDiscard(reminders),
        JobWorker.worker({ queue: fanOuts, handle, isFinal: () => false, concurrency, ...options })
      )
    })
  )
