/**
 * A circuit breaker before each provider. While it is open no new charge is begun there: an authorisation fails
 * as `retryable` at once, and nothing was sent. What only that provider can do goes through always: to capture,
 * void, refund and find. A question is not counted either: that it is answered does not mean that the provider can
 * charge, and that it is not often means that a call is still under way.
 *
 * The time limit of a call is the adapter's own (`ONSALE_…_TIMEOUT`, see `ProviderHttp.ts`): one that is too slow
 * comes here as a failure.
 */
import { Cause, Duration, Effect, Exit, Metric, Schedule, Stream } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { breakerOpenCode, type PaymentProvider, ProviderFailure } from "./PaymentProvider.ts"

/**
 * Of the last 20 calls that move money, at least 10, this part failed. At a provider that fails one call in a
 * hundred, four of ten do so by chance once in half a million windows.
 */
const tripPolicy = CircuitBreaker.rate({ threshold: 0.4, minimumCalls: 10, size: 20 })

/** Doubles while the probes fail. A buyer who pays meanwhile goes elsewhere, so a minute too long costs little. */
const openDuration = Schedule.min([Schedule.exponential("2 seconds"), Schedule.spaced("1 minute")])

const breakerOpen = Metric.gauge("onsale_payment_breaker_open", {
  description: "1 while new payments are kept from the provider, else 0"
})

export interface ProviderHealth {
  /** The provider behind its breaker. */
  readonly guard: (provider: PaymentProvider) => PaymentProvider
  /** False while an authorisation would fail as `breaker_open`. */
  readonly isHealthy: (provider: string) => Effect.Effect<boolean>
}

/** For one process: what others see of a provider they find out themselves. */
export const make = Effect.gen(function* () {
  const breaker = yield* CircuitBreaker.make({ tripPolicy, openDuration })

  yield* breaker.transitions.pipe(
    Stream.runForEach((moved) =>
      Effect.andThen(
        Metric.update(
          Metric.withAttributes(breakerOpen, { provider: moved.key }),
          moved.to === "Closed" ? 0 : 1
        ),
        Effect.logWarning(`payment provider ${moved.key}: the breaker goes from ${moved.from} to ${moved.to}`)
      )
    ),
    Effect.forkScoped
  )

  const guard = (provider: PaymentProvider): PaymentProvider => {
    const key = provider.name
    const admitted = <A>(
      effect: Effect.Effect<A, ProviderFailure>
    ): Effect.Effect<A, ProviderFailure | CircuitBreaker.CircuitBreakerError> =>
      breaker.execute(effect, { key, classify })
    /** Counted where the breaker lets it through, and made in any case. */
    const counted = <A>(effect: Effect.Effect<A, ProviderFailure>) =>
      Effect.catchTag(admitted(effect), "CircuitBreakerError", () => effect)
    return {
      ...provider,
      authorise: (request) =>
        Effect.catchTag(admitted(provider.authorise(request)), "CircuitBreakerError", ({ message }) =>
          Effect.fail(new ProviderFailure({ kind: "retryable", code: breakerOpenCode, message }))
        ),
      capture: (request) => counted(provider.capture(request)),
      void: (request) => counted(provider.void(request)),
      refund: (request) => counted(provider.refund(request))
    }
  }

  const health: ProviderHealth = {
    guard,
    isHealthy: (provider) =>
      breaker.state(provider).pipe(
        Effect.map(
          (state) =>
            state._tag === "Closed" ||
            // Its time is over: the next one is the probe.
            (state._tag === "Open" && Duration.isZero(state.retryAfter)) ||
            (state._tag === "HalfOpen" && !state.probing)
        ),
        Effect.orElseSucceed(() => true)
      )
  }
  return health
}).pipe(Effect.provide(CircuitBreaker.layerStoreMemory()))

/** A payment that was declined is a provider at work. */
const classify = (exit: Exit.Exit<unknown, ProviderFailure>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const failure = Cause.findErrorOption(exit.cause)
  if (failure._tag === "None") return CircuitBreaker.ignored
  return failure.value.kind === "declined" ? CircuitBreaker.success : CircuitBreaker.failure()
}
