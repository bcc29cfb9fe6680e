/** INV-04 and INV-05 of the payments' own books: their journal against their table, one payment after another. */
import { PaymentAudit } from "@onsale/payments/PaymentAudit"
import { ReconciliationTable, tellDifference } from "@onsale/payments/ReconciliationTable"
import * as StuckRefunds from "@onsale/payments/StuckRefunds"
import { Effect, Stream } from "effect"
import type { Found } from "./Found.ts"

const maxListed = 1_000

/** A difference that stands for so long is no matter of two clocks. */
const oldMs = 24 * 60 * 60_000

/** A payment as the provider's ledger is compared with it. */
export interface BookedPayment {
  readonly orderId: string | null
  readonly captured: number
  readonly refunded: number
  /** Somebody asks for it until it is settled. */
  readonly isWatched: boolean
}

/** Reads every payment; `each` is told what is wrong as it is found. Answers them by intent. */
export const run = Effect.fn("PaymentChecks.run")(function* (nowMs: number, each: (found: Found) => void) {
  for (const refund of yield* StuckRefunds.list(nowMs, StuckRefunds.stuckAfterMs, maxListed))
    each({ invariant: "INV-05", kind: "breach", what: StuckRefunds.tell(refund) })
  const differences = yield* ReconciliationTable
  for (const difference of yield* differences.open(null, maxListed)) {
    if (nowMs - difference.foundAt.getTime() < oldMs) continue
    const since = difference.foundAt.toISOString()
    each({ invariant: "INV-05", kind: "note", what: `open since ${since}: ${tellDifference(difference)}` })
  }

  const audit = yield* PaymentAudit
  const booked = new Map<string, BookedPayment>()
  const intentOf = new Map<string, string>()
  yield* Stream.runForEach(audit.payments, (payment) =>
    Effect.sync(() => {
      const { amount, captured, captures, intent, intentId, ledger, orderId, refundRequested, refunded } =
        payment
      const breach = (invariant: "INV-04" | "INV-05", what: string) =>
        each({ invariant, kind: "breach", what: `payment ${intentId}: ${what}` })
      if (captures > 1) breach("INV-04", `captured ${captures} times`)
      if (amount === null || orderId === null)
        breach("INV-04", "its journal does not begin with its creation")
      else {
        if (captured > amount) breach("INV-04", `${captured} captured of ${amount}`)
        const other = intentOf.get(orderId)
        if (other !== undefined) breach("INV-04", `order ${orderId} has payment ${other}, too`)
        intentOf.set(orderId, intentId)
      }
      if (refunded > refundRequested)
        breach("INV-05", `${refunded} refunded of ${refundRequested} that was asked for`)
      if (refundRequested > captured)
        breach("INV-05", `a refund of ${refundRequested} was asked for, of ${captured} captured`)
      if (ledger.unbalanced > 0)
        breach("INV-05", `entries of its ledger that do not sum to zero: ${ledger.unbalanced}`)
      if (ledger.held !== captured - refunded || ledger.refundsDue !== refundRequested - refunded) {
        breach(
          "INV-05",
          `the ledger has ${ledger.held} of it and ${ledger.refundsDue} to pay back, the journal ${captured - refunded} and ${refundRequested - refunded}`
        )
      }
      if (intent === null) breach("INV-05", "it is in the journal and not in the table of intents")
      else {
        if (orderId !== null && intent.orderId !== orderId) {
          breach("INV-04", `the table has it for order ${intent.orderId}, the journal for ${orderId}`)
        }
        if (intent.captured !== captured || intent.refunded !== refunded) {
          breach(
            "INV-05",
            `the table has ${intent.captured} captured and ${intent.refunded} refunded, the journal ${captured} and ${refunded}`
          )
        }
        if (intent.watch === "open" && !intent.isWatched)
          breach("INV-05", `it is ${intent.status} and nobody looks at it`)
      }
      booked.set(intentId, { orderId, captured, refunded, isWatched: intent?.isWatched === true })
    })
  )
  return booked
})
