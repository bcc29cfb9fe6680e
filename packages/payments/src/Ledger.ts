/**
 * The ledger of payments: every movement of money as lines of double entry that sum to zero. Pure, like `Payment.ts`.
 *
 * An amount above zero is what an account is owed or has, below zero what it owes: a capture is `provider:stripe`
 * +5000 (Stripe owes us) and `organiser:city-opera` −5000 (we owe the opera). Minor units of the payment's currency.
 */
import type { PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import { isCaptured, type Payment } from "./Payment.ts"

export interface Line {
  readonly account: string
  /** Never zero. */
  readonly amount: number
}

/** Asked for, and not paid back yet. */
export const refundsDue = "refunds_due"
/** What the buyers' banks ask for, while that is not decided. */
export const disputed = "disputed"
/** What they were given; whoever bears it. */
export const chargebacks = "chargebacks"

const houseOrganiser = "house"

export const providerAccount = (provider: string): string => `provider:${provider}`

/** Whose event it was; one account for all events that name nobody. */
export const organiserAccount = (organiser: string | undefined): string =>
  `organiser:${organiser ?? houseOrganiser}`

/** `amount` goes from one account to another. */
const move = (amount: number, from: string, to: string): ReadonlyArray<Line> =>
  amount === 0
    ? []
    : [
        { account: to, amount },
        { account: from, amount: -amount }
      ]

/** What an event moves, `state` being the payment before it; nothing for most. */
export const linesOf = (state: Payment | null, event: PaymentEvent): ReadonlyArray<Line> => {
  if (state === null) return []
  const provider = providerAccount(state.provider)
  const organiser = organiserAccount(state.payment.organiser)
  switch (event._tag) {
    case "Captured":
      return move(event.amount, organiser, provider)
    case "RefundRequested":
      return move(event.amount, refundsDue, organiser)
    case "Refunded":
      return move(event.amount, provider, refundsDue)
    case "Disputed":
      // The bank may ask for all that was not paid back by now.
      return isCaptured(state.status) ? move(state.captured - state.refunded, provider, disputed) : []
    case "DisputeClosed":
      return move(state.disputed, disputed, event.won ? provider : chargebacks)
    default:
      return []
  }
}
