/** An event that SQL has put into the catalog: its journal tells nothing of it, and buyers want their tickets all the same. */
import { Catalog } from "@onsale/catalog/Catalog"
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { EventId } from "@onsale/contracts/Ids"
import { Effect } from "effect"

/** What the catalog's tables say of an event, as its journal would tell it. */
export const make = Effect.gen(function* () {
  const catalog = yield* Catalog
  return Effect.fnUntraced(function* (eventId: EventId) {
    const event = yield* Effect.orDie(catalog.getAny(eventId))
    const { description, name, startsAt, timeZone, venue } = event
    const facts: EventFacts = {
      eventId,
      name,
      description,
      startsAt,
      timeZone,
      venue,
      performers: event.performers.map(({ name }) => name),
      tiers: event.tiers.map(({ id, name }) => ({ id, name }))
    }
    return facts
  })
})
