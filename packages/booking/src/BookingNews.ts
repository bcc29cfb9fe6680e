/** Wakes what booking follows of others: payments of its orders, and events that are cancelled. */
import { topicOf, typeOf } from "@onsale/contracts/Topics"
import * as Wake from "@onsale/platform/Wake"
import { Layer } from "effect"

/** Over an `EventBus`, in the processes that run `OrderSupervisor` and `CancelledEvents`. */
export const layer = Layer.merge(
  Wake.layer({ group: "booking", topic: topicOf("payments"), journal: "payments" }),
  Wake.layer({
    group: "booking",
    topic: topicOf("catalog"),
    journal: "catalog",
    types: [typeOf("catalog", "EventCancelled")]
  })
)
