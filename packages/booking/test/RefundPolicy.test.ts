import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { makeUuidV7, RefundId } from "@onsale/contracts/Ids"
import type { RefundCause } from "@onsale/contracts/booking/Order"
import type { RefundPolicy } from "@onsale/contracts/catalog/SaleTerms"
import { feeOf, firstRun, requestRefund } from "../src/Order.ts"
import { evolve, keptAmount, type Order, refundedAmount, statusOf, validTickets } from "../src/OrderState.ts"
import { OrderWorld, orderId, placed } from "./OrderWorld.ts"

const Int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A confirmed order of four tickets, 9000 minor units together, bought under a policy. */
const bought = Effect.fnUntraced(function* (refunds: RefundPolicy) {
  const world = new OrderWorld("ok", [])
  yield* world.toEnd(firstRun)
  const order = world.order()
  return { ...order, placed: { ...order.placed, terms: { refunds } } } satisfies Order
})

const ask = (order: Order, tickets: ReadonlyArray<number> | null, cause: RefundCause, nowMs = 0) =>
  requestRefund(
    order,
    {
      refundId: RefundId.make(makeUuidV7(0)),
      tickets: tickets === null ? null : tickets.map((i) => order.tickets[i]!.id),
      reason: "ill",
      cause
    },
    nowMs
  )

const after = (order: Order, refund: ReturnType<typeof ask>) =>
  Result.isFailure(refund) ? order : evolve(order, refund.success, { orderId, atMs: 0 })

describe("the refund policy of the purchase", () => {
  it.prop(
    "a fee is never more than the price, nor less than nothing",
    { price: Int(0, 999_999_999_999), feeBasisPoints: Int(0, 10_000), feeAmount: Int(0, 999_999_999_999) },
    ({ feeAmount, feeBasisPoints, price }) => {
      const fee = feeOf(price, { feeBasisPoints, feeAmount })
      assert.isTrue(Number.isSafeInteger(fee) && fee >= 0 && fee <= price)
      assert.strictEqual(feeOf(price, {}), 0)
    }
  )

  it.effect.prop(
    "what is paid back, what is kept and what is still valid is what was paid (INV-05)",
    {
      feeBasisPoints: Int(0, 10_000),
      feeAmount: Int(0, 3_000),
      parts: Schema.Array(Schema.Array(Int(0, 3))),
      organiserFrom: Int(0, 4)
    },
    ({ feeAmount, feeBasisPoints, organiserFrom, parts }) =>
      Effect.gen(function* () {
        let order: Order = yield* bought({ feeBasisPoints, feeAmount })
        for (const [i, part] of parts.entries()) {
          order = after(order, ask(order, part, i < organiserFrom ? "customer" : "organiser"))
          const valid = validTickets(order).reduce((sum, { price }) => sum + price, 0)
          assert.strictEqual(refundedAmount(order) + keptAmount(order) + valid, placed.total.amount)
        }
      })
  )

  it.effect("keeps the fee of each ticket, and says so", () =>
    Effect.gen(function* () {
      const order = yield* bought({ feeBasisPoints: 1_000, feeAmount: 50 })
      const refund = ask(order, [0, 2], "customer")
      assert.isTrue(Result.isSuccess(refund))
      // 2500 - 250 - 50 and 2000 - 200 - 50
      assert.deepInclude(Result.getOrThrow(refund), { amount: 3_950, fee: 550 })
      const [made] = after(order, refund).refunds
      assert.deepInclude(made, {
        amount: { amount: 3_950, currency: "EUR" },
        fee: { amount: 550, currency: "EUR" },
        cause: "customer"
      })
    })
  )

  it.effect("gives nothing back from its deadline on, but for the organiser", () =>
    Effect.gen(function* () {
      const order = yield* bought({ untilMs: 1_000 })
      assert.isTrue(Result.isSuccess(ask(order, null, "customer", 999)))
      const late = ask(order, [1], "customer", 1_000)
      assert.isTrue(Result.isFailure(late) && late.failure.deadlineMs === 1_000)
      for (const cause of ["organiser", "event_cancelled"] as const)
        assert.deepInclude(Result.getOrThrow(ask(order, null, cause, 1_000)), { amount: 9_000, cause })
    })
  )

  it.effect("may keep all of it: the tickets are given back, and the order is refunded", () =>
    Effect.gen(function* () {
      const order = yield* bought({ feeBasisPoints: 10_000 })
      const refund = Result.getOrThrow(ask(order, null, "customer"))
      assert.deepInclude(refund, { amount: 0, fee: 9_000 })
      const at = { orderId, atMs: 0 }
      const end = evolve(evolve(order, refund, at), { _tag: "Refunded", refundId: refund.refundId }, at)
      assert.strictEqual(statusOf(end), "refunded")
    })
  )
})
