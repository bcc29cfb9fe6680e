/** Wakes what the notifications follow of others: facts of events, and orders that are confirmed or paid back. */
import { topicOf, typeOf } from "@onsale/contracts/Topics"
import * as Wake from "@onsale/platform/Wake"
import { Layer } from "effect"

/** Over an `EventBus`, in the processes that run `NotificationRunner`. */
export const layer = Layer.merge(
  Wake.layer({ group: "notifications", topic: topicOf("catalog"), journal: "catalog" }),
  Wake.layer({
    group: "notifications",
    topic: topicOf("booking"),
    journal: "booking",
    types: [typeOf("booking", "Confirmed"), typeOf("booking", "RefundRequested")]
  })
)
