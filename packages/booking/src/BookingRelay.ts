/** Tells others of orders: the booking journal on the event bus, without whose they are. */
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { topicOf, typeOf } from "@onsale/contracts/Topics"
import * as Journal from "@onsale/platform/Journal"
import * as Relay from "@onsale/platform/Relay"
import * as ToldEvents from "@onsale/platform/ToldEvents"
import { Effect, Layer } from "effect"

/**
 * Not the customer; nor the token of the payment, nor the address where it is made; nor reasons that people
 * write, in which anything may stand.
 */
const describe = ToldEvents.make({
  event: OrderEvent,
  typeOf: (tag) => typeOf("booking", tag),
  told: {
    Placed: [
      "eventId",
      "holdId",
      "intentId",
      "provider",
      "total",
      "seats",
      "areas",
      "voucher",
      "terms",
      "payUntilMs"
    ],
    PaymentPending: ["provider", "status"],
    PaymentAuthorised: ["provider"],
    PaymentDeclined: ["provider", "code"],
    SeatsSold: ["reclaimed"],
    Confirmed: ["tickets"],
    Abandoned: [],
    Cancelled: ["payment"],
    LateMoneyCame: ["provider"],
    LateMoneyReturned: ["provider", "payment"],
    RefundRequested: ["refundId", "amount", "fee", "cause", "tickets"],
    SeatsReturned: ["refundId"],
    Refunded: ["refundId"],
    TicketAdmitted: ["ticketId", "codeVersion", "gate", "atMs", "scanId", "replaces"],
    ScanRefused: ["ticketId", "codeVersion", "gate", "atMs", "scanId", "reason"],
    TicketReissued: ["ticketId", "codeVersion"]
  }
})

/** Over the database and an `EventBus`. Any number of processes may run it, one works. */
export const layer = Layer.unwrap(
  Effect.map(Journal.make({ schema: "booking", event: OrderEvent }), (journal) =>
    Relay.layer({
      ...Relay.ofContext,
      journal,
      topic: topicOf("booking"),
      source: "/onsale/booking",
      describe
    })
  )
)
