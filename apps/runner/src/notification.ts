import { Channels } from "@onsale/notifications/Channels"
import * as NotificationNews from "@onsale/notifications/NotificationNews"
import * as NotificationRunner from "@onsale/notifications/NotificationRunner"
import { Notifications } from "@onsale/notifications/Notifications"
import * as ConfiguredEventBus from "@onsale/platform/ConfiguredEventBus"
import * as RoleProcess from "@onsale/platform/RoleProcess"
import { Layer } from "effect"

// It follows journals and leases jobs: nobody sends to it, so it owns no shards.
RoleProcess.run({
  name: "notification",
  layer: Layer.merge(
    NotificationRunner.layer().pipe(Layer.provide([Notifications.layer, Channels.layer])),
    NotificationNews.layer.pipe(Layer.provide(ConfiguredEventBus.layer))
  )
})
