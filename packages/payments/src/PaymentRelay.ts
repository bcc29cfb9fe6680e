/** Tells others of payments: the journal of payments on the event bus, without what one could pay with. */
import { PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import { topicOf, typeOf } from "@onsale/contracts/Topics"
import * as Journal from "@onsale/platform/Journal"
import * as Relay from "@onsale/platform/Relay"
import * as ToldEvents from "@onsale/platform/ToldEvents"
import { Effect, Layer } from "effect"

/**
 * `payment` holds the token of the buyer's means to pay, `nextAction` the address where it is done, a reason
 * whatever a provider has answered.
 */
const describe = ToldEvents.make({
  event: PaymentEvent,
  typeOf: (tag) => typeOf("payments", tag),
  told: {
    Created: ["provider"],
    Rerouted: ["provider"],
    RequiresAction: ["reference"],
    Processing: ["reference"],
    Authorised: ["reference"],
    Failed: ["reference", "code"],
    Captured: ["amount"],
    VoidRequested: [],
    Voided: [],
    Reinstated: [],
    LateMoneyRefused: [],
    RefundRequested: ["refundId", "amount"],
    Refunded: ["refundId", "amount"],
    Disputed: [],
    DisputeClosed: ["won"]
  }
})

/** Over the database and an `EventBus`. Any number of processes may run it, one works. */
export const layer = Layer.unwrap(
  Effect.map(Journal.make({ schema: "payments", event: PaymentEvent }), (journal) =>
    Relay.layer({
      ...Relay.ofContext,
      journal,
      topic: topicOf("payments"),
      source: "/onsale/payments",
      describe
    })
  )
)
