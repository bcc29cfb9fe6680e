/**
 * A clock that runs faster than the others: all time limits, pauses and expiries of what is built over it
 * keep their proportions, and are over sooner. What the machine itself needs seems to take that much longer.
 */
import { Clock, Duration, Effect } from "effect"

/** A clock that reads the true time at this moment, and runs `speed` times as fast from now on. */
export const make = (speed: number): Effect.Effect<Clock.Clock> =>
  Effect.map(Clock.Clock, (live) => {
    const startMs = live.currentTimeMillisUnsafe()
    const startNanos = live.monotonicTimeNanosUnsafe()
    const elapsedNanos = () => Number(live.monotonicTimeNanosUnsafe() - startNanos) * speed
    const nowMs = () => startMs + Math.floor(elapsedNanos() / 1_000_000)
    const nowNanos = () => BigInt(startMs) * 1_000_000n + BigInt(Math.floor(elapsedNanos()))
    const monotonic = () => startNanos + BigInt(Math.floor(elapsedNanos()))
    return {
      currentTimeMillisUnsafe: nowMs,
      currentTimeMillis: Effect.sync(nowMs),
      currentTimeNanosUnsafe: nowNanos,
      currentTimeNanos: Effect.sync(nowNanos),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: (duration) => live.sleep(Duration.millis(Duration.toMillis(duration) / speed))
    }
  })
