/** Wakes what the notifications follow of others: facts of events, and what becomes of orders. */
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
    types: ["PaymentPending", "PaymentDeclined", "Confirmed", "Cancelled", "RefundRequested", "Refunded"].map(
      (name) => typeOf("booking", name)
    )
  })
)
