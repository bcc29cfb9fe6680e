import { Mailer } from "@onsale/notifications/Mailer"
import * as NotificationRunner from "@onsale/notifications/NotificationRunner"
import { Notifications } from "@onsale/notifications/Notifications"
import * as RoleProcess from "@onsale/platform/RoleProcess"
import { Layer } from "effect"

// It follows journals and leases jobs: nobody sends to it, so it owns no shards.
RoleProcess.run({
  name: "notification",
  layer: NotificationRunner.layer().pipe(Layer.provide([Notifications.layer, Mailer.layer]))
})
