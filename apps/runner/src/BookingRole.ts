/** What sells: the inventories of events, and the orders of buyers. */
import * as BookingNews from "@onsale/booking/BookingNews"
import * as BookingRelay from "@onsale/booking/BookingRelay"
import * as CancelledEvents from "@onsale/booking/CancelledEvents"
import { Checkout } from "@onsale/booking/Checkout"
import * as OrderEntity from "@onsale/booking/OrderEntity"
import { OrderStore } from "@onsale/booking/OrderStore"
import * as OrderSupervisor from "@onsale/booking/OrderSupervisor"
import * as CatalogRelay from "@onsale/catalog/CatalogRelay"
import * as SearchKeeper from "@onsale/catalog/search/SearchKeeper"
import * as InventoryClient from "@onsale/inventory/InventoryClient"
import * as InventoryEntity from "@onsale/inventory/InventoryEntity"
import * as InventoryRelay from "@onsale/inventory/InventoryRelay"
import { InventoryStore } from "@onsale/inventory/InventoryStore"
import { Layer } from "effect"

/** Orders, and what resumes those that a crash has left; over an inventory. */
export const orders = Layer.mergeAll(OrderSupervisor.layer, CancelledEvents.layer).pipe(
  Layer.provideMerge(OrderEntity.layer),
  Layer.provide(Checkout.layer.pipe(Layer.provideMerge(OrderStore.layer)))
)

/** The inventories, an entity an event. */
export const inventories = InventoryEntity.layer.pipe(Layer.provide(InventoryStore.layer))

/**
 * What it tells the bus and hears there. The gateways write the catalog's journal, but come and go with their load:
 * its relay is here.
 */
export const bus = Layer.mergeAll(CatalogRelay.layer, InventoryRelay.layer, BookingRelay.layer).pipe(
  Layer.provideMerge(BookingNews.layer)
)

/** Needs the cluster, the database and an event bus. It keeps the search too, for want of a runner of the catalog. */
export const layer = Layer.mergeAll(
  orders.pipe(Layer.provide(InventoryClient.layerEntity)),
  inventories,
  bus,
  SearchKeeper.layer
)
