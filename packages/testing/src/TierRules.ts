/** What tiers may be held when, how many and by whom, for every implementation: part of `InventorySuite`. */
import { Effect } from "effect"
import { assert } from "vitest"
import { confirm, held, newOrderId, openSale, refused, seatsOf, sold } from "./InventorySale.ts"
import { hall, tierOf, voucher, withTier } from "./SaleLayouts.ts"
import { advance, now } from "./SteeredClock.ts"
import type { Rules } from "./InventorySuite.ts"

const places = (quantity: number) => [{ area: 0, quantity }]

export const tierRules: Rules = (it) => {
  // --- windows

  it.effect("a tier is held from its first millisecond on and before its last, and others all the time", () =>
    Effect.gen(function* () {
      const at = yield* now
      const layout = withTier(hall(), "Front", { opensAtMs: at + 1_000, closesAtMs: at + 2_000 })
      const sale = yield* openSale(layout)
      yield* advance(999)
      const early = refused(yield* sale.hold({ seats: [0, 1, 20] }), "tier_closed", { seats: [0, 1] })
      assert.deepInclude(early, { limit: at + 1_000, tier: tierOf(layout, "Front").id })
      held(yield* sale.hold({ seats: [20] }))
      yield* advance(1)
      held(yield* sale.hold({ seats: [0] }))
      yield* advance(999)
      const last = held(yield* sale.hold({ seats: [1] }))
      const late = held(yield* sale.hold({ seats: [2] }))
      yield* advance(1)
      const closed = refused(yield* sale.hold({ seats: [3] }), "tier_closed", { seats: [3] })
      assert.strictEqual(closed.limit, at + 2_000)
      // What was held in time can be bought, and so can what the money came late for.
      sold(yield* sale.execute(confirm(last.holdId, newOrderId(), { seats: [1] })))
      yield* advance(20_000)
      sold(yield* sale.execute(confirm(late.holdId, newOrderId(), { seats: [2] })))
    })
  )

  it.effect("the window of a tier is that of its areas too", () =>
    Effect.gen(function* () {
      const at = yield* now
      const sale = yield* openSale(withTier(hall(), "Standing", { opensAtMs: at + 1_000 }))
      refused(yield* sale.hold({ seats: [0], areas: places(1) }), "tier_closed", {
        seats: [],
        areas: places(1)
      })
      yield* advance(1_000)
      held(yield* sale.hold({ seats: [0], areas: places(1) }))
    })
  )

  it.effect("best available passes by a tier that is closed, and says so to who wants that one", () =>
    Effect.gen(function* () {
      const at = yield* now
      const sale = yield* openSale(withTier(hall(), "Front", { opensAtMs: at + 1_000 }))
      const seats = seatsOf(yield* sale.hold({ best: { quantity: 2 } }))
      assert.isTrue(seats.every((seat) => seat >= 20 && seat < 40))
      const told = refused(yield* sale.hold({ best: { quantity: 2, tier: "Front" } }), "tier_closed")
      assert.strictEqual(told.limit, at + 1_000)
      yield* advance(1_000)
      assert.deepStrictEqual([...seatsOf(yield* sale.hold({ best: { quantity: 2 } }))], [4, 5])
    })
  )

  // --- least and most

  it.effect("INV-08: a tier's least and most count over seats and places, beside the most of an order", () =>
    Effect.gen(function* () {
      const layout = withTier(
        withTier(hall({ maxPerOrder: 6 }), "Rear", { minPerOrder: 2, maxPerOrder: 4 }),
        "Standing",
        { minPerOrder: 2 }
      )
      const sale = yield* openSale(layout)
      const { id } = tierOf(layout, "Rear")
      const few = refused(yield* sale.hold({ seats: [0, 20] }), "below_minimum", { seats: [20] })
      assert.deepInclude(few, { limit: 2, tier: id, scope: "tier" })
      const many = refused(yield* sale.hold({ seats: [20, 21, 22, 23, 24] }), "limit_passed", {
        seats: [20, 21, 22, 23, 24]
      })
      assert.deepInclude(many, { limit: 4, tier: id, scope: "tier" })
      const order = refused(yield* sale.hold({ seats: [20, 21, 22, 23, 0, 1, 2] }), "limit_passed")
      assert.deepInclude(order, { limit: 6, scope: "order" })
      refused(yield* sale.hold({ seats: [20, 21], areas: places(1) }), "below_minimum", { areas: places(1) })
      held(yield* sale.hold({ seats: [20, 21, 22, 23, 0, 1] }))
      held(yield* sale.hold({ seats: [24, 25], areas: places(2) }))
      held(yield* sale.hold({ seats: [2] }))
      yield* sale.expectTaken({ held: [0, 1, 2, 20, 21, 22, 23, 24, 25], free: [3, 10] })
    })
  )

  it.effect(
    "INV-08: best available keeps to the least and most of a tier, and says what stands in the way",
    () =>
      Effect.gen(function* () {
        const rear = { minPerOrder: 2, maxPerOrder: 3 }
        const sale = yield* openSale(withTier(withTier(hall(), "Front", { maxPerOrder: 1 }), "Rear", rear))
        const between = (seats: ReadonlyArray<number>, from: number, to: number) =>
          assert.isTrue(seats.every((seat) => seat >= from && seat < to))
        between(seatsOf(yield* sale.hold({ best: { quantity: 1 } })), 0, 20)
        between(seatsOf(yield* sale.hold({ best: { quantity: 2 } })), 20, 40)
        between(seatsOf(yield* sale.hold({ best: { quantity: 4 } })), 40, 56)
        assert.strictEqual(
          refused(yield* sale.hold({ best: { quantity: 4, tier: "Rear" } }), "limit_passed").limit,
          3
        )
        assert.strictEqual(
          refused(yield* sale.hold({ best: { quantity: 1, tier: "Rear" } }), "below_minimum").limit,
          2
        )
        // With a seat that is named it is enough.
        const both = seatsOf(yield* sale.hold({ seats: [20], best: { quantity: 1, tier: "Rear" } }))
        between(both, 20, 40)
        refused(yield* sale.hold({ seats: [21], best: { quantity: 3, tier: "Rear" } }), "limit_passed")
      })
  )

  // --- tiers of those who were invited

  it.effect(
    "a tier for vouchers is held with one that unlocks it, and best available goes there with it alone",
    () =>
      Effect.gen(function* () {
        const layout = withTier(
          hall({ vouchers: [voucher(1, { tiers: [0] }), voucher(2, { tiers: [1] })] }),
          "Front",
          { voucherOnly: true }
        )
        const sale = yield* openSale(layout)
        const { id } = tierOf(layout, "Front")
        for (const wish of [{}, { voucherKey: "voucher 2" }]) {
          const needed = refused(yield* sale.hold({ seats: [0, 20], ...wish }), "voucher_needed", {
            seats: [0]
          })
          assert.strictEqual(needed.tier, id)
          refused(yield* sale.hold({ best: { tier: "Front" }, ...wish }), "voucher_needed")
          const [seat] = seatsOf(yield* sale.hold({ best: { quantity: 1 }, ...wish }))
          assert.isAtLeast(seat!, 20)
        }
        assert.deepStrictEqual([...seatsOf(yield* sale.hold({ seats: [0], voucherKey: "voucher 1" }))], [0])
        const best = yield* sale.hold({ best: { quantity: 2 }, voucherKey: "voucher 1" })
        assert.isTrue(seatsOf(best).every((seat) => seat < 20))
      })
  )
}
