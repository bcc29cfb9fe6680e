/**
 * The providers of one channel, in the order of preference. Each has a breaker, and a limit of messages a second
 * for which a message waits a bounded time. Where one certainly did nothing, the next is tried at once.
 *
 * One that may have taken the message is asked again first, with the same id, and no other one in the same attempt:
 * two providers with one message are two messages.
 */
import type { AttemptOutcome, ChannelName } from "@onsale/contracts/notifications/Message"
import { Cause, Clock, Duration, Effect, Exit, Metric, Option, Result, Schedule, Stream } from "effect"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import { type ChannelMessage, type ChannelProvider, DeliveryError, providerLimit } from "./Channel.ts"

/** One call of one provider. */
export interface Try {
  readonly provider: string
  /** Milliseconds since 1970, when it ended. */
  readonly atMs: number
  readonly outcome: AttemptOutcome
  readonly reason: string | null
}

export interface Delivered {
  readonly provider: string
  readonly reference: string
}

/** What became of one attempt. */
export interface Delivery {
  /** In their order; the last is that of the result, where there is any. */
  readonly tries: ReadonlyArray<Try>
  readonly result: Result.Result<Delivered, DeliveryError>
}

export interface ProviderPool {
  readonly channel: ChannelName
  readonly providers: ReadonlyArray<string>
  /** How long `deliver` takes at most. */
  readonly attemptLimit: Duration.Duration
  /** `before` is the provider that may have taken the message in an earlier attempt. */
  readonly deliver: (message: ChannelMessage, before?: string | null) => Effect.Effect<Delivery>
}

/**
 * Of the last 20 messages, at least 10, this part failed: one that fails half of them is left alone, and one that
 * fails one in a hundred is not, by chance, in a year.
 */
const tripPolicy = CircuitBreaker.rate({ threshold: 0.4, minimumCalls: 10, size: 20 })

/** Doubles while the probes fail. Nobody stands and waits for a mail, so a minute more or less costs little. */
const openDuration = Schedule.min([Schedule.exponential("2 seconds"), Schedule.spaced("1 minute")])

/** A message waits so long for its turn at a provider; then the next one is tried, or it comes again later. */
const maxTurnWait = Duration.seconds(5)

/** The next provider is called only while this is left of the attempt: a call that is cut off tells nothing. */
const failoverWithin = Duration.seconds(12)

const attempts = Metric.counter("onsale_notification_attempts_total", {
  description: "Messages that were given to a provider, by what it made of them",
  incremental: true
})
const breakerOpen = Metric.gauge("onsale_notification_breaker_open", {
  description: "1 while no messages are given to the provider, else 0"
})

