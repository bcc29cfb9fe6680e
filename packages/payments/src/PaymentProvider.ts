/**
 * What a payment provider must be able to do, and the registry of those that are connected.
 *
 * Every call carries an idempotency key of ours: a provider that hears a key again repeats its answer
 * and moves no money. Every failure says whether money can have moved.
 */
import type { OrderId, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import { Context, Effect, Layer, Schema } from "effect"
import type { Answer, Standing } from "./PaymentAnswer.ts"

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

/** The webhook is not the provider's, or cannot be read: 400. */
export class WebhookRejected extends Schema.TaggedError<WebhookRejected>()("WebhookRejected", {
  reason: Schema.Literals([
    "signature_missing",
    "signature_invalid",
    "signature_expired",
    "body_invalid",
    "too_large"
  ])
}) {}

/** A hint that something changed at the provider. It is never believed, only followed by a question. */
export interface WebhookNotice {
  /** The provider's id of the notice; the same over its repeats. At most 255 characters. */
  readonly eventId: string
  /** Null where it speaks of a payment that is none of ours. */
  readonly intentId: PaymentIntentId | null
  /** What it says the payment has become. */
  readonly status: Standing["status"] | "refunded"
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

export interface PaymentProvider {
  /** As in the contracts' `ProviderName`. */
  readonly name: string
  /** Authorises without capturing. A payment that was refused for good is a `Standing` with `failed`, or `declined`. */
  readonly authorise: (request: AuthoriseRequest) => Effect.Effect<Standing, ProviderFailure>
  /** Captures the whole authorised amount. */
  readonly capture: (request: {
    readonly key: string
    readonly reference: string
    readonly amount: number
  }) => Effect.Effect<Standing, ProviderFailure>
  readonly void: (request: {
    readonly key: string
    readonly reference: string
  }) => Effect.Effect<Standing, ProviderFailure>
  /** Success means that this refund is made, now or before. */
  readonly refund: (request: {
    readonly key: string
    readonly reference: string
    readonly amount: number
  }) => Effect.Effect<void, ProviderFailure>
  /** The payment that was authorised under the key; `unknown` while a call with that key still runs. */
  readonly find: (request: {
    readonly key: string
  }) => Effect.Effect<Extract<Answer, { readonly _tag: "Standing" | "Absent" }>, ProviderFailure>
  /** Verifies a webhook over the body's bytes. Header names are in lower case. */
  readonly readWebhook: (
    body: Uint8Array,
    headers: Readonly<Record<string, string | undefined>>
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
    /** The one that takes a payment whose buyer named none. */
    readonly preferred: PaymentProvider
    readonly byName: ReadonlyMap<string, PaymentProvider>
  }
>()("@onsale/payments/PaymentProviders") {
  /** The first of them is the preferred one. */
  static readonly layerOf = (first: PaymentProvider, ...others: ReadonlyArray<PaymentProvider>) =>
    Layer.succeed(PaymentProviders, PaymentProviders.of(make(first, others)))

  static readonly layerEffect = <E, R>(first: Effect.Effect<PaymentProvider, E, R>) =>
    Layer.effect(
      PaymentProviders,
      Effect.map(first, (provider) => PaymentProviders.of(make(provider, [])))
    )
}

const make = (
  first: PaymentProvider,
  others: ReadonlyArray<PaymentProvider>
): PaymentProviders["Service"] => ({
  preferred: first,
  byName: new Map([first, ...others].map((provider) => [provider.name, provider]))
})
