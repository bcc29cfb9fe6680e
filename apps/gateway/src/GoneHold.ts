/** What is told of a hold that is not there: the inventory forgets those that end, booking knows which were bought. */
import { Orders } from "@onsale/booking/Orders"
import { HoldBought, HoldNotFound, Overloaded } from "@onsale/contracts/http/Problems"
import type { HoldId } from "@onsale/contracts/Ids"
import { Effect } from "effect"

/** Longer than a database that works takes for a row. */
const askLimit = "2 seconds"

const unavailable = () => Effect.fail(new Overloaded({ retryAfterSeconds: 1, reason: "unavailable" }))

/** Whether an answer, or a refusal, says that a hold is not there. Swept or not, one that has expired is gone (INV-03). */
export const isGone = (answer: { readonly _tag: string; readonly code?: string }): boolean =>
  answer.code === "hold_not_found" || answer.code === "hold_expired" || answer.code === "event_not_found"

/**
 * Fails with what became of a hold that is not there. Which order it has become is not said: the hold's id is no secret
 * of the order's, whose id shows tickets.
 */
export const make = Effect.map(
  Orders,
  (orders) =>
    (holdId: HoldId): Effect.Effect<never, HoldBought | HoldNotFound | Overloaded> =>
      orders.isBought(holdId).pipe(
        Effect.timeoutOrElse({ duration: askLimit, orElse: unavailable }),
        Effect.catchDefect((defect) =>
          Effect.andThen(
            Effect.logWarning("it could not be asked whether a hold was bought", defect),
            unavailable()
          )
        ),
        Effect.flatMap((isBought) =>
          Effect.fail(
            isBought
              ? new HoldBought({
                  detail: "Its order is the answer to the Idempotency-Key that it was bought with."
                })
              : new HoldNotFound({})
          )
        )
      )
)
