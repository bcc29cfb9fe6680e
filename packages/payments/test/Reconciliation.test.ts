import { OrderId, PaymentIntentId } from "@onsale/contracts/Ids"
import { PaymentStatus } from "@onsale/contracts/payments/PaymentIntent"
import { describe, expect, it } from "@effect/vitest"
import type { Standing } from "../src/PaymentAnswer.ts"
import type { ListedPayment } from "../src/PaymentProvider.ts"
import { compare, DifferenceKind, mendingOf, missingThere, type OurPayment } from "../src/Reconciliation.ts"

const intentId = PaymentIntentId.make("019a0000-0000-7000-8000-000000000001")
const nowMs = Date.UTC(2026, 10, 26)

const captured: OurPayment = {
  intentId,
  orderId: OrderId.make("019a0000-0000-7000-8000-000000000002"),
  provider: "stripe",
  status: "captured",
  amount: 5_000,
  currency: "EUR",
  captured: 5_000,
  refunded: 0,
  reference: "pi_1",
  updatedAtMs: nowMs - 1
}
const standing: Standing = {
  _tag: "Standing",
  reference: "pi_1",
  status: "captured",
  amount: 5_000,
  currency: "EUR",
  captured: 5_000,
  refunded: 0,
  failureCode: null,
  nextAction: null,
  dispute: null
}
const listed = (change: Partial<Standing> = {}, of: PaymentIntentId | null = intentId): ListedPayment => ({
  intentId: of,
  standing: { ...standing, ...change },
  createdAtMs: nowMs - 60_000
})
const kinds = (there: ListedPayment, ours: OurPayment | null, provider = "stripe") =>
  compare(provider, there, ours, nowMs).map(({ kind }) => kind)

const theirStatuses = ["requires_action", "processing", "authorised", "captured", "voided", "failed"] as const

/** Those of ours that each of theirs may go with, once nothing is under way. */
const agreeing: Record<Standing["status"], ReadonlyArray<PaymentStatus>> = {
  requires_action: ["created", "requires_action", "processing"],
  processing: ["created", "requires_action", "processing"],
  authorised: ["authorised"],
  captured: ["captured", "partially_refunded", "refunded", "disputed"],
  voided: ["voided", "failed"],
  failed: ["voided", "failed"]
}

describe("reconciliation", () => {
  it("finds nothing where both have the same", () => {
    expect(kinds(listed(), captured)).toEqual([])
    expect(
      kinds(listed({ refunded: 700 }), { ...captured, status: "partially_refunded", refunded: 700 })
    ).toEqual([])
    expect(kinds(listed(), { ...captured, status: "disputed" })).toEqual([])
  })

  it("leaves alone what others made at the same account", () => {
    expect(kinds(listed({}, null), null)).toEqual([])
  })

  it("tells of an intent that we have no row of", () => {
    expect(kinds(listed(), null)).toEqual(["unknown_here"])
  })

  for (const theirs of theirStatuses) {
    for (const ours of PaymentStatus.literals) {
      const agrees = agreeing[theirs].includes(ours)
      it(`${theirs} there and ${ours} here ${agrees ? "agree" : "do not agree"}`, () => {
        expect(kinds(listed({ status: theirs }), { ...captured, status: ours })).toEqual(
          agrees ? [] : ["status"]
        )
      })
    }
  }

  it("tells of other sums and another currency", () => {
    expect(kinds(listed({ amount: 5_001 }), captured)).toEqual(["amount"])
    expect(kinds(listed({ captured: 4_000 }), captured)).toEqual(["amount"])
    expect(kinds(listed({ currency: "USD" }), captured)).toEqual(["currency"])
    expect(kinds(listed({ refunded: 1 }), captured)).toEqual(["refund_sum"])
  })

  it("tells of a provider that holds money of a payment that is another's", () => {
    for (const status of theirStatuses) {
      const holds = status === "captured" || status === "authorised"
      expect(kinds(listed({ status, reference: "tr_1" }), captured, "mollie")).toEqual(
        holds ? ["other_provider"] : []
      )
    }
    expect(kinds(listed({ refunded: 5_000, reference: "tr_1" }), captured, "mollie")).toEqual([])
  })

  it("does not take one account under two names for two payments", () => {
    expect(kinds(listed(), captured, "stripe-too")).toEqual([])
  })

  it("says nothing of a payment that has just changed", () => {
    const now = { ...captured, updatedAtMs: nowMs }
    for (const status of theirStatuses) expect(kinds(listed({ status, refunded: 3 }), now)).toEqual([])
  })

  it("never mends by a guess, and never mends by taking money", () => {
    const mended = DifferenceKind.literals.filter((kind) => mendingOf(kind) !== "none")
    expect(mended).toEqual(["other_provider", "status", "refund_sum"])
    expect(missingThere(captured)).toMatchObject({ kind: "missing_there", theirs: null, reference: "pi_1" })
    expect(missingThere({ ...captured, reference: null }).reference).toBe(intentId)
  })
})
