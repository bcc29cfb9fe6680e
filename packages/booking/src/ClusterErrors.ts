/** The cluster's own troubles, as those who ask an order know them. */
import { BookingUnavailable } from "@onsale/contracts/booking/OrderEntity"
import { Duration, Effect } from "effect"

/**
 * Longer than a checkout takes that succeeds, however slow: 5 seconds each for the freeze and the sale (the
 * inventory's deadline), 15 each for the authorisation and the capture (the default of
 * `ONSALE_CHECKOUT_STEP_LIMIT`). One that has to be undone as slowly takes longer; it goes on, and the buyer
 * is told to ask again.
 */
const limit = Duration.seconds(45)
const retryAfterMs = 1_000

const clusterErrors = ["AlreadyProcessingMessage", "PersistenceError", "EntityNotAssignedToRunner"] as const

const isClusterError = <E extends { readonly _tag: string }>(
  error: E
): error is Extract<E, { readonly _tag: (typeof clusterErrors)[number] }> =>
  clusterErrors.some((tag) => tag === error._tag)

/** Whatever was sent may be sent again. */
const toUnavailable = () => Effect.fail(new BookingUnavailable({ retryAfterMs }))

const isFull = <E extends { readonly _tag: string }>(
  error: E
): error is Extract<E, { readonly _tag: "MailboxFull" }> => error._tag === "MailboxFull"

/** What was asked of an order, within the time that a checkout may take. */
export const reachable = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.catchIf(isFull, () => Effect.fail(new BookingUnavailable({ retryAfterMs, reason: "overloaded" }))),
    Effect.catchIf(isClusterError, toUnavailable),
    Effect.timeoutOrElse({ duration: limit, orElse: toUnavailable })
  )
