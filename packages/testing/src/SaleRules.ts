/** The rules of checkout, sales and returns, for every implementation: part of `InventorySuite`. */
import { Effect } from "effect"
import { assert } from "vitest"
import {
  confirm,
  extend,
  freeze,
  held,
  newCommandId,
  newHoldId,
  newOrderId,
  openSale,
  refused,
  release,
  sold,
  takeBack,
  unfreeze
} from "./InventorySale.ts"
import { hall } from "./SaleLayouts.ts"
import { advance, now } from "./SteeredClock.ts"
import type { Rules } from "./InventorySuite.ts"

/** Longer than any answer is remembered. */
const forgottenAfterMs = 16 * 60_000

export const saleRules: Rules = (it) => {
  // --- checkout

  it.effect("checkout stops the clock once, for as long as it may, and for one order", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const at = yield* now
      const [order, other] = [newOrderId(), newOrderId()]
      const { holdId } = held(yield* sale.hold({ seats: [0] }))
      yield* advance(9_000)
      const frozen = held(yield* sale.execute(freeze(holdId, order)))
      assert.strictEqual(frozen.expiresAtMs, at + 24_000)
      assert.strictEqual(frozen.orderId, order)
      refused(yield* sale.execute(freeze(holdId, other)), "in_checkout")
      refused(yield* sale.execute(release(holdId)), "in_checkout")
      refused(yield* sale.execute(extend(holdId)), "in_checkout")
      refused(yield* sale.execute(confirm(holdId, other, { seats: [0] })), "in_checkout")
      yield* advance(5_000)
      // Frozen again by the same order, it gains nothing.
      assert.strictEqual(held(yield* sale.execute(freeze(holdId, order))).expiresAtMs, at + 24_000)
      refused(yield* sale.hold({ seats: [0] }), "seats_taken")
      yield* advance(10_000)
      held(yield* sale.hold({ seats: [0] }))
      refused(yield* sale.execute(confirm(holdId, order, { seats: [0] })), "seats_taken", { seats: [0] })
    })
  )

  it.effect(
    "a checkout that ends without a sale leaves the hold its own time, and another order may use it",
    () =>
      Effect.gen(function* () {
        const sale = yield* openSale(hall())
        const at = yield* now
        const [order, other] = [newOrderId(), newOrderId()]
        const { holdId } = held(yield* sale.hold({ seats: [0] }))
        held(yield* sale.execute(freeze(holdId, order)))
        refused(yield* sale.execute(unfreeze(holdId, other)), "hold_not_found")
        const unfrozen = held(yield* sale.execute(unfreeze(holdId, order)))
        assert.deepInclude(unfrozen, { expiresAtMs: at + 10_000, orderId: null })
        yield* advance(5_000)
        // The clock was stopped once already.
        assert.strictEqual(held(yield* sale.execute(freeze(holdId, other))).expiresAtMs, at + 10_000)
        sold(yield* sale.execute(confirm(holdId, other, { seats: [0] })))
        yield* sale.expectTaken({ sold: [0] })
      })
  )

  // --- sales

  it.effect("a hold becomes a sale of exactly its seats and places", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const what = { seats: [0, 1], areas: [{ area: 0, quantity: 2 }] }
      const order = newOrderId()
      const { holdId } = held(yield* sale.hold(what))
      refused(yield* sale.execute(confirm(holdId, order, { seats: [0] })), "hold_not_found")
      refused(yield* sale.execute(confirm(holdId, order, { seats: [0, 2] })), "hold_not_found")
      held(yield* sale.execute(freeze(holdId, order)))
      const commandId = newCommandId()
      const answer = sold(yield* sale.execute(confirm(holdId, order, what, commandId)))
      assert.isFalse(answer.reclaimed)
      yield* sale.expectTaken({ sold: [0, 1], free: [3, 10] })
      // INV-07
      assert.deepStrictEqual(yield* sale.execute(confirm(holdId, order, what, commandId)), answer)
      refused(yield* sale.look(holdId), "hold_not_found")
      yield* advance(60_000)
      refused(yield* sale.hold({ seats: [0] }), "seats_taken", { seats: [0] })
      yield* sale.expectTaken({ sold: [0, 1], free: [3, 10] })
    })
  )

  it.effect("money that comes late takes the same seats if they are free, all or nothing", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const what = { seats: [0, 1], areas: [{ area: 0, quantity: 2 }] }
      const free = held(yield* sale.hold(what))
      const taken = held(yield* sale.hold({ seats: [2, 3], areas: [{ area: 0, quantity: 3 }] }))
      yield* advance(10_000)
      assert.isTrue(sold(yield* sale.execute(confirm(free.holdId, newOrderId(), what))).reclaimed)
      held(yield* sale.hold({ seats: [3], areas: [{ area: 0, quantity: 1 }] }))
      refused(
        yield* sale.execute(
          confirm(taken.holdId, newOrderId(), { seats: [2, 3], areas: [{ area: 0, quantity: 3 }] })
        ),
        "seats_taken",
        { seats: [3], areas: [{ area: 0, quantity: 3 }] }
      )
      yield* sale.expectTaken({ held: [3], sold: [0, 1], free: [2, 10] })
    })
  )

  it.effect(
    "INV-01: a late sale that names a seat or a place twice, or less than nothing, sells no more than there is",
    () =>
      Effect.gen(function* () {
        const sale = yield* openSale(hall())
        const three = { area: 0, quantity: 3 }
        refused(
          yield* sale.execute(confirm(newHoldId(), newOrderId(), { areas: [three, three] })),
          "seats_taken"
        )
        refused(
          yield* sale.execute(confirm(newHoldId(), newOrderId(), { areas: [{ area: 0, quantity: -3 }] })),
          "hold_not_found"
        )
        refused(yield* sale.execute(confirm(newHoldId(), newOrderId(), {})), "hold_not_found")
        sold(yield* sale.execute(confirm(newHoldId(), newOrderId(), { seats: [7, 7] })))
        yield* sale.expectTaken({ sold: [7], free: [5, 10] })
      })
  )

  it.effect("a sale that is repeated after its answer was forgotten is told to be sold", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const what = { seats: [0], areas: [{ area: 0, quantity: 1 }] }
      const order = newOrderId()
      const { holdId } = held(yield* sale.hold(what))
      const again = confirm(holdId, order, what)
      sold(yield* sale.execute(again))
      yield* advance(forgottenAfterMs)
      held(yield* sale.hold({ seats: [5] }))
      sold(yield* sale.execute(again))
      sold(yield* sale.execute(confirm(holdId, order, what)))
      yield* sale.expectTaken({ held: [5], sold: [0], free: [4, 10] })
      refused(yield* sale.execute(confirm(holdId, newOrderId(), what)), "seats_taken")
    })
  )

  it.effect("what an order gives back is free at once, and is given back once", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const [order, other] = [newOrderId(), newOrderId()]
      const what = { seats: [0, 1], areas: [{ area: 0, quantity: 3 }] }
      const { holdId } = held(yield* sale.hold(what))
      sold(yield* sale.execute(confirm(holdId, order, what)))
      refused(yield* sale.execute(takeBack(other, { seats: [0] })), "not_sold", { seats: [0] })
      refused(yield* sale.execute(takeBack(order, { seats: [1, 2] })), "not_sold", { seats: [2] })
      refused(yield* sale.execute(takeBack(order, { areas: [{ area: 0, quantity: 4 }] })), "not_sold", {
        areas: [{ area: 0, quantity: 4 }]
      })
      refused(yield* sale.execute(takeBack(order, { areas: [{ area: 0, quantity: -1 }] })), "not_sold")
      const two = { area: 0, quantity: 2 }
      refused(yield* sale.execute(takeBack(order, { areas: [two, two] })), "not_sold")
      const part = takeBack(order, { seats: [1], areas: [{ area: 0, quantity: 1 }] })
      assert.strictEqual((yield* sale.execute(part))._tag, "Returned")
      yield* sale.expectTaken({ sold: [0], free: [3, 10] })
      assert.strictEqual((yield* sale.execute(part))._tag, "Returned")
      yield* sale.expectTaken({ sold: [0], free: [3, 10] })
      // The same when nobody remembers the answer any more, and the seat is another's by then.
      yield* advance(forgottenAfterMs)
      const next = held(yield* sale.hold({ seats: [1] }))
      sold(yield* sale.execute(confirm(next.holdId, other, { seats: [1] })))
      assert.strictEqual((yield* sale.execute(part))._tag, "Returned")
      yield* sale.expectTaken({ sold: [0, 1], free: [3, 10] })
    })
  )
}
