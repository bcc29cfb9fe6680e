import { bookingShardGroup } from "@onsale/contracts/inventory/InventoryEntity"
import * as Cluster from "@onsale/platform/Cluster"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { suite } from "@onsale/testing/InventorySuite"
import { Layer } from "effect"
import * as InventoryClient from "../src/InventoryClient.ts"
import * as InventoryEntity from "../src/InventoryEntity.ts"
import { InventoryStore } from "../src/InventoryStore.ts"

suite(
  "InventoryClient over the entity",
  InventoryClient.layerEntity.pipe(
    Layer.provide(InventoryEntity.layer),
    Layer.provide(InventoryStore.layer),
    Layer.provide(Cluster.layerSingle({ shardGroups: ["default", bookingShardGroup] })),
    Layer.provide(layerDatabase)
  )
)
