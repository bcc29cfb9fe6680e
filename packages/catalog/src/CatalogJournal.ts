/** The catalog's journal: one for the process, so that its followers are woken by its appends. */
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import * as Journal from "@onsale/platform/Journal"
import { Context, Layer } from "effect"

export class CatalogJournal extends Context.Service<CatalogJournal, Journal.Journal<CatalogEvent>>()(
  "@onsale/catalog/CatalogJournal"
) {
  static readonly layer = Layer.effect(
    CatalogJournal,
    Journal.make({ schema: "catalog", event: CatalogEvent })
  )
}
