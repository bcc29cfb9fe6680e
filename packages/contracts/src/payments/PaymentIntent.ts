/**
 * A payment intent: the one payment of one order. Whatever is retried, repeated or delivered twice,
 * its provider sees one idempotency key a step, so a customer is charged at most once (INV-04).
 */
import { Schema } from "effect"
import { OrganiserName } from "../catalog/SaleTerms.ts"
import { OrderId, PaymentIntentId, RefundId } from "../Ids.ts"
import { Amount, Currency } from "../Money.ts"

/** `disputed`: captured, and the buyer's bank is asking for it back; what was captured and refunded stays as it is. */
export const PaymentStatus = Schema.Literals([
  "created",
  "requires_action",
  "processing",
  "authorised",
  "captured",
  "voided",
  "failed",
  "partially_refunded",
  "refunded",
  "disputed"
])
export type PaymentStatus = typeof PaymentStatus.Type

/** What the buyer has to do before the payment can go on. */
export const NextAction = Schema.Struct({ type: Schema.Literal("redirect"), url: Schema.String })
export type NextAction = typeof NextAction.Type

/**
 * Twelve digits or more, whatever separates them: the shortest card numbers have twelve. Of the tokens that
 * providers make of letters and digits, one in a hundred million has such a run.
 */
const digitsOfACard = /(?:\d_?){12}/

/** A provider's name for a way to pay, such as `tok_ok` or `pm_1Mq…`; never a card number. */
export const PaymentMethod = Schema.String.check(
  Schema.isPattern(/^[a-z][a-zA-Z0-9_]{0,99}$/, { expected: "a payment method token such as tok_ok" }),
  // What it was is not told: the message could be kept where no card number may be.
  Schema.makeFilter((token: string) =>
    digitsOfACard.test(token) ? "Expected a payment method token, which is no card number" : undefined
  )
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
  providerReference: Schema.NullOr(Schema.String),
  /**
   * Money came after it had ended here, and waits for the order's word: `Capture` takes it after all, `Void` gives
   * it back.
   */
  late: Schema.optionalKey(Schema.Literal(true))
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
  method: PaymentMethod,
  /** Whose event it pays for. */
  organiser: Schema.optionalKey(OrganiserName)
})
export type NewPayment = typeof NewPayment.Type

/**
 * The domain events of payments, as they stand in `payments.journal`; the stream is the intent's id.
 */
export const PaymentEvent = Schema.TaggedUnion({
  Created: { payment: NewPayment, provider: Schema.String },
  /** Its provider did certainly nothing, and another one is called after this is written. */
  Rerouted: { provider: Schema.String, reason: Schema.String },
  RequiresAction: { reference: Schema.String, nextAction: NextAction },
  /** The outcome is not known yet; the provider is asked again by our key. */
  Processing: { reference: Schema.NullOr(Schema.String), reason: Schema.String },
  Authorised: { reference: Schema.String },
  Failed: { reference: Schema.NullOr(Schema.String), code: Schema.String },
  Captured: { amount: Amount },
  /** Written before the provider is asked to void: from here on a late success is given back. */
  VoidRequested: {},
  Voided: {},
  /** The order takes money that came late. */
  Reinstated: {},
  /** The order does not: it is given back. */
  LateMoneyRefused: {},
  RefundRequested: {
    refundId: RefundId,
    amount: Amount,
    /** Of the request that asked for it; that of the payment when left out. */
    correlation: Schema.optionalKey(Schema.String)
  },
  Refunded: { refundId: RefundId, amount: Amount },
  /** The buyer's bank asks for the money back. It changes no sum: the provider's fees and reserves are its own. */
  Disputed: {},
  /** `won`: the money stays ours. */
  DisputeClosed: { won: Schema.Boolean }
})
export type PaymentEvent = typeof PaymentEvent.Type
