/** Every context in one process, over one database and a cluster of one. */
import { CheckIns } from "@onsale/booking/CheckIns"
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import * as Search from "@onsale/catalog/search/Search"
import type { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { shardGroups } from "@onsale/contracts/ShardGroups"
import * as NotificationNews from "@onsale/notifications/NotificationNews"
import * as NotificationRunner from "@onsale/notifications/NotificationRunner"
import { NoticeJobs } from "@onsale/notifications/NoticeJobs"
import { Notifications } from "@onsale/notifications/Notifications"
import { WebhookDeliveries } from "@onsale/notifications/webhooks/WebhookDeliveries"
import * as WebhookRunner from "@onsale/notifications/webhooks/WebhookRunner"
import { WebhookSubscriptions } from "@onsale/notifications/webhooks/WebhookSubscriptions"
import * as HoldExpiryWorker from "@onsale/notifications/push/HoldExpiryWorker"
import * as PaymentRelay from "@onsale/payments/PaymentRelay"
import { Payments } from "@onsale/payments/Payments"
import * as Cluster from "@onsale/platform/Cluster"
import * as ConfiguredEventBus from "@onsale/platform/ConfiguredEventBus"
import * as BookingRole from "@onsale/runner/BookingRole"
import { Layer } from "effect"

/** Without a broker and consumers of one's own nobody listens, and the relays do nothing. */
const bus = Layer.merge(BookingRole.bus, PaymentRelay.layer).pipe(
  Layer.provideMerge(NotificationNews.layer),
  Layer.provide(ConfiguredEventBus.layer)
)

/**
 * The services that the gateway needs, and all that works behind them, over an inventory. Needs the
 * database, the providers of payments (`PaymentProviders`) and the `Channels`. Nobody is told of changes of the catalog by
 * SQL yet (`CatalogChanges`): that begins when all that keeps copies of it is there, the gateway too.
 */
export const layerWith = <E, R>(inventory: Layer.Layer<InventoryClient, E, R>) =>
  Layer.mergeAll(
    Catalog.layer,
    Search.layer,
    Orders.layer,
    CheckIns.layer,
    BookingRole.orders,
    BookingRole.copies,
    BookingRole.models,
    HoldExpiryWorker.layer().pipe(Layer.provide(NoticeJobs.layer)),
    NotificationRunner.layer(),
    WebhookRunner.layer(),
    bus
  ).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        inventory,
        Payments.layerNoProviders(),
        Notifications.layer,
        WebhookDeliveries.layer,
        WebhookSubscriptions.layer
      )
    ),
    Layer.provideMerge(Cluster.layerSingle({ shardGroups }))
  )
