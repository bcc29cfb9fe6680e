/**
 * A clock whose time stands still until a test moves it, while pauses take as long as they always do: what
 * is judged by the time is exact to the millisecond, and connections, polls and queues go on as usual.
 */
import { Clock, Context, Effect, Layer } from "effect"

export class SteeredClock extends Context.Service<
  SteeredClock,
  {
    /** Milliseconds since 1970. */
    readonly now: Effect.Effect<number>
    /** Moves the time forward. */
    readonly advance: (ms: number) => Effect.Effect<void>
  }
>()("@onsale/testing/SteeredClock") {
  /** The service, and the `Clock` of everything that is built over this layer. */
  static readonly layer = Layer.effectContext(
    Effect.map(Clock.Clock, (live) => {
      let nowMs = 1_800_000_000_000
      const nanos = () => BigInt(nowMs) * 1_000_000n
      return Context.make(SteeredClock, {
        now: Effect.sync(() => nowMs),
        advance: (ms) =>
          Effect.sync(() => {
            nowMs += ms
          })
      }).pipe(
        Context.add(Clock.Clock, {
          currentTimeMillisUnsafe: () => nowMs,
          currentTimeMillis: Effect.sync(() => nowMs),
          currentTimeNanosUnsafe: nanos,
          currentTimeNanos: Effect.sync(nanos),
          monotonicTimeNanosUnsafe: () => live.monotonicTimeNanosUnsafe(),
          monotonicTimeNanos: live.monotonicTimeNanos,
          sleep: (duration) => live.sleep(duration)
        })
      )
    })
  )
}

/** Moves the test's time forward. */
export const advance = (ms: number): Effect.Effect<void, never, SteeredClock> =>
  Effect.flatMap(SteeredClock, (clock) => clock.advance(ms))

/** The test's time, in milliseconds since 1970. */
export const now: Effect.Effect<number, never, SteeredClock> = Effect.flatMap(
  SteeredClock,
  (clock) => clock.now
)
