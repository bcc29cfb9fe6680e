/** How the repositories of the notifications meet a database that stumbles. */
import { Effect, Schedule } from "effect"
import { SqlError } from "effect/sql"

/** What passes by itself is tried again; all else is a defect of ours. */
export const settled = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError, R>) =>
  effect.pipe(
    Effect.retry({
      schedule: Schedule.exponential("20 millis"),
      times: 4,
      while: (error) => SqlError.isSqlError(error) && error.isRetryable
    }),
    Effect.orDie
  )
