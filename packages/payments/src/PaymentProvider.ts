/**
 * What a payment provider must be able to do, and the registry of those that are connected.
 *
 * Every call carries an idempotency key of ours: a provider that hears a key again repeats its answer
 * and moves no money. Every failure says whether money can have moved.
 */
import type { OrderId, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import { Context, Effect, Layer, Schema } from "effect"
import type { Answer, Standing } from "./PaymentAnswer.ts"
import type { PaymentRoute } from "./PaymentRoutes.ts"

/**
 * - `declined`: the provider has understood and said no, for good.
 * - `retryable`: it is certain that nothing happened.
 * - `unknown`: money may have moved or not; ask by key.
 */
export const FailureKind = Schema.Literals(["declined", "retryable", "unknown"])

export class ProviderFailure extends Schema.TaggedError<ProviderFailure>()("ProviderFailure", {
  kind: FailureKind,
  /** A word for it: the provider's own where it gave one. */
  code: Schema.String,
  message: Schema.String
}) {}

/** Of an authorisation that was not sent, as the provider fails too often. */
export const breakerOpenCode = "breaker_open"

/** The webhook is not the provider's, or cannot be read: 400. */
export class WebhookRejected extends Schema.TaggedError<WebhookRejected>()("WebhookRejected", {
  reason: Schema.Literals([
    "signature_missing",
    "signature_invalid",
    "signature_expired",
    "body_invalid",
    "too_large",
    /** It could not be told whose it is, as the provider does not answer: it will come again. */
    "provider_unavailable"
  ])
}) {}

/** A hint that something changed at the provider. It is never believed, only followed by a question. */
export interface WebhookNotice {
  /** The provider's id of the notice; the same over its repeats. At most 255 characters. */
  readonly eventId: string
  /** Null where it speaks of a payment that is none of ours. */
  readonly intentId: PaymentIntentId | null
  /** What it says the payment has become; `disputed` where a dispute began, changed or ended. */
  readonly status: Standing["status"] | "refunded" | "disputed"
}

export interface AuthoriseRequest {
  readonly key: string
  readonly intentId: PaymentIntentId
  readonly orderId: OrderId
  /** Minor units. */
  readonly amount: number
  readonly currency: string
  readonly method: string
}

/** A step of a payment that the provider knows. */
export interface StepRequest {
  readonly key: string
  readonly intentId: PaymentIntentId
  /** The provider's id for the payment. */
  readonly reference: string
}

export interface MoveRequest extends StepRequest {
  /** Minor units of the payment's currency. */
  readonly amount: number
  readonly currency: string
}

export interface FindRequest {
  /** The key of the authorisation. */
  readonly key: string
  readonly intentId: PaymentIntentId
  /** The provider's id for the payment where it has told us one: then it is asked for by that. */
  readonly reference: string | null
}

export interface ListRequest {
  /** Unix time in milliseconds: payments created from then on, and before `toMs`. */
  readonly fromMs: number
  readonly toMs: number
  /** Of the page before; null for the first. */
  readonly cursor: string | null
}

export interface ListedPayment {
  /** Null where it was not made by us. */
  readonly intentId: PaymentIntentId | null
  readonly standing: Standing
  /** Unix time in milliseconds, by the provider's clock. */
  readonly createdAtMs: number
}

/** At most some hundred payments; an empty page may yet have a next one. In no promised order. */
export interface PaymentPage {
  readonly payments: ReadonlyArray<ListedPayment>
  /** Null after the last page. */
  readonly nextCursor: string | null
}

export interface PaymentProvider {
  /** As in the contracts' `ProviderName`. */
  readonly name: string
  /** The ISO 4217 codes that it can charge. */
  readonly currencies: ReadonlySet<string> | "all"
  /** Authorises without capturing. A payment that was refused for good is a `Standing` with `failed`, or `declined`. */
  readonly authorise: (request: AuthoriseRequest) => Effect.Effect<Standing, ProviderFailure>
  /** Captures the whole authorised amount. */
  readonly capture: (request: MoveRequest) => Effect.Effect<Standing, ProviderFailure>
  readonly void: (request: StepRequest) => Effect.Effect<Standing, ProviderFailure>
  /** Success means that this refund is made, now or before. */
  readonly refund: (request: MoveRequest) => Effect.Effect<void, ProviderFailure>
  /**
   * The payment that was authorised under the key. Never charges. `Absent` only where it is certain that there
   * is none; `unknown` until then, and while a call with that key may still run.
   */
  readonly find: (
    request: FindRequest
  ) => Effect.Effect<Extract<Answer, { readonly _tag: "Standing" | "Absent" }>, ProviderFailure>
  /** The payments of a time, to compare our books with: those that others made at the same account, too. */
  readonly list: (request: ListRequest) => Effect.Effect<PaymentPage, ProviderFailure>
  /**
   * Verifies a webhook over the body's bytes. Header names are in lower case; `token` is the one of the URL
   * that it was sent to, for providers that do not sign.
   */
  readonly readWebhook: (
    body: Uint8Array,
    headers: Readonly<Record<string, string | undefined>>,
    token?: string | undefined
  ) => Effect.Effect<WebhookNotice, WebhookRejected>
}

/** The idempotency keys of an intent: one a step, for ever. */
export const keys = {
  authorise: (intentId: PaymentIntentId): string => `${intentId}:authorise`,
  capture: (intentId: PaymentIntentId): string => `${intentId}:capture`,
  void: (intentId: PaymentIntentId): string => `${intentId}:void`,
  refund: (intentId: PaymentIntentId, refundId: RefundId): string => `${intentId}:refund:${refundId}`
} as const

export class PaymentProviders extends Context.Service<
  PaymentProviders,
  {
    /** The one that takes a payment whose buyer named none, where nothing is said of routes. */
    readonly preferred: PaymentProvider
    readonly byName: ReadonlyMap<string, PaymentProvider>
    /** For payments whose buyer named none; at least one. */
    readonly routes: ReadonlyArray<PaymentRoute>
    /** False while new payments are kept from the provider. */
    readonly isHealthy: (provider: string) => Effect.Effect<boolean>
  }
>()("@onsale/payments/PaymentProviders") {
  /** The first of them is the preferred one, and takes all. */
  static readonly layerOf = (first: PaymentProvider, ...others: ReadonlyArray<PaymentProvider>) =>
    Layer.succeed(PaymentProviders, PaymentProviders.of(make(first, others)))

  static readonly layerEffect = <E, R>(providers: Effect.Effect<PaymentProviders["Service"], E, R>) =>
    Layer.effect(PaymentProviders, providers)
}

/** Providers whose health nobody watches. Without routes the first takes all. */
export const make = (
  first: PaymentProvider,
  others: ReadonlyArray<PaymentProvider>,
  routes: ReadonlyArray<PaymentRoute> = [{ provider: first.name, weight: 1 }]
): PaymentProviders["Service"] => ({
  preferred: first,
  byName: new Map([first, ...others].map((provider) => [provider.name, provider])),
  routes,
  isHealthy: () => Effect.succeed(true)
})
