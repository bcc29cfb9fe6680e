/** What the provider may answer, and what that means for a payment. Pure, like `Payment.ts`. */
import type { RefundId } from "@onsale/contracts/Ids"
import type { NextAction, PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import {
  type Dispute,
  isCaptured,
  isOpen,
  isUnanswered,
  type Payment,
  undoRefundId,
  waitingRefunds
} from "./Payment.ts"

/** How the payment stands at the provider. Amounts in minor units. */
export interface Standing {
  readonly _tag: "Standing"
  readonly reference: string
  readonly status: "requires_action" | "processing" | "authorised" | "captured" | "voided" | "failed"
  readonly amount: number
  readonly currency: string
  readonly captured: number
  readonly refunded: number
  readonly failureCode: string | null
  readonly nextAction: NextAction | null
  /** Whether the buyer's bank asks for the money back; null where it never did. Beside the status, and part of no sum. */
  readonly dispute: Dispute | null
}

export type Answer =
  | Standing
  /** The provider has, at this moment, no payment under our key. */
  | { readonly _tag: "Absent" }
  /** The provider refused to authorise, for good. */
  | { readonly _tag: "Declined"; readonly code: string }
  /** Nobody knows what became of the authorisation. */
  | { readonly _tag: "Unknown"; readonly reason: string }
  | { readonly _tag: "RefundMade"; readonly refundId: RefundId }

/** What an answer of the provider means; nothing where it is no news. */
export const observe = (state: Payment, answer: Answer): ReadonlyArray<PaymentEvent> => {
  switch (answer._tag) {
    case "Standing":
      return observeStanding(state, answer)
    case "Absent":
      return state.voidRequested && isUnanswered(state) ? [{ _tag: "Voided" }] : []
    case "Declined":
      return isUnanswered(state) ? [{ _tag: "Failed", reference: null, code: answer.code }] : []
    case "Unknown":
      return state.status === "created"
        ? [{ _tag: "Processing", reference: null, reason: answer.reason }]
        : []
    case "RefundMade": {
      const refund = state.refunds.get(answer.refundId)
      return refund === undefined || refund.made
        ? []
        : [{ _tag: "Refunded", refundId: answer.refundId, amount: refund.amount }]
    }
  }
}

const observeStanding = (state: Payment, standing: Standing): ReadonlyArray<PaymentEvent> => {
  const { reference } = standing
  switch (standing.status) {
    case "captured":
      return observeCaptured(state, standing)
    case "authorised":
      return isCaptured(state.status) || state.status === "authorised" || state.undo || state.late
        ? []
        : [{ _tag: "Authorised", reference }]
    case "processing":
      return isUnanswered(state) || state.status === "requires_action"
        ? [{ _tag: "Processing", reference, reason: "the provider is still working on it" }]
        : []
    case "requires_action":
      if (!isUnanswered(state)) return []
      return standing.nextAction === null
        ? [{ _tag: "Processing", reference, reason: "the buyer has to act" }]
        : [{ _tag: "RequiresAction", reference, nextAction: standing.nextAction }]
    case "voided":
      return isOpen(state.status) || isHeldAfterEnd(state) ? [{ _tag: "Voided" }] : []
    case "failed":
      if (isHeldAfterEnd(state)) return [{ _tag: "Voided" }]
      return isOpen(state.status)
        ? [{ _tag: "Failed", reference, code: standing.failureCode ?? "failed" }]
        : []
  }
}

/** It ended here, and the provider holds an authorisation. */
const isHeldAfterEnd = (state: Payment): boolean => state.undo || (state.late && !isCaptured(state.status))

const observeCaptured = (state: Payment, standing: Standing): ReadonlyArray<PaymentEvent> => {
  const dispute = observeDispute(state.dispute, standing.dispute)
  if (isCaptured(state.status)) return dispute
  const events: Array<PaymentEvent> = []
  if (state.status !== "authorised" && !isHeldAfterEnd(state)) {
    events.push({ _tag: "Authorised", reference: standing.reference })
  }
  const amount = standing.captured
  events.push({ _tag: "Captured", amount })
  // The order has said already that it does not want it.
  if (state.undo) events.push({ _tag: "RefundRequested", refundId: undoRefundId(state.intentId), amount })
  return [...events, ...dispute]
}

/** A dispute whose beginning was missed begins and ends at once. An answer without one says nothing: it may be older. */
const observeDispute = (known: Dispute | null, told: Dispute | null): ReadonlyArray<PaymentEvent> => {
  if (told === null || told === known) return []
  const opened: ReadonlyArray<PaymentEvent> = known === "open" ? [] : [{ _tag: "Disputed" }]
  return told === "open" ? opened : [...opened, { _tag: "DisputeClosed", won: told === "won" }]
}

/** False where the provider speaks of another payment than ours: then it must not be believed. */
export const isOurs = (state: Payment, standing: Standing): boolean =>
  standing.amount === state.payment.amount &&
  standing.currency === state.payment.currency &&
  standing.captured <= state.payment.amount &&
  standing.refunded <= standing.captured &&
  (state.reference === null || state.reference === standing.reference)

/**
 * The refunds that the provider has no money left for, because someone made them there by hand: those
 * that wait are covered by what it has paid back. Asked only after it declined a refund.
 */
export const observeCovered = (state: Payment, standing: Standing): ReadonlyArray<PaymentEvent> => {
  const waiting = waitingRefunds(state)
  let due = state.refunded
  for (const [, refund] of waiting) due += refund.amount
  return standing.refunded >= due
    ? waiting.map(([refundId, refund]) => ({ _tag: "Refunded", refundId, amount: refund.amount }) as const)
    : []
}
