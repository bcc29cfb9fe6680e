import { assert, describe, it } from "@effect/vitest"
import * as CalendarSequence from "../src/booking/CalendarSequence.ts"

type Order = Parameters<typeof CalendarSequence.ofOrder>[1]

const order = (
  status: Order["status"],
  payment: Order["payment"]["status"] = null,
  tickets: Order["tickets"] = []
): Order => ({
  status,
  payment: {
    intentId: "i" as Order["payment"]["intentId"],
    provider: null,
    status: payment,
    failureCode: null
  },
  tickets
})
const tickets = (...statuses: ReadonlyArray<"valid" | "refunded">) =>
  statuses.map((status) => ({ status })) as unknown as Order["tickets"]

const numbers = (states: ReadonlyArray<Order>) => states.map((state) => CalendarSequence.ofOrder(7, state))

describe("CalendarSequence", () => {
  it("grows on the way of an order, with each of its refunds", () => {
    assert.deepStrictEqual(
      numbers([
        order("payment_pending"),
        order("payment_pending", "authorised"),
        order("confirmed", "captured", tickets("valid", "valid", "valid")),
        order("confirmed", "captured", tickets("refunded", "valid", "valid")),
        order("partially_refunded", "captured", tickets("refunded", "valid", "valid")),
        order("refunded", "refunded", tickets("refunded", "refunded", "refunded"))
      ]),
      [7, 8, 9, 10, 10, 12]
    )
  })

  it("does not go back where money comes after the order has ended", () => {
    assert.deepStrictEqual(
      numbers([
        order("payment_pending", "requires_action"),
        order("cancelled", "requires_action"),
        order("payment_pending", "authorised"),
        order("confirmed", "captured", tickets("valid"))
      ]),
      [7, 8, 8, 9]
    )
  })

  it("is never smaller than what was counted before: the revision, one for a settled order, one a refund", () => {
    const refunded = order("refunded", "refunded", tickets("refunded", "refunded"))
    for (const refunds of [1, 2]) assert.isAbove(CalendarSequence.ofOrder(7, refunded), 7 + 1 + refunds)
    const confirmed = order("confirmed", "captured", tickets("valid"))
    assert.isAbove(CalendarSequence.ofOrder(7, confirmed), 7 + 1)
  })

  it("is one for an order with tickets, whoever counts", () => {
    const some = tickets("valid", "refunded")
    assert.strictEqual(
      CalendarSequence.ofTickets(7, some),
      CalendarSequence.ofOrder(7, order("partially_refunded", "partially_refunded", some))
    )
  })
})
