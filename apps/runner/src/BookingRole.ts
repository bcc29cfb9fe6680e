/** What sells: the inventories of events, and the orders of buyers. */
import * as BookingNews from "@onsale/booking/BookingNews"
import * as BookingRelay from "@onsale/booking/BookingRelay"
import * as CancelledEvents from "@onsale/booking/CancelledEvents"
import { Checkout } from "@onsale/booking/Checkout"
import * as OrderEntity from "@onsale/booking/OrderEntity"
import { OrderStore } from "@onsale/booking/OrderStore"
import * as OrderSupervisor from "@onsale/booking/OrderSupervisor"
import * as CustomerOrders from "@onsale/booking/CustomerOrders"
import * as EventSales from "@onsale/booking/EventSales"
import * as CatalogChanges from "@onsale/catalog/CatalogChanges"
import * as CatalogRelay from "@onsale/catalog/CatalogRelay"
import { CatalogTouched } from "@onsale/catalog/CatalogTouched"
import * as EventPages from "@onsale/catalog/EventPages"
import * as SearchKeeper from "@onsale/catalog/search/SearchKeeper"
import * as EventAvailability from "@onsale/inventory/EventAvailability"
import * as InventoryClient from "@onsale/inventory/InventoryClient"
import * as InventoryEntity from "@onsale/inventory/InventoryEntity"
import * as InventoryRelay from "@onsale/inventory/InventoryRelay"
import { InventoryStore } from "@onsale/inventory/InventoryStore"
import * as ReadModel from "@onsale/platform/ReadModel"
import { Effect, Layer } from "effect"

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

/** What is kept of the catalog beside its tables, and has to hear of each change; for want of a runner of the catalog. */
export const copies = Layer.mergeAll(
  EventPages.EventPages.layerTouched.pipe(Layer.provideMerge(EventPages.EventPages.layer)),
  SearchKeeper.layer
).pipe(Layer.provideMerge(CatalogTouched.layer))

/** Tells of changes of the catalog, also of those by SQL; who keeps copies is there when the first change is told. */
const changes = CatalogChanges.layer.pipe(Layer.provideMerge(copies))

/** The read models of booking, inventory and of the catalog, which has no process of its own. Any number of processes run them. */
export const models = Layer.unwrap(
  Effect.map(
    Effect.all([EventPages.model, CustomerOrders.model, EventSales.model]),
    ([pages, orders, sales]) =>
      Layer.mergeAll(
        ReadModel.layer(pages),
        ReadModel.layer(orders),
        ReadModel.layer(sales),
        EventAvailability.layerModel.pipe(Layer.provide(InventoryStore.layer))
      )
  )
)

/** Needs the cluster, the database and an event bus. */
export const layer = Layer.mergeAll(
  orders.pipe(Layer.provide(InventoryClient.layerEntity)),
  inventories,
  bus,
  changes,
  models
)
