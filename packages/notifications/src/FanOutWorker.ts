/**
 * Tells all buyers of an event: a notice for each order with valid tickets, a few hundred in a transaction, from a
 * cursor that moves with them. A worker that dies is followed by one that goes on from there.
 */
import { EventId, OrderId } from "@onsale/contracts/Ids"
import { Notice, noticeId } from "@onsale/contracts/notifications/Notice"
import * as Jobs from "@onsale/platform/Jobs"
import * as Tracing from "@onsale/platform/Tracing"
import { Duration, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { DeliveryOptions } from "./DeliveryWorker.ts"
import { FanOut, fanOutId, NoticeJobs } from "./NoticeJobs.ts"
import * as NoticeTimes from "./NoticeTimes.ts"

/** Orders in a transaction: some milliseconds each time. */
const batch = 500

/** Two events at a time: the buyers of one do not wait for all of those of another. */
const concurrency = 2

/** Events in a look; the next one comes for the others. */
const maxEvents = 100

const Told = Schema.Array(Schema.Struct({ lastOrder: Schema.NullOr(Schema.String) }))
const Orders = Schema.Array(Schema.Struct({ orderId: OrderId, valid: Schema.Boolean }))
const Soon = Schema.Array(Schema.Struct({ eventId: EventId, startsAt: Schema.String }))

const noticeOf = (fanOut: FanOut, orderId: OrderId): Notice =>
  fanOut._tag === "EventChanged"
    ? Notice.cases.EventChanged.make({ orderId, eventId: fanOut.eventId, change: fanOut.change })
    : Notice.cases.EventReminder.make({ orderId, eventId: fanOut.eventId, startsAt: fanOut.startsAt })

export const layer = (options: DeliveryOptions) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { fanOuts, notices } = yield* NoticeJobs
      const { remindBefore } = yield* NoticeTimes.config
      const beforeMs = Duration.toMillis(remindBefore)

      /** Who bought later knows it already. */
      const boughtBefore = (fanOut: FanOut) =>
        fanOut._tag === "EventChanged"
          ? sql`(SELECT at FROM notifications.event_changes
              WHERE event_id = ${fanOut.eventId}::uuid AND change = ${fanOut.change}::int)`
          : sql`(${fanOut.startsAt}::timestamptz - ${beforeMs}::float8 * interval '1 millisecond')`

      /** The next orders; true where there may be more. */
      const step = (fanOut: FanOut, correlation: string | null) =>
        sql.withTransaction(
          Effect.gen(function* () {
            const id = fanOutId(fanOut)
            yield* sql`INSERT INTO notifications.fan_outs (id) VALUES (${id}::text) ON CONFLICT DO NOTHING`
            const [state] = yield* sql`SELECT last_order::text AS "lastOrder" FROM notifications.fan_outs
              WHERE id = ${id}::text FOR UPDATE`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(Told)))
            const orders = yield* sql`SELECT order_id::text AS "orderId",
                EXISTS (SELECT 1 FROM json_array_elements(tickets) t WHERE t.value ->> 'status' = 'valid') AS valid
              FROM notifications.orders
              WHERE event_id = ${fanOut.eventId}::uuid AND order_id > coalesce(${state?.lastOrder ?? null}::uuid,
                  '00000000-0000-0000-0000-000000000000'::uuid)
                AND confirmed_at < ${boughtBefore(fanOut)}
              ORDER BY order_id LIMIT ${batch}::int`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(Orders)))
            const last = orders[orders.length - 1]
            if (last === undefined) return false
            const told = orders.filter(({ valid }) => valid).map(({ orderId }) => noticeOf(fanOut, orderId))
            yield* notices.offerAll(
              told.map((notice) => ({ id: noticeId(notice), payload: notice })),
              { correlation }
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
          yield* fanOuts.offer(fanOutId(reminder), reminder)
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
        Jobs.worker({ queue: fanOuts, handle, isFinal: () => false, concurrency, ...options })
      )
    })
  )
