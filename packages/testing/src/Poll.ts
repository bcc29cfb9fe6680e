import { Clock, Duration, Effect, Predicate, Schema } from "effect"
import { TestClock } from "effect/testing"

/** What was waited for did not happen before the deadline. */
export class PollTimeout extends Schema.TaggedError<PollTimeout>()("PollTimeout", {
  message: Schema.String
}) {}

export interface PollOptions {
  /** 10 seconds unless told. Generous: it only ends a test that has failed. */
  readonly deadline?: Duration.Input | undefined
  /** 20 milliseconds unless told. */
  readonly every?: Duration.Input | undefined
}

/**
 * Repeats the effect until its value satisfies the predicate and returns that value, in real time also where
 * a test's clock stands still. Fails with `PollTimeout`, which tells the last value, after the deadline.
 */
export const pollUntil: {
  <A, B extends A, E, R>(
    effect: Effect.Effect<A, E, R>,
    predicate: (value: A) => value is B,
    options?: PollOptions
  ): Effect.Effect<B, E | PollTimeout, R>
  <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    predicate: (value: A) => boolean,
    options?: PollOptions
  ): Effect.Effect<A, E | PollTimeout, R>
} = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  predicate: (value: A) => boolean,
  { deadline = "10 seconds", every = "20 millis" }: PollOptions = {}
): Effect.Effect<A, E | PollTimeout, R> =>
  Effect.gen(function* () {
    const deadlineMs = Duration.toMillis(Duration.fromInputUnsafe(deadline))
    const startedAtMs = yield* live(Clock.currentTimeMillis)
    while (true) {
      const value = yield* effect
      if (predicate(value)) return value
      if ((yield* live(Clock.currentTimeMillis)) - startedAtMs > deadlineMs) {
        return yield* new PollTimeout({
          message: `not reached within ${deadlineMs} ms; last seen: ${show(value)}`
        })
      }
      yield* live(Effect.sleep(every))
    }
  })

/** Only the waiting is real: what is polled keeps the clock of its test. */
const live = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.clockWith((clock) =>
    Predicate.hasProperty(clock, "withLive") ? TestClock.withLive(effect) : effect
  )

const show = (value: unknown) =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part)) ?? String(value)
