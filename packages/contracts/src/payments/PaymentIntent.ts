/**
 * A payment intent: the one payment of one order. Whatever is retried, repeated or delivered twice,
 * its provider sees one idempotency key a step, so a customer is charged at most once (INV-04).
 */
import { Schema } from "effect"
import { OrderId, PaymentIntentId, RefundId } from "../Ids.ts"
import { Amount, Currency } from "../Money.ts"

export const PaymentStatus = Schema.Literals([
  "created",
  "requires_action",
  "processing",
  "authorised",
  "captured",
  "voided",
  "failed",
  "partially_refunded",
  "refunded"
])
export type PaymentStatus = typeof PaymentStatus.Type

/** What the buyer has to do before the payment can go on. */
export const NextAction = Schema.Struct({ type: Schema.Literal("redirect"), url: Schema.String })
export type NextAction = typeof NextAction.Type

/** A provider's name for a way to pay; never a card number. */
export const PaymentMethod = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9_]{0,99}$/, { expected: "a payment method token such as tok_ok" })
)

export const ProviderName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9-]{0,31}$/, { expected: "the name of a payment provider such as sandbox" })
)

/** An intent as it stands. */
export const PaymentView = Schema.Struct({
  intentId: PaymentIntentId,
  orderId: OrderId,
  provider: Schema.String,
  status: PaymentStatus,
  amount: Amount,
  currency: Currency,
  captured: Amount,
  refunded: Amount,
  /** Why it failed, in the provider's word; null where it did not. */
  failureCode: Schema.NullOr(Schema.String),
  nextAction: Schema.NullOr(NextAction),
  /** The provider's id for it, for support; null before the first answer. */
  providerReference: Schema.NullOr(Schema.String)
})
export type PaymentView = typeof PaymentView.Type

export const NewPayment = Schema.Struct({
  /** Of the request that it stems from. */
  correlation: Schema.optionalKey(Schema.String),
  orderId: OrderId,
  amount: Amount,
  currency: Currency,
  /** Null lets the payments choose. */
  provider: Schema.NullOr(ProviderName),
  method: PaymentMethod
})
export type NewPayment = typeof NewPayment.Type

/**
 * The domain events of payments, as they stand in `payments.journal`; the stream is the intent's id.
 */
export const PaymentEvent = Schema.TaggedUnion({
  Created: { payment: NewPayment, provider: Schema.String },
  RequiresAction: { reference: Schema.String, nextAction: NextAction },
  /** The outcome is not known yet; the provider is asked again by our key. */
  Processing: { reference: Schema.NullOr(Schema.String), reason: Schema.String },
  Authorised: { reference: Schema.String },
  Failed: { reference: Schema.NullOr(Schema.String), code: Schema.String },
  Captured: { amount: Amount },
  /** Written before the provider is asked to void: from here on a late success is given back. */
  VoidRequested: {},
  Voided: {},
  RefundRequested: { refundId: RefundId, amount: Amount },
  Refunded: { refundId: RefundId, amount: Amount }
})
export type PaymentEvent = typeof PaymentEvent.Type
