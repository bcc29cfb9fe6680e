/** What sells: the inventories of events, and the orders of buyers. */
import * as CancelledEvents from "@onsale/booking/CancelledEvents"
import { Checkout } from "@onsale/booking/Checkout"
import * as OrderEntity from "@onsale/booking/OrderEntity"
import { OrderStore } from "@onsale/booking/OrderStore"
import * as OrderSupervisor from "@onsale/booking/OrderSupervisor"
import * as InventoryClient from "@onsale/inventory/InventoryClient"
import * as InventoryEntity from "@onsale/inventory/InventoryEntity"
import { InventoryStore } from "@onsale/inventory/InventoryStore"
import { Layer } from "effect"

/** Orders, and what resumes those that a crash has left; over an inventory. */
export const orders = Layer.mergeAll(OrderSupervisor.layer, CancelledEvents.layer).pipe(
  Layer.provideMerge(OrderEntity.layer),
  Layer.provide(Checkout.layer.pipe(Layer.provideMerge(OrderStore.layer)))
)

/** The inventories, an entity an event. */
export const inventories = InventoryEntity.layer.pipe(Layer.provide(InventoryStore.layer))

/** Needs the cluster and the database. */
export const layer = Layer.merge(orders.pipe(Layer.provide(InventoryClient.layerEntity)), inventories)
