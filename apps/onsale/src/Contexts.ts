/** Every context in one process, over one database and a cluster of one. */
import * as CancelledEvents from "@onsale/booking/CancelledEvents"
import { Checkout } from "@onsale/booking/Checkout"
import { EventRefunds } from "@onsale/booking/EventRefunds"
import { Orders } from "@onsale/booking/Orders"
import * as OrderEntity from "@onsale/booking/OrderEntity"
import * as OrderSupervisor from "@onsale/booking/OrderSupervisor"
import { OrderStore } from "@onsale/booking/OrderStore"
import { Catalog } from "@onsale/catalog/Catalog"
import type { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { bookingShardGroup } from "@onsale/contracts/inventory/InventoryEntity"
import { paymentShardGroup } from "@onsale/contracts/payments/PaymentEntity"
import * as NotificationRunner from "@onsale/notifications/NotificationRunner"
import { Notifications } from "@onsale/notifications/Notifications"
import { Payments } from "@onsale/payments/Payments"
import * as Cluster from "@onsale/platform/Cluster"
import { Layer } from "effect"

const cluster = Cluster.layerSingle({ shardGroups: ["default", bookingShardGroup, paymentShardGroup] })

/** Orders, what resumes those that a crash has left, and the refunds of events that are cancelled. */
const booking = Layer.mergeAll(
  Orders.layer,
  EventRefunds.layer,
  OrderSupervisor.layer,
  CancelledEvents.layer
).pipe(
  Layer.provideMerge(OrderEntity.layer),
  Layer.provide(Checkout.layer.pipe(Layer.provideMerge(OrderStore.layer)))
)

/**
 * The services that the gateway needs, and all that works behind them, over an inventory. Needs the
 * database, the providers of payments (`PaymentProviders`) and a `Mailer`.
 */
export const layerWith = <E, R>(inventory: Layer.Layer<InventoryClient, E, R>) =>
  Layer.mergeAll(Catalog.layer, booking, NotificationRunner.layer()).pipe(
    Layer.provideMerge(Layer.mergeAll(inventory, Payments.layerNoProviders(), Notifications.layer)),
    Layer.provideMerge(cluster)
  )