/** Of providers of one channel; at least one. It lives as long as the scope. */
export const make = Effect.fnUntraced(
  function* (first: ChannelProvider, ...others: ReadonlyArray<ChannelProvider>) {
    const { channel } = first
    const providers = [first, ...others]
    const breaker = yield* CircuitBreaker.make({ tripPolicy, openDuration })
    const limiter = yield* RateLimiter.make

    yield* breaker.transitions.pipe(
      Stream.runForEach(({ from, key, to }) =>
        Effect.andThen(
          Metric.update(
            Metric.withAttributes(breakerOpen, { channel, provider: key }),
            to === "Closed" ? 0 : 1
          ),
          Effect.logWarning(`${channel} provider ${key}: the breaker goes from ${from} to ${to}`)
        )
      ),
      Effect.forkScoped
    )

    /** Waits for a turn at the provider; fails where that would take too long. */
    const turn = Effect.fnUntraced(function* ({ name, ratePerSecond }: ChannelProvider) {
      if (ratePerSecond === undefined) return
      const limit = Math.max(1, Math.floor(ratePerSecond))
      const window = Duration.millis((limit / ratePerSecond) * 1000)
      const startedMs = yield* Clock.currentTimeMillis
      while (true) {
        const taken = yield* Effect.result(
          limiter.consume({ algorithm: "token-bucket", onExceeded: "fail", window, limit, key: name })
        )
        if (Result.isSuccess(taken)) return
        const { reason } = taken.failure
        // The store is our own memory: what it cannot count is not held back.
        if (reason._tag !== "RateLimitExceeded") return
        const waited = (yield* Clock.currentTimeMillis) - startedMs
        const left = Duration.toMillis(maxTurnWait) - waited
        if (Duration.toMillis(reason.retryAfter) > left) {
          return yield* DeliveryError.of("unreachable", "as many messages as it may have", reason.retryAfter)
        }
        yield* Effect.sleep(Duration.max(reason.retryAfter, Duration.millis(1)))
      }
    })

    const call = Effect.fnUntraced(function* (provider: ChannelProvider, message: ChannelMessage) {
      yield* turn(provider)
      const limited = provider.send(message).pipe(
        Effect.timeoutOrElse({
          duration: providerLimit,
          orElse: () => Effect.fail(DeliveryError.of("unknown", "no answer in time"))
        })
      )
      return yield* breaker
        .execute(limited, { key: provider.name, classify })
        .pipe(
          Effect.catchTag("CircuitBreakerError", ({ reason }) =>
            Effect.fail(
              DeliveryError.of(
                "unreachable",
                "the breaker is open",
                reason._tag === "CircuitOpen" ? reason.retryAfter : undefined
              )
            )
          )
        )
    })

    const deliver = Effect.fn("ProviderPool.deliver")(function* (
      message: ChannelMessage,
      before: string | null = null
    ) {
      const tries: Array<Try> = []
      const startedMs = yield* Clock.currentTimeMillis
      let failure = DeliveryError.of("unreachable", "there is no provider")
      for (const provider of [
        ...providers.filter(({ name }) => name === before),
        ...providers.filter(({ name }) => name !== before)
      ]) {
        const elapsedMs = (yield* Clock.currentTimeMillis) - startedMs
        if (tries.length > 0 && elapsedMs > Duration.toMillis(failoverWithin)) break
        const result = yield* Effect.result(call(provider, message))
        const outcome = Result.isSuccess(result) ? "sent" : result.failure.kind
        yield* Metric.update(
          Metric.withAttributes(attempts, { channel, provider: provider.name, outcome }),
          1
        )
        tries.push({
          provider: provider.name,
          atMs: yield* Clock.currentTimeMillis,
          outcome,
          reason: Result.isSuccess(result) ? null : result.failure.reason
        })
        if (Result.isSuccess(result)) {
          const delivery: Delivery = {
            tries,
            result: Result.succeed({ provider: provider.name, reference: result.success.reference })
          }
          return delivery
        }
        failure = worse(failure, result.failure, tries.length === 1)
        if (result.failure.kind === "unknown" || result.failure.kind === "refused") break
      }
      const delivery: Delivery = { tries, result: Result.fail(failure) }
      return delivery
    })

    const pool: ProviderPool = {
      channel,
      providers: providers.map(({ name }) => name),
      attemptLimit:
        providers.length === 1
          ? Duration.sum(providerLimit, Duration.seconds(1))
          : Duration.sum(providerLimit, Duration.sum(failoverWithin, Duration.seconds(1))),
      deliver
    }
    return pool
  },
  Effect.provide([CircuitBreaker.layerStoreMemory(), RateLimiter.layerStoreMemory])
)

/** What is told of several failures: the last that says something for good, and the earliest time to come again. */
const worse = (known: DeliveryError, next: DeliveryError, isFirst: boolean): DeliveryError => {
  if (isFirst || known.retryAfter === undefined) return next
  if (next.kind === "unknown" || next.kind === "refused") return next
  return DeliveryError.of(
    next.kind,
    next.reason,
    next.retryAfter === undefined ? undefined : Duration.min(known.retryAfter, next.retryAfter)
  )
}

/** A message that was refused or put off is a provider at work. */
const classify = (exit: Exit.Exit<unknown, DeliveryError>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const failure = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (failure === undefined) return CircuitBreaker.ignored
  return failure.kind === "deferred" || failure.kind === "refused"
    ? CircuitBreaker.success
    : CircuitBreaker.failure()
}
