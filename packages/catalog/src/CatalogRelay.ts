/** Tells others of events: the catalog's journal on the event bus. All of it is public, but why one was cancelled. */
import { CatalogEvent, rowsAtATime } from "@onsale/contracts/catalog/CatalogEvent"
import { topicOf, typeOf } from "@onsale/contracts/Topics"
import * as Journal from "@onsale/platform/Journal"
import * as Relay from "@onsale/platform/Relay"
import * as ToldEvents from "@onsale/platform/ToldEvents"
import { Effect, Layer } from "effect"

const describe = ToldEvents.make({
  event: CatalogEvent,
  typeOf: (tag) => typeOf("catalog", tag),
  told: {
    EventPublished: ["facts"],
    EventChanged: ["facts"],
    // An organiser wrote the reason: anything may stand in it.
    EventCancelled: ["eventId"],
    SaleChanged: ["eventId", "revision"]
  }
})

/** Over the database and an `EventBus`. Any number of processes may run it, one works. */
export const layer = Layer.unwrap(
  Effect.map(Journal.make({ schema: "catalog", event: CatalogEvent }), (journal) =>
    Relay.layer({
      ...Relay.ofContext,
      journal,
      batch: rowsAtATime,
      topic: topicOf("catalog"),
      source: "/onsale/catalog",
      describe
    })
  )
)
