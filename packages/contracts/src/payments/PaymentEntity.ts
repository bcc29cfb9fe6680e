/**
 * The entity of a payment: its id is the intent's id. Booking reaches the payments through it.
 *
 * A step answers with the payment as it then stands. `PaymentUnavailable` says that the outcome is
 * not known or the provider is away: the same step may be sent again, as often as it takes.
 */
import { Schema } from "effect"
import { ClusterSchema, Entity } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { RefundId } from "../Ids.ts"
import { Amount } from "../Money.ts"
import { NewPayment, PaymentView } from "./PaymentIntent.ts"

export class PaymentUnavailable extends Schema.TaggedError<PaymentUnavailable>()("PaymentUnavailable", {
  message: Schema.String
}) {}

/** The step cannot be taken from where the payment stands (a capture of a voided one, a refund of more than was captured). */
export class PaymentStepRefused extends Schema.TaggedError<PaymentStepRefused>()("PaymentStepRefused", {
  step: Schema.String,
  payment: Schema.NullOr(PaymentView)
}) {}

const error = Schema.Union([PaymentUnavailable, PaymentStepRefused])

/** Creates the intent if it is new, and asks the provider to authorise it. */
export const Authorise = Rpc.make("Authorise", {
  payload: { payment: NewPayment },
  success: PaymentView,
  error
})
/** Captures the whole authorised amount; also of money that came late, see `PaymentView`. */
export const Capture = Rpc.make("Capture", { success: PaymentView, error })
/** Gives the authorisation back, or money that came late; a payment that never was authorised ends as voided or failed. */
export const Void = Rpc.make("Void", { success: PaymentView, error })
export const Refund = Rpc.make("Refund", {
  payload: {
    refundId: RefundId,
    amount: Amount,
    /** Of the request that asked for it; that of the payment when left out. */
    correlation: Schema.optionalKey(Schema.String)
  },
  success: PaymentView,
  error
})
/** Asks the provider how the payment stands, and records what it says. */
export const Refresh = Rpc.make("Refresh", { success: PaymentView, error })
/** The payment as recorded; null where there is none. */
export const GetPayment = Rpc.make("GetPayment", { success: Schema.NullOr(PaymentView) })

export const paymentShardGroup = "payment"

export const PaymentEntity = Entity.make("Payment", [Authorise, Capture, Void, Refund, Refresh, GetPayment])
  // Money that moves is not called back because a caller went away.
  .annotateRpcs(ClusterSchema.Uninterruptible, true)
  .annotate(ClusterSchema.ShardGroup, () => paymentShardGroup)
