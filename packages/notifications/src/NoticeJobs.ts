/** The durable jobs of the notifications, in `notifications.jobs`: notices to plan, messages to send, events to tell of. */
import { EventId, HoldId } from "@onsale/contracts/Ids"
import type { ChannelName } from "@onsale/contracts/notifications/Message"
import { Notice } from "@onsale/contracts/notifications/Notice"
import * as Jobs from "@onsale/platform/Jobs"
import { Context, Effect, Layer, Schema } from "effect"

/** What all buyers of an event are told, as a notice each. */
export const FanOut = Schema.TaggedUnion({
  EventChanged: { eventId: EventId, change: Schema.Int },
  EventReminder: { eventId: EventId, startsAt: Schema.String }
})
export type FanOut = typeof FanOut.Type

export const fanOutId = (fanOut: FanOut): string =>
  fanOut._tag === "EventChanged"
    ? `${fanOut.eventId}:event-changed:${fanOut.change}`
    : `${fanOut.eventId}:reminder:${fanOut.startsAt}`

/** A hold that somebody wants to be warned of, when that is due. */
export const HoldExpiry = Schema.Struct({ eventId: EventId, holdId: HoldId })
export type HoldExpiry = typeof HoldExpiry.Type

/** All of a message is in its row: the job has its id. */
export const Delivery = Schema.Struct({})
export type Delivery = typeof Delivery.Type

export class NoticeJobs extends Context.Service<
  NoticeJobs,
  {
    /** By `noticeId`: whom to tell by which channels is decided. */
    readonly notices: Jobs.JobQueue<Notice>
    readonly fanOuts: Jobs.JobQueue<FanOut>
    /** By `<holdId>:<when it expires>`, and by why it is asked of again. */
    readonly holdExpiries: Jobs.JobQueue<HoldExpiry>
    /** By the id of the message, a queue a channel: one that is stuck holds up no other. */
    readonly deliveries: (channel: ChannelName) => Jobs.JobQueue<Delivery>
  }
>()("@onsale/notifications/NoticeJobs") {
  static readonly layer = Layer.effect(
    NoticeJobs,
    Effect.gen(function* () {
      const queue = <A, I>(name: string, payload: Schema.Codec<A, I>) =>
        Jobs.make({ schema: "notifications", queue: name, payload })
      const deliveries = {
        email: yield* queue("email", Delivery),
        sms: yield* queue("sms", Delivery),
        push: yield* queue("push", Delivery)
      }
      return NoticeJobs.of({
        notices: yield* queue("notice", Notice),
        fanOuts: yield* queue("fan-out", FanOut),
        holdExpiries: yield* queue("hold-expiry", HoldExpiry),
        deliveries: (channel) => deliveries[channel]
      })
    })
  )
}
