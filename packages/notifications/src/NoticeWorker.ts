/** Decides for each notice by which channels it is told, and makes a message for each. */
import * as JobWorker from "@onsale/platform/JobWorker"
import type * as Jobs from "@onsale/platform/Jobs"
import { Duration, Effect, Layer } from "effect"
import type { Notice } from "@onsale/contracts/notifications/Notice"
import { Channels } from "./Channels.ts"
import type { DeliveryOptions } from "./DeliveryWorker.ts"
import { MessageStore } from "./MessageStore.ts"
import { NoticeContents } from "./NoticeContents.ts"
import { NoticeJobs } from "./NoticeJobs.ts"
import { channelsFor, Preferences, wishesOf } from "./Preferences.ts"
import { Recipients } from "./Recipients.ts"

/** Short statements only, which share connections and are sent together. */
const concurrency = 16
/** What a worker that died had begun waits a quarter longer than this: nothing is sent here, so it is soon done. */
const attemptLimit = Duration.seconds(15)

export const layer = (options: DeliveryOptions) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const channels = yield* Channels
      const contents = yield* NoticeContents
      const messages = yield* MessageStore
      const preferences = yield* Preferences
      const recipients = yield* Recipients
      const { notices } = yield* NoticeJobs

      const handle = Effect.fn("NoticeWorker.handle")(function* (job: Jobs.Job<Notice>) {
        const notice = job.payload
        const what = yield* contents.of(notice)
        if (what._tag === "Untold") return yield* messages.skip(notice, what.reason)
        const wants = yield* wishesOf(preferences, what.customer, what.customerId)
        const wanted = channelsFor(wants, what.content)
        const addressees = yield* Effect.forEach(
          channels.all.filter(({ channel }) => wanted[channel]),
          ({ channel }) => recipients.of(channel, what, wants, notice)
        )
        const all = addressees.flat()
        if (all.length === 0) {
          return yield* messages.skip(notice, "the customer wants it by no channel that there is")
        }
        yield* messages.plan(notice, all, job.correlation)
      })

      return JobWorker.worker({
        queue: notices,
        handle,
        isFinal: () => false,
        concurrency,
        attemptLimit,
        ...options
      })
    })
  )
