/**
 * What is agreed with a buyer beside the price, as the organiser has set it for an event. It comes with the hold that
 * is bought and stands in the order's `Placed`: an order keeps the terms of its purchase, whatever is changed later.
 */
import { Schema } from "effect"
import { Amount } from "../Money.ts"

/** The short name of an organiser, such as `city-opera`: payments are routed by it, and the ledger owes it. */
export const OrganiserName = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9-]{0,63}$/, { expected: "the short name of an organiser" })
)
export type OrganiserName = typeof OrganiserName.Type

/** Hundredths of a percent. */
export const FeeBasisPoints = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 }))

/** What a buyer gets back who does not want to come. An event without one pays back everything at any time. */
export const RefundPolicy = Schema.Struct({
  /** Milliseconds since 1970: no refund by the buyer from then on. Without it there is no deadline. */
  untilMs: Schema.optionalKey(Schema.Int),
  /** Kept of each ticket that is paid back: hundredths of a percent of its price, rounded down. */
  feeBasisPoints: Schema.optionalKey(FeeBasisPoints),
  /** Kept of each ticket besides, in minor units; a ticket pays back nothing at the least. */
  feeAmount: Schema.optionalKey(Amount)
})
export type RefundPolicy = typeof RefundPolicy.Type

/** What is left out is not agreed. */
export const SaleTerms = Schema.Struct({
  organiser: Schema.optionalKey(OrganiserName),
  refunds: Schema.optionalKey(RefundPolicy)
})
export type SaleTerms = typeof SaleTerms.Type
