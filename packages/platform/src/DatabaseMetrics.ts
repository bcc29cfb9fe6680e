/**
 * What this process gets of its database: how long a transaction waits for a connection of the pool, how long a
 * statement takes there and back, and how many sessions the server has of those that it takes.
 */
import { Duration, Effect, Layer, Metric, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import * as ReadMetrics from "./ReadMetrics.ts"

const lookEvery = Duration.seconds(10)

const states = ["active", "idle_in_transaction", "idle"] as const

const Sessions = Schema.Struct({
  active: Schema.Int,
  idle_in_transaction: Schema.Int,
  idle: Schema.Int,
  most: Schema.Int
})
const decodeSessions = Schema.decodeUnknownEffect(Schema.Tuple([Sessions]))

/** Of whoever is connected: the server has one limit for all. */
const sessionsText = `SELECT count(*) FILTER (WHERE state = 'active')::int4 AS active,
    count(*) FILTER (WHERE state LIKE 'idle in transaction%')::int4 AS idle_in_transaction,
    count(*) FILTER (WHERE state = 'idle')::int4 AS idle,
    current_setting('max_connections')::int4 AS most
  FROM pg_stat_activity WHERE backend_type = 'client backend'`

const wait = Metric.gauge("onsale_database_wait_seconds", {
  description:
    "How long a transaction waits for a connection of the pool: the last look, or the one that waits"
})
const roundTrip = Metric.gauge("onsale_database_round_trip_seconds", {
  description: "How long a statement takes on a connection of its own, of the last look"
})
const sessions = Metric.gauge("onsale_database_sessions", {
  description: "Sessions of the server, by state, whoever has them"
})
const sessionsLimit = Metric.gauge("onsale_database_sessions_limit", {
  description: "Sessions that the server takes"
})

const seconds = (fromMs: number): number => (performance.now() - fromMs) / 1e3

/** Looks every 10 s for as long as the layer lives. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const last = { wait: 0, roundTrip: 0 }
    /** Since when the look waits that has no connection yet, and that which has one for its answer. */
    let waitingFromMs: number | undefined
    let askedFromMs: number | undefined
    const orSince = (value: number, fromMs: number | undefined) =>
      fromMs === undefined ? value : Math.max(value, seconds(fromMs))
    let seen: typeof Sessions.Type = { active: 0, idle_in_transaction: 0, idle: 0, most: 0 }

    yield* ReadMetrics.gauge(wait, () => orSince(last.wait, waitingFromMs))
    yield* ReadMetrics.gauge(roundTrip, () => orSince(last.roundTrip, askedFromMs))
    yield* ReadMetrics.gauge(sessionsLimit, () => seen.most)
    for (const state of states)
      yield* ReadMetrics.gauge(Metric.withAttributes(sessions, { state }), () => seen[state])

    // No limit: a look that waits for ever is what the gauge is to show.
    const look = Effect.gen(function* () {
      waitingFromMs = performance.now()
      const connection = yield* sql.reserve
      last.wait = seconds(waitingFromMs)
      waitingFromMs = undefined
      askedFromMs = performance.now()
      const rows = yield* connection.execute(sessionsText, [], undefined)
      last.roundTrip = seconds(askedFromMs)
      seen = (yield* Effect.orDie(decodeSessions(rows)))[0]
    }).pipe(
      Effect.scoped,
      Effect.ensuring(
        Effect.sync(() => {
          // One that ended without a connection has waited as long for nothing.
          if (waitingFromMs !== undefined) last.wait = seconds(waitingFromMs)
          waitingFromMs = askedFromMs = undefined
        })
      ),
      // Whoever needs the database says that it is away, and better than this can.
      Effect.catch((error) => Effect.logDebug("the sessions of the database could not be counted", error))
    )
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(lookEvery)))
  })
)
