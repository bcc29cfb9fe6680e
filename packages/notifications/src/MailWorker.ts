/**
 * Sends the mails that are due.
 *
 * A mail server that has taken a mail cannot be asked whether it did. So a worker that dies between sending
 * and recording sends again, with the same `Message-ID`, by which mail servers and programs know a duplicate;
 * once it is on record it is never sent again.
 */
import * as Jobs from "@onsale/platform/Jobs"
import { Clock, Duration, Effect, Layer, Option, Schedule, Schema } from "effect"
import { EventId, OrderId } from "@onsale/contracts/Ids"
import { type MailJob, MailJobs } from "./MailJob.ts"
import { MailError, Mailer } from "./Mailer.ts"
import * as Messages from "./Messages.ts"
import { NotificationFacts } from "./NotificationFacts.ts"
import { Notifications } from "./Notifications.ts"

export interface MailWorkerOptions {
  /** The pause after the first failure; it doubles with each. */
  readonly backoff: Duration.Input
  readonly maxBackoff: Duration.Input
  readonly maxAttempts: number
  readonly pollEvery: Duration.Input
}

/**
 * A server that defers strangers wants five to fifteen minutes; one that is down is back within hours. With
 * these a mail is tried for some three hours before it is a dead letter.
 */
const defaults: MailWorkerOptions = {
  backoff: "1 second",
  maxBackoff: "10 minutes",
  maxAttempts: 34,
  pollEvery: "1 second"
}

/** A mail is mostly waiting for its server. */
const concurrency = 4

/** How long an attempt may take; its lease is a quarter longer, so what a killed process was at waits half a minute. */
export const attemptLimit = Duration.seconds(24)

/** The catalog's journal is followed beside that of the bookings, and is usually no further behind than this. */
const eventPatience = { schedule: Schedule.spaced("100 millis"), times: 5 }

/** The order came here before its event. That passes by itself. */
export class EventNotKnownYet extends Schema.TaggedError<EventNotKnownYet>()("EventNotKnownYet", {
  eventId: EventId,
  orderId: OrderId
}) {
  override get message(): string {
    return `event ${this.eventId} is not known here yet, the mail of order ${this.orderId} waits for it`
  }
}

/** An order is on record here before its job is, so this is a mistake of ours. */
const unknown = (orderId: OrderId) =>
  Effect.die(new Error(`order ${orderId} is not known to the notifications`))

export const layer = (options: Partial<MailWorkerOptions> = {}) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const facts = yield* NotificationFacts
      const notifications = yield* Notifications
      const mailer = yield* Mailer

      const orderConfirmed = Effect.fn("MailWorker.orderConfirmed")(function* (
        orderId: OrderId,
        messageId: string
      ) {
        const order = yield* Effect.flatMap(
          facts.order(orderId),
          Option.match({ onNone: () => unknown(orderId), onSome: Effect.succeed })
        )
        const event = yield* Effect.flatMap(
          facts.event(order.eventId),
          Option.match({
            onNone: () => Effect.fail(new EventNotKnownYet({ eventId: order.eventId, orderId })),
            onSome: Effect.succeed
          })
        ).pipe(Effect.retry(eventPatience))
        const pdf = yield* Effect.catchTag(notifications.documentFor(orderId), "TicketsNotFound", () =>
          unknown(orderId)
        )
        return Messages.orderConfirmed({ messageId, order, event, pdf })
      })

      const handle = Effect.fnUntraced(
        function* (job: Jobs.Job<MailJob>) {
          if (yield* facts.isSent(job.id)) return
          const { orderId } = job.payload
          const messageId = `${job.id.replaceAll(":", ".")}@${mailer.domain}`
          const mail = yield* orderConfirmed(orderId, messageId)
          yield* mailer.send({
            ...mail,
            ...(job.correlation === null ? {} : { correlation: job.correlation })
          })
          yield* Effect.logInfo("a mail was sent")
          const sentAtMs = yield* Clock.currentTimeMillis
          yield* facts.recordSent({
            id: job.id,
            orderId,
            to: mail.to.address,
            subject: mail.subject,
            messageId,
            attempts: job.attempt,
            sentAt: new Date(sentAtMs).toISOString()
          })
        },
        // Refunded before it could be sent: there is nothing left to send.
        Effect.catchIf(
          (error) => error._tag === "TicketsNotReady" && error.reason === "NoValidTickets",
          () => Effect.void
        )
      )

      return Jobs.worker({
        queue: yield* MailJobs,
        handle,
        isFinal: (error) => Schema.is(MailError)(error) && !error.retryable,
        concurrency,
        attemptLimit,
        ...defaults,
        ...options
      })
    })
  )
