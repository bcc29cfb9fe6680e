/**
 * One order in the memory of its entity, and the turn of whoever works on it.
 *
 * What is known of it is folded from its journal, and thrown away after any failure. Another owner of the same order
 * makes an append fail (`JournalConflict`): then the order is read again.
 */
import { Cause, Effect, Semaphore } from "effect"
import { BookingUnavailable } from "@onsale/contracts/booking/OrderEntity"
import type { OrderId } from "@onsale/contracts/Ids"
import { JournalConflict } from "@onsale/platform/Journal"
import type { OrderStore, Stored } from "./OrderStore.ts"

/** Owners change when runners come and go; twice in one command would be strange, five times is a bug. */
const maxConflicts = 5
const retryAfterMs = 1_000

/** Nothing is known yet, and nobody is at work. */
export const make = Effect.fnUntraced(function* (orderId: OrderId, store: OrderStore["Service"]) {
  const turn = yield* Semaphore.make(1)

  /** The order as last read or written; undefined when it has to be read (again). */
  let known: Stored | null | undefined
  let busy = false

  const forget = () => {
    known = undefined
  }

  const current = Effect.gen(function* () {
    if (known === undefined) known = yield* store.load(orderId)
    return known
  })

  /** One after another. */
  const inTurn = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | BookingUnavailable, R> =>
    Effect.suspend(() => {
      busy = true
      return effect
    }).pipe(
      // A bug or a broken database ends this attempt, not the order: it is told and tried again later.
      Effect.catchCauseIf(Cause.hasDies, (cause) => {
        forget()
        return Effect.logError(`order ${orderId} broke off`, cause).pipe(
          Effect.andThen(Effect.fail(new BookingUnavailable({ retryAfterMs })))
        )
      }),
      Effect.ensuring(
        Effect.sync(() => {
          busy = false
        })
      ),
      turn.withPermit
    )

  /** Tries again with the order read anew, where another owner was faster. */
  const reloading = <A, E, R>(effect: Effect.Effect<A, E | JournalConflict, R>) =>
    effect.pipe(
      Effect.tapErrorTag("JournalConflict", () => Effect.sync(forget)),
      Effect.retry({ while: (error) => error instanceof JournalConflict, times: maxConflicts }),
      Effect.catchIf(
        (error): error is Extract<E | JournalConflict, JournalConflict> => error instanceof JournalConflict,
        () => Effect.fail(new BookingUnavailable({ retryAfterMs }))
      )
    )

  return {
    /** Null where there is none, undefined where nobody has read it. */
    known: () => known,
    isBusy: () => busy,
    remember: (stored: Stored) => {
      known = stored
    },
    forget,
    /** Reads it where it is not known. */
    current,
    /** The same for who only looks. */
    look: Effect.suspend(() => (known === undefined ? store.load(orderId) : Effect.succeed(known))),
    inTurn,
    reloading
  }
})

export type OrderTurn = Effect.Success<ReturnType<typeof make>>
