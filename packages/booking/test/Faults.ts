/** What goes wrong with the next calls of the fakes, by the name of the step. */
import { Effect, Latch } from "effect"

export type Fault =
  /** Nothing was done, and the caller is told that it is not known. */
  | "before"
  /** Done, and the caller is told that it is not known. */
  | "after"
  /** Does not answer before it is released. */
  | "hangBefore"
  | "hangAfter"
  /** A defect over there. */
  | "dieBefore"
  | "dieAfter"

export class Faults {
  readonly #planned = new Map<string, Array<Fault>>()
  /** The steps that hang. */
  readonly hanging = new Set<string>()
  readonly #released = Latch.makeUnsafe()

  /** What hangs goes on. */
  readonly release = this.#released.open

  plan(step: string, ...faults: ReadonlyArray<Fault>): void {
    this.#planned.set(step, [...(this.#planned.get(step) ?? []), ...faults])
  }

  strike<A, E, F>(
    step: string,
    act: Effect.Effect<A, E>,
    unknown: Effect.Effect<never, F>
  ): Effect.Effect<A, E | F> {
    return Effect.suspend((): Effect.Effect<A, E | F> => {
      const hang = Effect.suspend(() => {
        this.hanging.add(step)
        return this.#released.await
      })
      switch (this.#planned.get(step)?.shift()) {
        case undefined:
          return act
        case "before":
          return unknown
        case "after":
          return Effect.andThen(act, unknown)
        case "hangBefore":
          return Effect.andThen(hang, act)
        case "hangAfter":
          return Effect.tap(act, () => hang)
        case "dieBefore":
          return Effect.die(new Error(`${step} broke before it did anything`))
        case "dieAfter":
          return Effect.andThen(act, Effect.die(new Error(`${step} broke after it was done`)))
      }
    })
  }
}
