/**
 * Sends the messages of a channel that are due.
 *
 * A provider that has taken a message cannot be asked whether it did. So a worker that dies between sending
 * and recording sends again, with the same id, by which mail servers and programs know a duplicate;
 * once it is on record it is never sent again.
 */
import * as JobWorker from "@onsale/platform/JobWorker"
import type * as Jobs from "@onsale/platform/Jobs"
import { Clock, type Duration, Effect, Layer, Option, Result, Schema } from "effect"
import type { ChannelMessage } from "./Channel.ts"
import { DeliveryError } from "./Channel.ts"
import { MessageAttachments } from "./MessageAttachments.ts"
import { addressOf, MessageStore, type Open } from "./MessageStore.ts"
import { NoticeContents } from "./NoticeContents.ts"
import { noticeId } from "@onsale/contracts/notifications/Notice"
import { type Delivery as DeliveryJob, NoticeJobs } from "./NoticeJobs.ts"
import { channelsFor, localeFor, Preferences, topicOf, wishesOf } from "./Preferences.ts"
import type { Delivery, ProviderPool } from "./ProviderPool.ts"
import { Recipients } from "./Recipients.ts"
import { render } from "./templates/Templates.ts"
import { UnsubscribeLinks } from "./UnsubscribeLinks.ts"

export interface DeliveryOptions {
  /** The pause after the first failure; it doubles with each. */
  readonly backoff: Duration.Input
  readonly maxBackoff: Duration.Input
  readonly maxAttempts: number
  readonly pollEvery: Duration.Input
  /** See `JobWorker`. */
  readonly gatherFor: Duration.Input
  /** How often to look for events that begin soon. */
  readonly lookEvery: Duration.Input
}

/**
 * A server that defers strangers wants five to fifteen minutes; one that is down is back within hours. With
 * these a message is tried for some three hours before it is a dead letter; after ten minutes it counts as stuck
 * (`NotificationWatch`).
 */
export const defaults: DeliveryOptions = {
  backoff: "1 second",
  maxBackoff: "10 minutes",
  maxAttempts: 34,
  pollEvery: "1 second",
  // A message that is a fifth of a second later is nothing to anybody; those of a busy sale are read for together.
  gatherFor: "200 millis",
  lookEvery: "20 seconds"
}

/** A message is mostly waiting for its provider. */
export const concurrency = 8

/** Whoever takes messages and never says so has sent each as often: then somebody has to look. */
const maxUnknowns = 5

/** The id of each repetition. What support sends once more on purpose is another message to whoever gets it. */
const sendingId = ({ key, notice, replays }: Open): string =>
  [noticeId(notice), ...(key === null ? [] : [key]), ...(replays === 0 ? [] : [`again-${replays}`])].join(":")

export const layer = (pool: ProviderPool, options: DeliveryOptions) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const attachments = yield* MessageAttachments
      const contents = yield* NoticeContents
      const messages = yield* MessageStore
      const preferences = yield* Preferences
      const recipients = yield* Recipients
      const links = yield* UnsubscribeLinks
      const jobs = yield* NoticeJobs

      /** The message as it is said now, or why it is not said any more. */
      const compose = Effect.fnUntraced(function* (open: Open, correlation: string | null) {
        const what = yield* contents.of(open.notice)
        if (what._tag === "Untold") return Result.fail(what.reason)
        const { content, customer, customerId } = what
        const wants = yield* wishesOf(preferences, customer, customerId)
        if (!channelsFor(wants, content)[pool.channel])
          return Result.fail("the customer has declined it meanwhile")
        const addressees = yield* recipients.of(pool.channel, what, wants, open.notice)
        const addressee = addressees.find(({ key }) => key === open.key)
        if (addressee === undefined)
          return Result.fail("the customer is not reached by this channel any more")
        const locale = localeFor(wants, customer?.locale)
        const isMail = pool.channel === "email"
        const attached = isMail ? yield* attachments.of(what, locale) : Result.succeed([])
        const topic = topicOf(content)
        const unsubscribe =
          isMail && topic !== null && customer !== null
            ? yield* links.url({ email: customer.email, topic })
            : undefined
        return Result.map(
          attached,
          (files): ChannelMessage => ({
            id: sendingId(open),
            recipient: addressee.recipient,
            rendered: render(content, locale, unsubscribe === undefined ? {} : { unsubscribe }),
            attachments: files,
            ...(unsubscribe === undefined ? {} : { unsubscribeUrl: unsubscribe }),
            ...(correlation === null ? {} : { correlation })
          })
        )
      })

      const suppressed = Effect.fnUntraced(function* (reason: string) {
        const delivery: Delivery = {
          tries: [
            { provider: "suppressions", atMs: yield* Clock.currentTimeMillis, outcome: "refused", reason }
          ],
          result: Result.fail(DeliveryError.of("refused", `the address is not written to: ${reason}`))
        }
        return delivery
      })

      const handle = Effect.fn("DeliveryWorker.handle")(function* (job: Jobs.Job<DeliveryJob>) {
        const found = yield* messages.find(job.id)
        if (Option.isNone(found)) {
          return yield* Effect.die(new Error(`message ${job.id} has a job and is not on record`))
        }
        const open = found.value
        if (open.isDone) return
        const silent = job.attempt - 1 - open.rounds
        if (silent > 0) yield* messages.recordSilent(job.id, silent)
        // It has to wait for another letter: an attempt that has sent nothing.
        const composed = yield* Effect.tapError(compose(open, job.correlation), () =>
          messages.recordUnsent(job.id)
        )
        if (Result.isFailure(composed)) return yield* messages.skipMessage(job.id, composed.failure)
        const message = composed.success
        const delivery =
          open.suppressed === null
            ? yield* pool.deliver(message, open.maybeSentBy)
            : yield* suppressed(open.suppressed)
        yield* messages.record(job.id, delivery, {
          channel: pool.channel,
          recipient: addressOf(message.recipient),
          subject: message.rendered.subject
        })
        if (Result.isSuccess(delivery.result))
          return yield* Effect.logInfo(`a message was sent by ${pool.channel}`)
        const { failure } = delivery.result
        if (failure.isGone === true) {
          const provider = delivery.tries[delivery.tries.length - 1]?.provider ?? pool.channel
          yield* recipients.forget(message.recipient, open.key, { provider, reason: failure.reason })
        }
        if (failure.kind === "unknown" && open.unknowns + 1 >= maxUnknowns) {
          return yield* DeliveryError.of(
            "refused",
            `it may have been sent ${maxUnknowns} times, and no answer came: ${failure.reason}`
          )
        }
        return yield* failure
      })

      return JobWorker.worker({
        queue: jobs.deliveries(pool.channel),
        handle,
        isFinal: (error) => Schema.is(DeliveryError)(error) && !error.retryable,
        retryAfter: (error) => (Schema.is(DeliveryError)(error) ? error.retryAfter : undefined),
        concurrency,
        attemptLimit: pool.attemptLimit,
        ...options
      })
    })
  )
