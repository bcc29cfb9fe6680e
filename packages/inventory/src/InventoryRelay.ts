/** Tells others what becomes of seats and places: the inventories' journal on the event bus, without by whom. */
import { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { topicOf, typeOf } from "@onsale/contracts/Topics"
import * as Journal from "@onsale/platform/Journal"
import * as Relay from "@onsale/platform/Relay"
import * as ToldEvents from "@onsale/platform/ToldEvents"
import { Effect, Layer } from "effect"

/**
 * Not `customer`, a hash that tells one person from another; nor commands and their fingerprints, by which
 * requests are repeated.
 */
const describe = ToldEvents.make({
  event: InventoryEvent,
  typeOf: (tag) => typeOf("inventory", tag),
  told: {
    Opened: ["layout"],
    Held: ["hold", "seats", "areas", "exp", "cap", "voucher", "replaces"],
    Extended: ["hold", "seats", "areas", "exp", "voucher"],
    Released: ["hold"],
    Expired: ["holds"],
    Frozen: ["hold", "order", "seats", "areas", "until", "voucher"],
    Unfrozen: ["hold", "order", "seats", "areas", "exp", "voucher"],
    Sold: ["hold", "order", "seats", "areas", "reclaimed", "voucher"],
    Returned: ["order", "seats", "areas"],
    SoldBefore: ["order"],
    Refused: ["code", "seats", "areas", "limit", "scope", "tier"]
  }
})

/** Over the database and an `EventBus`. Any number of processes may run it, one works. */
export const layer = Layer.unwrap(
  Effect.map(Journal.make({ schema: "inventory", event: InventoryEvent }), (journal) =>
    Relay.layer({
      ...Relay.ofContext,
      journal,
      topic: topicOf("inventory"),
      source: "/onsale/inventory",
      describe
    })
  )
)
