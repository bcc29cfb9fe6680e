/** Every context in one process, over one database and a cluster of one. */
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import type { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { shardGroups } from "@onsale/contracts/ShardGroups"
import * as NotificationRunner from "@onsale/notifications/NotificationRunner"
import { Notifications } from "@onsale/notifications/Notifications"
import { Payments } from "@onsale/payments/Payments"
import * as Cluster from "@onsale/platform/Cluster"
import * as BookingRole from "@onsale/runner/BookingRole"
import { Layer } from "effect"

/**
 * The services that the gateway needs, and all that works behind them, over an inventory. Needs the
 * database, the providers of payments (`PaymentProviders`) and a `Mailer`.
 */
export const layerWith = <E, R>(inventory: Layer.Layer<InventoryClient, E, R>) =>
  Layer.mergeAll(Catalog.layer, Orders.layer, BookingRole.orders, NotificationRunner.layer()).pipe(
    Layer.provideMerge(Layer.mergeAll(inventory, Payments.layerNoProviders(), Notifications.layer)),
    Layer.provideMerge(Cluster.layerSingle({ shardGroups }))
  )
