import { bookingShardGroup } from "@onsale/contracts/inventory/InventoryEntity"
import * as ConfiguredEventBus from "@onsale/platform/ConfiguredEventBus"
import { Layer } from "effect"
import * as BookingRole from "./BookingRole.ts"
import * as Runner from "./Runner.ts"

Runner.run({
  name: "booking",
  shardGroup: bookingShardGroup,
  layer: BookingRole.layer.pipe(Layer.provide(ConfiguredEventBus.layer))
})
