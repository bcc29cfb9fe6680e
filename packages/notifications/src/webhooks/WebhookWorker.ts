/**
 * Sends the deliveries that are due. A receiver that has answered cannot be asked whether it did: a worker that dies
 * between its answer and our record sends again, with the same `webhook-id`, by which receivers know a repeat.
 */
import { pauseAfter } from "@onsale/platform/Backoff"
import {
  Cause,
  Config,
  Duration,
  Effect,
  Exit,
  FiberSet,
  Layer,
  Metric,
  Option,
  PubSub,
  Schedule,
  Semaphore
} from "effect"
import { type Leased, WebhookDeliveries } from "./WebhookDeliveries.ts"
import { type Answer, callLimit, WebhookSender } from "./WebhookSender.ts"
import { WebhookVault } from "./WebhookVault.ts"

const attempts = Metric.counter("onsale_webhook_attempts_total", {
  description: "Attempts at deliveries to webhooks, by how they ended",
  incremental: true
})
const gauges = {
  oldestWaitingMs: Metric.gauge("onsale_webhook_oldest_waiting_ms", {
    description: "Age of the oldest delivery that waits, in milliseconds; 0 where none does"
  }),
  overdueMs: Metric.gauge("onsale_webhook_overdue_ms", {
    description:
      "How long the delivery that is due longest was not tried, of webhooks that do not fail, in milliseconds"
  }),
  deadToday: Metric.gauge("onsale_webhook_dead_letters", {
    description: "Deliveries that were given up in the last day, and not replayed"
  }),
  disabled: Metric.gauge("onsale_webhook_disabled", {
    description: "Webhooks that were disabled as they answered 410 or failed for days"
  })
}

export interface WebhookWorkerOptions {
  /** The pause after the first failure; it doubles with each. */
  readonly backoff: Duration.Input
  readonly maxBackoff: Duration.Input
  readonly pollEvery: Duration.Input
  /** How long a lease lasts: longer than an attempt may take. */
  readonly lease: Duration.Duration
  readonly concurrency: number
}

/** Some forty attempts in three days; who was away for an hour is tried again within the next. */
const defaults: WebhookWorkerOptions = {
  backoff: "5 seconds",
  maxBackoff: "2 hours",
  pollEvery: "1 second",
  lease: Duration.times(callLimit, 3),
  concurrency: 16
}

/** `Retry-After` is honoured up to this: beyond it somebody means never. */
const maxRetryAfter = Duration.hours(6)

const measureEvery = Duration.seconds(5)

const supervised = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")]).pipe(
  Schedule.jittered
)

