/** What works in the background: follows the journals, and tells buyers what follows from them. */
import { Effect, Layer } from "effect"
import * as BookingNotices from "./BookingNotices.ts"
import * as CatalogNotices from "./CatalogNotices.ts"
import { Channels } from "./Channels.ts"
import * as DeliveryWorker from "./DeliveryWorker.ts"
import * as FanOutWorker from "./FanOutWorker.ts"
import { MessageAttachments } from "./MessageAttachments.ts"
import { MessageStore } from "./MessageStore.ts"
import { NoticeContents } from "./NoticeContents.ts"
import { NoticeJobs } from "./NoticeJobs.ts"
import * as NoticeWorker from "./NoticeWorker.ts"
import * as NotificationWatch from "./NotificationWatch.ts"
import { Preferences } from "./Preferences.ts"
import { PushSubscriptions } from "./push/PushSubscriptions.ts"
import { Recipients } from "./Recipients.ts"

/** What is written down of facts and notices: without it nobody hears of them, and nothing is sent by it. */
export const followers = Layer.mergeAll(CatalogNotices.layer, BookingNotices.layer).pipe(
  Layer.provideMerge(MessageStore.layer),
  Layer.provideMerge(NoticeJobs.layer)
)

/** Over `Notifications.layer`, the `Channels` and the database. Any number of processes may run it. */
export const layer = (options: Partial<DeliveryWorker.DeliveryOptions> = {}) => {
  const all = { ...DeliveryWorker.defaults, ...options }
  const deliveries = Layer.unwrap(
    Effect.map(Channels, (channels) =>
      Layer.mergeAll(Layer.empty, ...channels.all.map((pool) => DeliveryWorker.layer(pool, all)))
    )
  )
  return Layer.mergeAll(
    deliveries,
    NoticeWorker.layer(all),
    FanOutWorker.layer(all),
    NotificationWatch.layer
  ).pipe(
    Layer.provide([NoticeContents.layer, MessageAttachments.layer, Recipients.layer, Preferences.layer]),
    Layer.provide(PushSubscriptions.layer),
    Layer.provideMerge(followers)
  )
}
