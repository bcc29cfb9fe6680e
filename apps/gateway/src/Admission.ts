/** Lets so many in at a time, and sends the others away at once: a queue of a bounded length in front of work. */
import { Overloaded } from "@onsale/contracts/http/Problems"
import { Effect, Option, Semaphore } from "effect"

export interface AdmissionOptions {
  /** Those who are served and those who wait, together. */
  readonly places: number
  /** What those are told who find no place. */
  readonly retryAfterSeconds: number
}

/** Wraps what is to be admitted: `Overloaded` where there is no place, which it gives back however it ends. */
export const make = (options: AdmissionOptions) =>
  Effect.map(
    Semaphore.make(options.places),
    (places) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Overloaded, R> =>
        Effect.flatMap(
          places.withPermitsIfAvailable(1)(effect),
          Option.match({
            onNone: () => Effect.fail(new Overloaded({ retryAfterSeconds: options.retryAfterSeconds })),
            onSome: Effect.succeed
          })
        )
  )
