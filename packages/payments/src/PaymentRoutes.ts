/**
 * Which provider takes a payment whose buyer named none. Pure: routes are data, and the same intent gets the same
 * order of providers in every process.
 */
import { OrganiserName } from "@onsale/contracts/catalog/SaleTerms"
import type { PaymentIntentId } from "@onsale/contracts/Ids"
import { Currency } from "@onsale/contracts/Money"
import { ProviderName } from "@onsale/contracts/payments/PaymentIntent"
import { Schema } from "effect"

/** More than there are providers, currencies and organisers to tell apart by hand. */
export const maxRoutes = 64

export const PaymentRoute = Schema.Struct({
  provider: ProviderName,
  /** Its part of the payments among the routes that match, such as 3 beside 1. */
  weight: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 })),
  /** Of those that the provider can charge; all of them when left out. */
  currencies: Schema.optionalKey(Schema.Array(Currency)),
  /** Whose events it is for, before any route that names nobody; everybody's when left out. */
  organisers: Schema.optionalKey(Schema.Array(OrganiserName)),
  /** Beginnings of the method tokens that the provider understands, such as `pm_`; all when left out. */
  methods: Schema.optionalKey(Schema.Array(Schema.String.check(Schema.isBetweenLength(1, 100))))
})
export type PaymentRoute = typeof PaymentRoute.Type

/** Routes as JSON, each to one of the providers that are connected. */
export const routesOver = (connected: ReadonlySet<string>) =>
  Schema.fromJsonString(
    Schema.Array(PaymentRoute).check(
      Schema.isBetweenLength(1, maxRoutes),
      Schema.makeFilter((routes: ReadonlyArray<PaymentRoute>) => {
        const stranger = routes.find(({ provider }) => !connected.has(provider))
        return stranger === undefined
          ? undefined
          : `Expected a provider that is connected (${[...connected].join(", ")}), got ${stranger.provider}`
      })
    )
  )

export interface RouteRequest {
  readonly intentId: PaymentIntentId
  readonly currency: string
  readonly organiser: string | undefined
  readonly method: string
  /** Whether the provider can charge the payment's currency. */
  readonly canCharge: (provider: string) => boolean
  readonly isHealthy: (provider: string) => boolean
  /** Providers that the payment has left. */
  readonly exclude: ReadonlySet<string>
}

/**
 * The providers for a payment, the best first; empty where no route matches. The healthy ones come first, in them
 * those by a contract of the organiser's own, and then the greater score: by weighted rendezvous hashing each is
 * the first in proportion to its weight, and where one falls out only its own payments go elsewhere.
 */
export const choose = (routes: ReadonlyArray<PaymentRoute>, request: RouteRequest): ReadonlyArray<string> => {
  const ranked = routes
    .filter((route) => matches(route, request))
    .map((route) => ({
      provider: route.provider,
      group: (request.isHealthy(route.provider) ? 0 : 2) + (route.organisers === undefined ? 1 : 0),
      score: scoreOf(`${request.intentId}:${route.provider}`, route.weight)
    }))
    .sort((a, b) => a.group - b.group || b.score - a.score || (a.provider < b.provider ? -1 : 1))
  return [...new Set(ranked.map(({ provider }) => provider))]
}

const matches = (route: PaymentRoute, request: RouteRequest): boolean =>
  !request.exclude.has(route.provider) &&
  request.canCharge(route.provider) &&
  (route.currencies?.some((currency) => currency === request.currency) ?? true) &&
  (route.organisers?.some((organiser) => organiser === request.organiser) ?? true) &&
  (route.methods?.some((prefix) => request.method.startsWith(prefix)) ?? true)

/**
 * `-weight / ln(u)`, u uniform in (0, 1): the logarithmic method of Schindelhauer and Schomaker, Weighted
 * Distributed Hash Tables (SPAA 2005), over the rendezvous hashing of Thaler and Ravishankar (1998).
 */
const scoreOf = (key: string, weight: number): number => -weight / Math.log((hash32(key) + 0.5) / 2 ** 32)

/** FNV-1a, and the finalizer of MurmurHash3: ids of the same millisecond differ in few characters. */
const hash32 = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
