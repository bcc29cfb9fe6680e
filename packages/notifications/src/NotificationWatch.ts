/**
 * Raises what needs somebody: dead letters, and messages that wait for longer than ten minutes (a server that only
 * ever defers). As metrics for the alerts, and in the log where there are new ones.
 */
import { Duration, Effect, Layer, Metric, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"

/** Whoever waits longer is told of. */
export const stuckAfter = Duration.minutes(10)

/** Often enough that ten minutes are not eleven. */
const lookEvery = "15 seconds"

const gauge = (name: string, description: string) => Metric.gauge(name, { description })
const waiting = gauge(
  "onsale_notification_waiting",
  "Jobs that are due or were tried, by queue: a channel, `notice` or `fan-out`"
)
const stuck = gauge("onsale_notification_stuck", "Those of them that wait for longer than ten minutes")
const oldestMs = gauge(
  "onsale_notification_oldest_waiting_ms",
  "How long the oldest of them has waited, in milliseconds"
)
const dead = gauge(
  "onsale_notification_dead_letters",
  "Jobs that were given up and wait for an operator, by queue"
)
const oldestDeadMs = gauge(
  "onsale_notification_oldest_dead_letter_ms",
  "Since when the oldest of them is given up, in milliseconds"
)

const Queues = Schema.Array(
  Schema.Struct({
    queue: Schema.String,
    waiting: Schema.Int,
    stuck: Schema.Int,
    dead: Schema.Int,
    oldestMs: Schema.Finite,
    oldestDeadMs: Schema.Finite
  })
)

const queues = ["notice", "fan-out", "email", "sms", "push"] as const

/** How each queue stands now. */
export const look = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // A job that is not due yet, such as a warning before a time to pay is over, does not wait.
  const since = sql.literal("CASE WHEN attempts = 0 THEN run_at ELSE least(created_at, run_at) END")
  const ms = (interval: string) =>
    sql.literal(`coalesce(extract(epoch FROM max(${interval})) * 1000, 0)::float8`)
  return yield* sql`SELECT q.queue, count(*) FILTER (WHERE j.open)::int AS waiting,
      count(*) FILTER (WHERE j.open AND j.waited > ${Duration.toMillis(stuckAfter)}::float8 * interval '1 millisecond')::int
        AS stuck,
      count(*) FILTER (WHERE NOT j.open)::int AS dead,
      ${ms("j.waited) FILTER (WHERE j.open")} AS "oldestMs",
      ${ms("j.waited) FILTER (WHERE NOT j.open")} AS "oldestDeadMs"
    FROM unnest(${[...queues]}::text[]) AS q (queue)
    LEFT JOIN (
      SELECT queue, true AS open, clock_timestamp() - ${since} AS waited FROM notifications.jobs
      WHERE done_at IS NULL AND failed_at IS NULL AND (run_at <= clock_timestamp() OR attempts > 0)
      UNION ALL
      SELECT queue, false, clock_timestamp() - failed_at FROM notifications.jobs
      WHERE done_at IS NULL AND failed_at IS NOT NULL
    ) AS j USING (queue)
    GROUP BY q.queue`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(Queues)))
}).pipe(Effect.withSpan("NotificationWatch.look"))

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const told = new Map<string, number>()
    const raise = Effect.fnUntraced(function* (kind: string, queue: string, count: number, what: string) {
      const before = told.get(kind + queue) ?? 0
      told.set(kind + queue, count)
      if (count > before) yield* Effect.logError(`${count} jobs of ${queue} ${what} (onsale notifications)`)
    })
    const watch = Effect.gen(function* () {
      for (const found of yield* look) {
        const { queue } = found
        const set = (metric: Metric.Gauge<number>, value: number) =>
          Metric.update(Metric.withAttributes(metric, { queue }), value)
        yield* set(waiting, found.waiting)
        yield* set(stuck, found.stuck)
        yield* set(oldestMs, found.oldestMs)
        yield* set(dead, found.dead)
        yield* set(oldestDeadMs, found.oldestDeadMs)
        yield* raise("dead", queue, found.dead, "are given up and wait for an operator")
        yield* raise("stuck", queue, found.stuck, "wait for longer than ten minutes")
      }
    })
    yield* watch.pipe(
      Effect.catchCause((cause) => Effect.logWarning("how the notifications stand is not known", cause)),
      Effect.repeat(Schedule.spaced(lookEvery)),
      Effect.forkScoped
    )
  })
)
