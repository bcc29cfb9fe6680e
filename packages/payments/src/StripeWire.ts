/** What we read of Stripe's objects, and what it means. The names are those of its API of `stripeApiVersion`. */
import { PaymentIntentId } from "@onsale/contracts/Ids"
import { Option, Schema } from "effect"
import * as CurrencyUnits from "./CurrencyUnits.ts"
import type { Dispute } from "./Payment.ts"
import type { Standing } from "./PaymentAnswer.ts"

/** The version that these shapes were read in; a newer one is a change of this file. */
export const stripeApiVersion = "2026-10-28.endive"

/** Our names in the metadata of Stripe's objects. */
export const metadataNames = {
  intent: "onsale_intent_id",
  order: "onsale_order_id",
  refundKey: "onsale_refund_key"
} as const

const Id = Schema.String.check(Schema.isPattern(/^[a-zA-Z0-9_]{1,255}$/))
const Amount = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const maybeText = Schema.optional(Schema.NullOr(Schema.String))
const Metadata = Schema.Record(Schema.String, Schema.String)

const StripeCharge = Schema.Struct({
  id: Id,
  amount_refunded: Amount,
  disputed: Schema.Boolean
})

export const StripePayment = Schema.Struct({
  id: Id,
  status: Schema.Literals([
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "canceled",
    "succeeded"
  ]),
  /** In Stripe's smallest units. */
  amount: Amount,
  amount_received: Amount,
  currency: Schema.String.check(Schema.isPattern(/^[a-z]{3}$/)),
  /** Unix time in seconds. */
  created: Schema.Int,
  metadata: Metadata,
  last_payment_error: Schema.optional(
    Schema.NullOr(Schema.Struct({ code: maybeText, decline_code: maybeText }))
  ),
  next_action: Schema.optional(
    Schema.NullOr(
      Schema.Struct({
        type: Schema.String,
        redirect_to_url: Schema.optional(Schema.NullOr(Schema.Struct({ url: maybeText })))
      })
    )
  ),
  /** An id, unless it was asked to be expanded. */
  latest_charge: Schema.optional(Schema.NullOr(Schema.Union([Id, StripeCharge])))
})
export type StripePayment = typeof StripePayment.Type

const list = <S extends Schema.Constraint>(item: S) =>
  Schema.Struct({ data: Schema.Array(item), has_more: Schema.Boolean })

export const StripePaymentList = list(StripePayment)

export const StripeRefund = Schema.Struct({
  id: Id,
  status: Schema.NullOr(Schema.Literals(["pending", "requires_action", "succeeded", "failed", "canceled"])),
  metadata: Schema.NullOr(Metadata),
  failure_reason: maybeText
})
export type StripeRefund = typeof StripeRefund.Type
export const StripeRefundList = list(StripeRefund)

export const StripeDisputeList = list(Schema.Struct({ status: Schema.String }))

/** The envelope of a webhook; what is in `object` depends on the type. */
export const StripeEvent = Schema.Struct({
  id: Id,
  type: Schema.String,
  data: Schema.Struct({
    object: Schema.Struct({
      object: Schema.String,
      id: Id,
      metadata: Schema.optional(Schema.NullOr(Metadata)),
      payment_intent: Schema.optional(Schema.NullOr(Schema.Union([Id, Schema.Struct({ id: Id })])))
    })
  })
})
export type StripeEvent = typeof StripeEvent.Type

// --- meaning ------------------------------------------------------------------------------------

const decodeIntentId = Schema.decodeUnknownOption(PaymentIntentId)

/** Null where the payment, or whatever else it is, was not made by us. */
export const intentIdOf = (metadata: Readonly<Record<string, string>>): PaymentIntentId | null =>
  Option.getOrNull(decodeIntentId(metadata[metadataNames.intent]))

const statuses = {
  // Stripe would take another method now; we confirm once, so this one has failed.
  requires_payment_method: "failed",
  // Nothing was asked of a bank yet, and nothing will be.
  requires_confirmation: "processing",
  requires_action: "requires_action",
  processing: "processing",
  requires_capture: "authorised",
  canceled: "voided",
  succeeded: "captured"
} as const satisfies Record<StripePayment["status"], Standing["status"]>

export const standing = (payment: StripePayment, dispute: Dispute | null): Standing => {
  const currency = payment.currency.toUpperCase()
  const status = statuses[payment.status]
  const charge = chargeOf(payment)
  const url = payment.next_action?.redirect_to_url?.url ?? null
  const error = payment.last_payment_error
  return {
    _tag: "Standing",
    reference: payment.id,
    status,
    amount: CurrencyUnits.fromStripe(payment.amount, currency),
    currency,
    captured: status === "captured" ? CurrencyUnits.fromStripe(payment.amount_received, currency) : 0,
    refunded: status === "captured" ? CurrencyUnits.fromStripe(charge?.amount_refunded ?? 0, currency) : 0,
    failureCode: status === "failed" ? (error?.decline_code ?? error?.code ?? payment.status) : null,
    nextAction: status === "requires_action" && url !== null ? { type: "redirect", url } : null,
    dispute
  }
}

/** Null where there is none, or where it was not expanded. */
export const chargeOf = (payment: StripePayment) =>
  typeof payment.latest_charge === "object" ? (payment.latest_charge ?? null) : null

/** A captured payment whose charge is only an id does not tell what was refunded. */
export const isWhole = (payment: StripePayment): boolean =>
  payment.status !== "succeeded" || typeof payment.latest_charge !== "string"

const decided = new Map<string, "won" | "lost">([
  ["won", "won"],
  ["prevented", "won"],
  ["warning_closed", "won"],
  ["lost", "lost"]
])

/** One that is open counts most, then one that was lost. A status that is new to us leaves it open. */
export const disputeOf = (disputes: ReadonlyArray<{ readonly status: string }>): Dispute | null => {
  const standings = disputes.map(({ status }): Dispute => decided.get(status) ?? "open")
  if (standings.includes("open")) return "open"
  if (standings.includes("lost")) return "lost"
  return standings.length > 0 ? "won" : null
}
