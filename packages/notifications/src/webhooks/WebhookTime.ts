/**
 * The time that deliveries are judged by: the database's, so that the clocks of many workers need not agree.
 */
import { Context, Effect, Schedule } from "effect"
import { type SqlClient, SqlError } from "effect/sql"

/** By how many milliseconds this process runs ahead of the database; 0 but in tests that let hours pass. */
export const AheadMs = Context.Reference<Effect.Effect<number>>(
  "@onsale/notifications/webhooks/WebhookTime/AheadMs",
  { defaultValue: () => Effect.succeed(0) }
)

/** The present moment, for a statement; within one that names it twice it differs by microseconds. */
export const nowOf = (sql: SqlClient.SqlClient) =>
  Effect.gen(function* () {
    const aheadMs = yield* yield* AheadMs
    return sql`(clock_timestamp() + make_interval(secs => ${aheadMs / 1000}::float8))`
  })

/** A time of a table as UTC, ISO 8601. */
export const iso = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** What passes by itself is tried again; all else is a defect of ours. */
export const settled = <A, E, R>(
  effect: Effect.Effect<A, E | SqlError.SqlError, R>
): Effect.Effect<A, Exclude<E, SqlError.SqlError>, R> =>
  effect.pipe(
    Effect.retry({
      schedule: Schedule.exponential("20 millis"),
      times: 4,
      while: (error) => SqlError.isSqlError(error) && error.isRetryable
    }),
    Effect.catch((error) =>
      SqlError.isSqlError(error) ? Effect.die(error) : Effect.fail(error as Exclude<E, SqlError.SqlError>)
    )
  )
