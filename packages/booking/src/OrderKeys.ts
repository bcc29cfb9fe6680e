/** The keys of requests to one order (INV-07): the same key with the same body gets the same answer. */
import { Effect } from "effect"
import { KeyInUse, KeyReused } from "@onsale/contracts/booking/OrderEntity"
import type { Key, OrderStore } from "./OrderStore.ts"
import type { OrderTurn } from "./OrderTurn.ts"

/** What every request with a key has. */
export interface KeyedRequest {
  readonly key: string
  readonly fingerprint: string
}

export const make = (store: OrderStore["Service"], turn: OrderTurn) => {
  /** The fingerprints of the requests that are at work, by operation and key. */
  const atWork = new Map<string, string>()

  /** What a request says to one with its key that came before; it did not, if this does not fail. */
  const beforeNow = Effect.fnUntraced(function* (key: Key, fingerprint: string) {
    const seen = yield* store.findRequest(key)
    if (seen === null) return null
    if (seen.fingerprint !== fingerprint) return yield* new KeyReused()
    return seen
  })

  /** Whoever asks again while the first is at work is not made to wait for it. */
  const unlessRunning = <A, E, R>(key: Key, fingerprint: string, effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      if (turn.isBusy()) {
        const seen = yield* beforeNow(key, fingerprint)
        if (seen !== null && seen.answer === null) return yield* new KeyInUse()
      }
      return yield* effect
    })

  /** One request with a key at a time (INV-07): the others are told so at once. */
  const once = <A, E, R>(
    operation: Key["operation"],
    request: KeyedRequest,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | KeyInUse | KeyReused, R> =>
    Effect.suspend((): Effect.Effect<A, E | KeyInUse | KeyReused, R> => {
      const key: Key = { operation, key: request.key }
      const name = `${operation}:${request.key}`
      const fingerprint = atWork.get(name)
      if (fingerprint !== undefined) {
        return Effect.fail(fingerprint === request.fingerprint ? new KeyInUse() : new KeyReused())
      }
      atWork.set(name, request.fingerprint)
      return unlessRunning(key, request.fingerprint, effect).pipe(
        Effect.ensuring(Effect.sync(() => atWork.delete(name)))
      )
    })

  return { beforeNow, once }
}

export type OrderKeys = ReturnType<typeof make>