export const layer = (given: Partial<WebhookWorkerOptions> = {}) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const options = { ...defaults, ...given }
      const deliveries = yield* WebhookDeliveries
      const sender = yield* WebhookSender
      const vault = yield* WebhookVault
      /** A webhook that failed for so long, without a single success, is disabled. */
      const disableAfter = yield* Config.Duration("ONSALE_WEBHOOK_DISABLE_AFTER").pipe(
        Config.withDefault(Duration.days(5))
      )

      const attempt = Effect.fnUntraced(
        function* (leased: Leased) {
          const sealed = [leased.secret, ...(leased.previousSecret === null ? [] : [leased.previousSecret])]
          const secrets = yield* Effect.forEach(sealed, (each) => vault.open(leased.webhookId, each))
          return yield* sender.send({ id: leased.id, url: leased.url, body: leased.body, secrets })
        },
        // Ours to mend, see the runbook; until then it is tried again like any failure.
        Effect.catchTag("SecretUnreadable", ({ message }) =>
          Effect.logError(message).pipe(
            Effect.as<Answer>({
              outcome: "blocked",
              status: null,
              error: "its secret cannot be read",
              response: null,
              retryAfter: Option.none()
            })
          )
        )
      )

      const record = Effect.fnUntraced(function* (leased: Leased, answer: Answer, durationMs: number) {
        const backoff = yield* pauseAfter(leased.tries, options.backoff, options.maxBackoff)
        const asked = Duration.min(
          Option.getOrElse(answer.retryAfter, () => Duration.zero),
          maxRetryAfter
        )
        const { error, outcome, response, status } = answer
        const then = yield* deliveries
          .settle(
            leased,
            { outcome, status, error, response, durationMs },
            { pause: Duration.max(backoff, asked), disableAfter }
          )
          .pipe(
            Effect.retry({
              schedule: Schedule.exponential("50 millis"),
              times: 5,
              while: (failure) => failure.isRetryable
            })
          )
        yield* Metric.update(Metric.withAttributes(attempts, { outcome }), 1)
        if (then.status === "dead") {
          yield* Effect.logWarning(
            `delivery ${leased.id} to webhook ${leased.webhookId} is given up: ${error}`
          )
        }
        if (then.disabled) {
          yield* Effect.logWarning(
            `webhook ${leased.webhookId} is disabled: ${outcome === "gone" ? "it answered 410" : "nothing was delivered for days"}`
          )
        }
      })

      const run = Effect.fnUntraced(
        function* (leased: Leased) {
          const [duration, exit] = yield* attempt(leased).pipe(
            Effect.interruptible,
            Effect.exit,
            Effect.timed
          )
          if (Exit.isSuccess(exit)) {
            return yield* record(leased, exit.value, Math.round(Duration.toMillis(duration)))
          }
          if (Cause.hasInterruptsOnly(exit.cause)) return yield* deliveries.release(leased)
          return yield* Effect.failCause(exit.cause)
        },
        // Not settled is not lost: the lease runs out and it is repeated.
        (effect, leased) =>
          effect.pipe(
            Effect.catchCause((cause) =>
              Effect.logError(`delivery ${leased.id} could not be settled`, cause)
            ),
            Effect.uninterruptible,
            Effect.annotateLogs({
              delivery: leased.id,
              ...(leased.correlation === null ? {} : { correlationId: leased.correlation })
            })
          )
      )

      const wake = yield* deliveries.offered
      const slots = yield* Semaphore.make(options.concurrency)
      const running = yield* FiberSet.make<void>()
      // What is under way has an answer within its limit.
      yield* Effect.addFinalizer(() =>
        Effect.asVoid(Effect.timeoutOption(FiberSet.awaitEmpty(running), callLimit))
      )
      const start = Effect.gen(function* () {
        const leased = yield* Effect.onError(deliveries.lease(options.lease), () => slots.release(1))
        if (Option.isNone(leased)) {
          yield* slots.release(1)
          return false
        }
        yield* FiberSet.run(running, Effect.ensuring(Effect.asVoid(run(leased.value)), slots.release(1)))
        return true
      })
      const step = slots.take(1).pipe(
        // One that was leased is always begun, so that it is given back when we stop.
        Effect.andThen(Effect.uninterruptible(start)),
        Effect.flatMap((started) =>
          started ? Effect.void : Effect.asVoid(Effect.timeoutOption(PubSub.take(wake), options.pollEvery))
        ),
        Effect.sandbox,
        Effect.tapError((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.void
            : Effect.logError("deliveries to webhooks cannot be taken", cause)
        ),
        Effect.retry(supervised)
      )
      yield* Effect.forkScoped(Effect.forever(step))

      const measure = deliveries.backlog.pipe(
        Effect.flatMap((backlog) =>
          Effect.all([
            Metric.update(gauges.oldestWaitingMs, backlog.oldestWaitingMs),
            Metric.update(gauges.overdueMs, backlog.overdueMs),
            Metric.update(gauges.deadToday, backlog.deadToday),
            Metric.update(gauges.disabled, backlog.disabled)
          ])
        ),
        Effect.catchCause((cause) => Effect.logDebug("the backlog of webhooks is not known", cause))
      )
      yield* Effect.forkScoped(Effect.repeat(measure, Schedule.spaced(measureEvery)))
      yield* deliveries.prune.pipe(
        Effect.repeat({ while: (pruned) => pruned > 0 }),
        Effect.catchCause((cause) => Effect.logWarning("deliveries to webhooks cannot be pruned", cause)),
        Effect.repeat(Schedule.spaced("1 hour")),
        Effect.forkScoped
      )
    })
  )
