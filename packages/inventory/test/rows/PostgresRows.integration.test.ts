import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { suite } from "@onsale/testing/InventorySuite"
import { Layer } from "effect"
import { InventoryStore } from "../../src/InventoryStore.ts"
import * as PostgresRows from "../../src/rows/PostgresRows.ts"

suite(
  "InventoryClient over rows (L0)",
  PostgresRows.layer.pipe(Layer.provide(InventoryStore.layer), Layer.provide(layerDatabase))
)
