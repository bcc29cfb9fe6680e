/** Which troubles of the database may be over the next time. */
import { Cause } from "effect"
import { SqlError } from "effect/sql"

/** True where the database may do it the next time. What it says on a rollback, it says as a defect. */
export const isRetryable = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => {
    const error = Cause.isFailReason(reason)
      ? reason.error
      : Cause.isDieReason(reason)
        ? reason.defect
        : undefined
    return SqlError.isSqlError(error) && error.isRetryable
  })
