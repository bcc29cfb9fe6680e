/**
 * The authorisations that were sent from here and not answered: for a while they may still arrive, so that
 * nothing found under their key does not mean that there is nothing.
 *
 * For providers that cannot tell what they are working on. It knows of this process only; what another one
 * has sent is safe all the same, as the provider runs a key once.
 */
import { Clock, Effect } from "effect"
import type { ProviderFailure } from "./PaymentProvider.ts"

/** More than are under way at once; the oldest are forgotten first. */
const maxKept = 10_000

export interface Unanswered {
  /** Follows an authorisation: it is kept until it is answered, or is certain to have done nothing. */
  readonly track: (
    key: string
  ) => <A, R>(effect: Effect.Effect<A, ProviderFailure, R>) => Effect.Effect<A, ProviderFailure, R>
  /** Whether an authorisation under the key may still be on its way. */
  readonly mayArrive: (key: string) => Effect.Effect<boolean>
}

/** `settleMs`: how long after it was sent a request may still be carried out, at the very most. */
export const make = (settleMs: number): Unanswered => {
  const sent = new Map<string, number>()
  return {
    track: (key) => (effect) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
        sent.delete(key)
        sent.set(key, nowMs)
        if (sent.size > maxKept) {
          const [oldest] = sent.keys()
          if (oldest !== undefined) sent.delete(oldest)
        }
        const settled = Effect.sync(() => sent.delete(key))
        return effect.pipe(
          Effect.tap(() => settled),
          Effect.tapError((failure) => (failure.kind === "unknown" ? Effect.void : settled))
        )
      }),
    mayArrive: (key) =>
      Effect.map(Clock.currentTimeMillis, (nowMs) => {
        const sentMs = sent.get(key)
        if (sentMs === undefined) return false
        if (nowMs - sentMs < settleMs) return true
        sent.delete(key)
        return false
      })
  }
}
