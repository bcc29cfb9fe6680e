/** Chooses the provider of a payment by the routes and the health of the providers, and the next one after a failure. */
import type { PaymentIntentId } from "@onsale/contracts/Ids"
import type { NewPayment } from "@onsale/contracts/payments/PaymentIntent"
import { Effect, Metric } from "effect"
import { freeProviderName } from "./FreeProvider.ts"
import { mayReroute, type Payment } from "./Payment.ts"
import type { PaymentProviders } from "./PaymentProvider.ts"
import { choose } from "./PaymentRoutes.ts"

type Providers = PaymentProviders["Service"]

const routed = Metric.counter("onsale_payment_routed", {
  description: "New payments that a route gave to a provider",
  incremental: true
})

const rerouted = Metric.counter("onsale_payment_rerouted", {
  description: "Payments that were given to another provider, by provider left, provider taken and reason",
  incremental: true
})

const rank = (
  providers: Providers,
  intentId: PaymentIntentId,
  payment: NewPayment,
  unhealthy: ReadonlySet<string>,
  exclude: ReadonlySet<string>
): ReadonlyArray<string> =>
  choose(providers.routes, {
    intentId,
    currency: payment.currency,
    organiser: payment.organiser,
    method: payment.method,
    canCharge: (provider) => canCharge(providers, provider, payment.currency),
    isHealthy: (provider) => !unhealthy.has(provider),
    exclude
  })

const canCharge = (providers: Providers, provider: string, currency: string): boolean => {
  const currencies = providers.byName.get(provider)?.currencies
  return currencies === "all" || currencies?.has(currency) === true
}

const nobody: ReadonlySet<string> = new Set()

const unhealthyOf = (providers: Providers) =>
  Effect.map(
    Effect.filter([...new Set(providers.routes.map(({ provider }) => provider))], (provider) =>
      Effect.map(providers.isHealthy(provider), (isHealthy) => !isHealthy)
    ),
    (names): ReadonlySet<string> => new Set(names)
  )

/** The provider of a new payment: the one that the buyer named, or the best by the routes. */
export const first = Effect.fnUntraced(function* (
  providers: Providers,
  intentId: PaymentIntentId,
  payment: NewPayment
) {
  if (payment.amount === 0) return freeProviderName
  if (payment.provider !== null) return payment.provider
  const [best] = rank(providers, intentId, payment, yield* unhealthyOf(providers), nobody)
  if (best === undefined) return providers.preferred.name
  yield* Metric.update(Metric.withAttributes(routed, { provider: best }), 1)
  return best
})

/** Why nobody can take the payment, and another try could not either; null where somebody can. */
export const refusal = (
  providers: Providers,
  intentId: PaymentIntentId,
  payment: NewPayment
): "provider_unknown" | "currency_not_supported" | "no_route" | null => {
  if (payment.amount === 0) return null
  if (payment.provider !== null) {
    if (!providers.byName.has(payment.provider)) return "provider_unknown"
    return canCharge(providers, payment.provider, payment.currency) ? null : "currency_not_supported"
  }
  if (rank(providers, intentId, payment, nobody, nobody).length > 0) return null
  return providers.routes.some(({ provider }) => canCharge(providers, provider, payment.currency))
    ? "no_route"
    : "currency_not_supported"
}

/** The next provider that is healthy, for a payment that may leave its own; null where it has to stay. */
export const another = Effect.fnUntraced(function* (providers: Providers, state: Payment, reason: string) {
  if (!mayReroute(state)) return null
  const unhealthy = yield* unhealthyOf(providers)
  const exclude = new Set([...state.left, state.provider, ...unhealthy])
  const [best] = rank(providers, state.intentId, state.payment, unhealthy, exclude)
  if (best === undefined) return null
  yield* Metric.update(Metric.withAttributes(rerouted, { from: state.provider, to: best, reason }), 1)
  return best
})
