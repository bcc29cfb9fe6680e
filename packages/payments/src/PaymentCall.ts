/** Which call the provider is owed next. Pure, like `Payment.ts`. */
import type { RefundId } from "@onsale/contracts/Ids"
import {
  isCaptured,
  isOpen,
  isUnanswered,
  mayReroute,
  type Payment,
  waitingRefunds,
  watch
} from "./Payment.ts"
import type { Answer } from "./PaymentAnswer.ts"

/** A call to the provider. All but `Ask` carry an idempotency key of ours, so each may be repeated. */
export type Call =
  | { readonly _tag: "Ask" }
  | { readonly _tag: "Authorise" }
  | { readonly _tag: "Capture"; readonly reference: string }
  | { readonly _tag: "Void"; readonly reference: string }
  | {
      readonly _tag: "Refund"
      readonly reference: string
      readonly refundId: RefundId
      readonly amount: number
    }

/** What a step is to reach. */
export type Goal =
  | { readonly _tag: "Authorise" | "Capture" | "Void" | "Refresh" }
  | { readonly _tag: "Refund"; readonly refundId: RefundId }

/** Whether the payment has got where the step was to bring it. */
export const isReached = (state: Payment, goal: Goal): boolean => {
  switch (goal._tag) {
    case "Authorise":
      return !isUnanswered(state)
    case "Capture":
      return isCaptured(state.status)
    case "Void":
      return state.late || (!isOpen(state.status) && watch(state) !== "open")
    case "Refund":
      return state.refunds.get(goal.refundId)?.made === true
    case "Refresh":
      return false
  }
}

/** The wanted refund if it waits, else the oldest that does. */
const waitingRefund = (state: Payment, wanted: RefundId | null) => {
  const refund = wanted === null ? undefined : state.refunds.get(wanted)
  return wanted === null || refund === undefined || refund.made
    ? waitingRefunds(state)[0]
    : ([wanted, refund] as const)
}

/**
 * The call that brings the payment nearer to the goal, or null where nothing is left to do.
 * `last` is the newest answer within this step, `fresh` in its place where the payment was created by it.
 * An unknown outcome is asked for before anything is tried again, and only the order's own `Authorise`
 * may start a charge: a refresh never does.
 */
export const nextCall = (state: Payment, goal: Goal, last: Answer | "fresh" | null): Call | null => {
  const { reference } = state
  if (state.undo || (state.voidRequested && isOpen(state.status))) {
    return reference === null ? { _tag: "Ask" } : { _tag: "Void", reference }
  }
  if (isCaptured(state.status)) {
    const refund = waitingRefund(state, goal._tag === "Refund" ? goal.refundId : null)
    if (refund !== undefined && reference !== null) {
      return { _tag: "Refund", reference, refundId: refund[0], amount: refund[1].amount }
    }
  }
  switch (goal._tag) {
    case "Authorise":
      if (!isUnanswered(state)) return null
      return last === "fresh" || (last !== null && last._tag === "Absent")
        ? { _tag: "Authorise" }
        : { _tag: "Ask" }
    case "Capture":
      if (isUnanswered(state)) return last === null ? { _tag: "Ask" } : null
      return state.status === "authorised" && reference !== null ? { _tag: "Capture", reference } : null
    case "Refresh":
      return last === null ? { _tag: "Ask" } : null
    case "Void":
    case "Refund":
      return null
  }
}

/**
 * Whether it must be written that the payment stays with its provider before that is called: the step that created it
 * may still run somewhere, and would take it elsewhere.
 */
export const mustFence = (state: Payment, fresh: boolean): boolean => !fresh && mayReroute(state)
