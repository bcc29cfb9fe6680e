import { Channels } from "@onsale/notifications/Channels"
import * as NotificationNews from "@onsale/notifications/NotificationNews"
import * as NotificationRunner from "@onsale/notifications/NotificationRunner"
import { Notifications } from "@onsale/notifications/Notifications"
import { WebhookDeliveries } from "@onsale/notifications/webhooks/WebhookDeliveries"
import * as WebhookRunner from "@onsale/notifications/webhooks/WebhookRunner"
import * as ConfiguredEventBus from "@onsale/platform/ConfiguredEventBus"
import * as RoleProcess from "@onsale/platform/RoleProcess"
import { Layer } from "effect"

// It follows journals and leases jobs: nobody sends to it, so it owns no shards.
RoleProcess.run({
  name: "notification",
  layer: Layer.mergeAll(
    NotificationRunner.layer().pipe(Layer.provide([Notifications.layer, Channels.layer])),
    WebhookRunner.layer().pipe(Layer.provide(WebhookDeliveries.layer)),
    NotificationNews.layer.pipe(Layer.provide(ConfiguredEventBus.layer))
  )
})
