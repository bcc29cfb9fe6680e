/** When it is told that a hold is about to expire. */
import { Clock, Duration, Effect } from "effect"

/** Time enough to pay or to extend, and near enough to be in a hurry. */
const warnBefore = Duration.minutes(1)

/** Until the warning is due; none where it is. */
export const dueIn = (expiresAtMs: number): Effect.Effect<Duration.Duration> =>
  Effect.map(Clock.currentTimeMillis, (nowMs) =>
    Duration.millis(Math.max(0, expiresAtMs - nowMs - Duration.toMillis(warnBefore)))
  )
