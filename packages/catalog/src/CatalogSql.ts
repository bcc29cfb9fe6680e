/** What the catalog's repositories share. */
import { Effect, Schedule, Schema } from "effect"
import { type SqlClient, SqlError } from "effect/sql"

/** A time in milliseconds since 1970 as an SQL expression. */
export const instant = (sql: SqlClient.SqlClient, ms: number) => sql`to_timestamp(${ms}::float8 / 1000)`

/** A time in microseconds since 1970 as an SQL expression, exactly. */
export const moment = (sql: SqlClient.SqlClient, micros: number) =>
  sql`(timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond')`

const retrySchedule = Schedule.exponential("20 millis").pipe(Schedule.jittered)

const isDefect = (error: unknown): error is SqlError.SqlError | Schema.SchemaError =>
  SqlError.isSqlError(error) || Schema.isSchemaError(error)

/**
 * Tries again what a lost connection or a serialisation failure ended, four times at the most; what
 * fails then is a defect. Everything it is used for can be carried out twice: new rows bring their ids.
 */
export const settled = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError | Schema.SchemaError, R>) =>
  effect.pipe(
    Effect.retry({
      schedule: retrySchedule,
      times: 4,
      while: (error) => SqlError.isSqlError(error) && error.isRetryable
    }),
    Effect.catchIf(isDefect, Effect.die)
  )
