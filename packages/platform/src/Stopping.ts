/** Tells long answers that their server takes no more: they end, so that a stop does not wait for them. */
import { Context, Deferred, Effect } from "effect"

/** Succeeds when the server begins to stop; never without one. */
export const Stopping = Context.Reference<Effect.Effect<void>>("@onsale/platform/Stopping", {
  defaultValue: () => Effect.never
})

/** A signal to give, and what waits for it. */
export const make = () => {
  const told = Deferred.makeUnsafe<void>()
  return {
    tell: () => Deferred.doneUnsafe(told, Effect.void),
    stopping: Deferred.await(told)
  }
}
