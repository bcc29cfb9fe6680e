/** What a gateway needs to answer searches. */
import { Layer } from "effect"
import { CatalogJournal } from "../CatalogJournal.ts"
import { EventStore } from "../EventStore.ts"
import * as ConfiguredSearchIndex from "./ConfiguredSearchIndex.ts"
import { EventSearches } from "./EventSearches.ts"

/** `EventSearches` over the database, with the index of the configuration. */
export const layer = EventSearches.layer.pipe(
  Layer.provide([ConfiguredSearchIndex.layer, EventStore.layer.pipe(Layer.provide(CatalogJournal.layer))])
)
