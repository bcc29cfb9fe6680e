/** How long to wait before the next attempt. */
import { Duration, Effect, Random } from "effect"

/** The pause after the `attempt`-th failure: doubling, capped, and a random half of it off. */
export const pauseAfter = (attempt: number, backoff: Duration.Input, maxBackoff: Duration.Input) =>
  Effect.map(Random.next, (random) => {
    const capMs = Duration.toMillis(Duration.fromInputUnsafe(maxBackoff))
    // 2^30 is past every cap, and below where numbers get imprecise.
    const fullMs = Duration.toMillis(Duration.fromInputUnsafe(backoff)) * 2 ** Math.min(attempt - 1, 30)
    return Duration.millis(Math.ceil(Math.min(fullMs, capMs) * (0.5 + random / 2)))
  })
