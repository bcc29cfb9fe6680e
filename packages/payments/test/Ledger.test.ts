import { OrderId, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import type { NewPayment, PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { chargebacks, disputed, type Line, linesOf, refundsDue } from "../src/Ledger.ts"
import { evolve, type Payment } from "../src/Payment.ts"

const intentId = PaymentIntentId.make("019a0000-0000-7000-8000-000000000001")
const refundOf = (n: number) => RefundId.make(`019a0000-0000-7000-8000-0000000000${n}${n}`)
const amount = 5_000
const payment: NewPayment = {
  orderId: OrderId.make("019a0000-0000-7000-8000-000000000002"),
  amount,
  currency: "EUR",
  provider: null,
  method: "tok_ok",
  organiser: "city-opera"
}
const paid: ReadonlyArray<PaymentEvent> = [
  { _tag: "Created", payment, provider: "stripe" },
  { _tag: "Authorised", reference: "pi_1" },
  { _tag: "Captured", amount }
]
const refund = (n: number, of: number): ReadonlyArray<PaymentEvent> => [
  { _tag: "RefundRequested", refundId: refundOf(n), amount: of },
  { _tag: "Refunded", refundId: refundOf(n), amount: of }
]

/** What the accounts have after the events; an entry that is not balanced fails. */
const book = (events: ReadonlyArray<PaymentEvent>) => {
  let state: Payment | null = null
  const balances: Record<string, number> = {}
  for (const event of events) {
    const lines: ReadonlyArray<Line> = linesOf(state, event)
    expect(lines.reduce((sum, line) => sum + line.amount, 0)).toBe(0)
    for (const line of lines) {
      expect(line.amount).not.toBe(0)
      balances[line.account] = (balances[line.account] ?? 0) + line.amount
    }
    state = evolve(intentId, state, event)
  }
  return { balances, state }
}

describe("the ledger", () => {
  it("owes the organiser what the provider owes us", () => {
    expect(book(paid).balances).toEqual({ "provider:stripe": amount, "organiser:city-opera": -amount })
  })

  it("takes a refund from the organiser when it is asked for, and from the provider when it is made", () => {
    const [requested, made] = refund(1, 2_000)
    expect(book([...paid, requested!]).balances).toEqual({
      "provider:stripe": amount,
      "organiser:city-opera": -3_000,
      [refundsDue]: -2_000
    })
    expect(book([...paid, requested!, made!]).balances).toEqual({
      "provider:stripe": 3_000,
      "organiser:city-opera": -3_000,
      [refundsDue]: 0
    })
  })

  it("keeps what is disputed apart, and writes it off where it is lost", () => {
    const open = [...paid, ...refund(1, 1_000), { _tag: "Disputed" } as const]
    expect(book(open).balances).toMatchObject({ "provider:stripe": 0, [disputed]: 4_000 })
    expect(book([...open, { _tag: "DisputeClosed", won: true }]).balances).toMatchObject({
      "provider:stripe": 4_000,
      [disputed]: 0
    })
    expect(book([...open, { _tag: "DisputeClosed", won: false }]).balances).toMatchObject({
      "provider:stripe": 0,
      [disputed]: 0,
      [chargebacks]: 4_000
    })
  })

  it("has no lines of what moves nothing", () => {
    const free: NewPayment = { ...payment, amount: 0 }
    const events: ReadonlyArray<PaymentEvent> = [
      { _tag: "Created", payment: free, provider: "free" },
      { _tag: "Authorised", reference: "free" },
      { _tag: "Captured", amount: 0 },
      ...refund(1, 0)
    ]
    expect(book(events).balances).toEqual({})
  })

  it.prop(
    "balances in any order of refunds and disputes, and agrees with the payment",
    {
      some: Arbitrary.array(
        Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))),
        {
          minLength: 0,
          maxLength: 12
        }
      )
    },
    ({ some }) => {
      const events = [...paid]
      const open: Array<number> = []
      let refunds = 0
      let isDisputed = false
      for (const choice of some) {
        if (choice <= 1 && refunds < 4) {
          open.push(++refunds)
          events.push({ _tag: "RefundRequested", refundId: refundOf(refunds), amount: 1_000 })
        } else if (choice === 2) {
          const n = open.shift()
          if (n !== undefined) events.push({ _tag: "Refunded", refundId: refundOf(n), amount: 1_000 })
        } else if (choice >= 3) {
          if (isDisputed) events.push({ _tag: "DisputeClosed", won: choice === 4 })
          else events.push({ _tag: "Disputed" })
          isDisputed = !isDisputed
        }
      }
      const { balances, state } = book(events)
      const held =
        (balances["provider:stripe"] ?? 0) + (balances[disputed] ?? 0) + (balances[chargebacks] ?? 0)
      expect(held).toBe(amount - state!.refunded)
      expect(balances[refundsDue] ?? 0).toBe(open.length === 0 ? 0 : -1_000 * open.length)
      expect(balances["organiser:city-opera"]).toBe(-(amount - 1_000 * refunds))
    },
    { arbitrary: { runs: 500 } }
  )
})
