/** The rules of holds, for every implementation: part of `InventorySuite`. */
import { makeEventId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { Effect } from "effect"
import { assert } from "vitest"
import {
  confirm,
  extend,
  freeze,
  gone,
  held,
  hold,
  newCommandId,
  newHoldId,
  newOrderId,
  openSale,
  refused,
  release,
  seatsOf,
  sold
} from "./InventorySale.ts"
import { grid, hall, hallSeats } from "./SaleLayouts.ts"
import { advance, now } from "./SteeredClock.ts"
import type { Rules } from "./InventorySuite.ts"

export const holdRules: Rules = (it) => {
  // --- holds

  it.effect("seats are held for a while, with their labels, tiers and prices", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const at = yield* now
      const holdId = newHoldId()
      const view = held(yield* sale.hold({ seats: [3, 4, 21], holdId }))
      assert.strictEqual(view.holdId, holdId)
      assert.deepStrictEqual(
        view.seats.map(({ label, price, seat }) => [seat, label, price]),
        [
          [3, "Stalls · A · 4", 4500],
          [4, "Stalls · A · 5", 4500],
          [21, "Stalls · C · 2", 3500]
        ]
      )
      assert.deepInclude(view, { amount: 12_500, currency: "EUR", expiresAtMs: at + 10_000, orderId: null })
      yield* sale.expectTaken({ held: [3, 4, 21], free: [5, 10] })
      assert.deepInclude(yield* sale.look(holdId), { seats: view.seats, expiresAtMs: view.expiresAtMs })
    })
  )

  it.effect("INV-03: a hold may have a life of its own, and ends with it", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const at = yield* now
      const view = held(yield* sale.hold({ seats: [3], lifeMs: 45_000 }))
      assert.strictEqual(view.expiresAtMs, at + 45_000)
      yield* advance(44_999)
      yield* sale.expectTaken({ held: [3], free: [5, 10] })
      yield* advance(1)
      yield* sale.expectTaken({ free: [5, 10] })
    })
  )

  it.effect("the hold of a seat tells whose it is, as long as it lives", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const inventory = yield* InventoryClient
      const holdOf = (seat: number) => inventory.holdOf(sale.eventId, seat)
      const ada = held(yield* sale.hold({ seats: [3, 4], customer: "ada" }))
      const nobody = held(yield* sale.hold({ seats: [5] }))
      assert.deepStrictEqual(yield* holdOf(4), { holdId: ada.holdId, customer: "ada", orderId: null })
      assert.deepStrictEqual(yield* holdOf(5), { holdId: nobody.holdId, customer: null, orderId: null })
      const orderId = newOrderId()
      yield* sale.execute(freeze(ada.holdId, orderId))
      assert.deepStrictEqual(yield* holdOf(3), { holdId: ada.holdId, customer: "ada", orderId })
      yield* sale.execute(confirm(ada.holdId, orderId, { seats: [3, 4] }))
      for (const seat of [3, 4, 6, hallSeats.total, -1]) assert.isNull(yield* holdOf(seat), String(seat))
      yield* advance(10_000)
      assert.isNull(yield* holdOf(5))
      assert.isNull(yield* inventory.holdOf(makeEventId(0), 0))
    })
  )

  it.effect("places of an area, alone and together with seats", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const places = held(yield* sale.hold({ areas: [{ area: 0, quantity: 3 }] }))
      assert.strictEqual(places.amount, 7_500)
      assert.deepInclude(places.areas[0], { area: 0, name: "Floor", quantity: 3, price: 2_500 })
      const both = held(yield* sale.hold({ seats: [0], areas: [{ area: 0, quantity: 2 }] }))
      assert.strictEqual(both.amount, 9_500)
      yield* sale.expectTaken({ held: [0], free: [0, 10] })
      refused(yield* sale.hold({ areas: [{ area: 0, quantity: 1 }] }), "seats_taken", {
        areas: [{ area: 0, quantity: 1 }]
      })
    })
  )

  it.effect("INV-02: all or nothing, and the refusal names exactly what was taken", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      held(yield* sale.hold({ seats: [10, 12], areas: [{ area: 0, quantity: 4 }] }))
      const wish = { seats: [9, 10, 11, 12], areas: [{ area: 0, quantity: 2 }] }
      refused(yield* sale.hold(wish), "seats_taken", {
        seats: [10, 12],
        areas: [{ area: 0, quantity: 2 }]
      })
      yield* sale.expectTaken({ held: [10, 12], free: [1, 10] })
      // What stood in nobody's way was not touched.
      held(yield* sale.hold({ seats: [9, 11], areas: [{ area: 0, quantity: 1 }] }))
    })
  )

  it.effect("INV-01: a seat or an area that is named twice counts once and together", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      assert.deepStrictEqual(seatsOf(yield* sale.hold({ seats: [5, 5] })), [5])
      const three = { area: 0, quantity: 3 }
      refused(yield* sale.hold({ areas: [three, three] }), "seats_taken")
      yield* sale.expectTaken({ held: [5], free: [5, 10] })
    })
  )

  it.effect("INV-01, INV-08: nothing, and less than nothing, cannot be held", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      refused(yield* sale.hold({}), "limit_passed")
      refused(yield* sale.hold({ areas: [{ area: 0, quantity: 0 }] }), "limit_passed")
      refused(yield* sale.hold({ seats: [1, 2], areas: [{ area: 0, quantity: -1 }] }), "limit_passed")
      refused(yield* sale.hold({ seats: [1, 2], best: { quantity: -1 } }), "limit_passed")
      yield* sale.expectTaken({ free: [5, 10] })
    })
  )

  it.effect("unknown seats and areas, and those that are not for sale, are named", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      refused(
        yield* sale.hold({ seats: [0, hallSeats.total, -1], areas: [{ area: 7, quantity: 1 }] }),
        "seats_unknown",
        { seats: [hallSeats.total, -1], areas: [{ area: 7, quantity: 1 }] }
      )
      refused(
        yield* sale.hold({ seats: [0, hallSeats.notForSale], areas: [{ area: 1, quantity: 1 }] }),
        "not_for_sale",
        { seats: [hallSeats.notForSale], areas: [{ area: 1, quantity: 1 }] }
      )
      yield* sale.expectTaken({ free: [5, 10] })
    })
  )

  it.effect("an event whose sale was never opened is not found", () =>
    Effect.gen(function* () {
      const inventory = yield* InventoryClient
      const eventId = makeEventId(1)
      refused(yield* inventory.execute(eventId, hold({ seats: [0] })), "event_not_found")
      refused(yield* inventory.hold(eventId, newHoldId()), "event_not_found")
      assert.isNull(yield* inventory.availability(eventId))
    })
  )

  it.effect("nothing is sold before the sale opens or from its end on", () =>
    Effect.gen(function* () {
      const at = yield* now
      const sale = yield* openSale(hall({ onSaleAtMs: at + 1_000, saleEndsAtMs: at + 2_000 }))
      assert.strictEqual(refused(yield* sale.hold({ seats: [0] }), "sale_closed").limit, at + 1_000)
      yield* advance(999)
      refused(yield* sale.hold({ seats: [0] }), "sale_closed")
      yield* advance(1)
      held(yield* sale.hold({ seats: [0] }))
      yield* advance(999)
      const last = held(yield* sale.hold({ seats: [1] }))
      yield* advance(1)
      refused(yield* sale.hold({ seats: [2] }), "sale_closed")
      // What was held in time can still be bought.
      sold(yield* sale.execute(confirm(last.holdId, newOrderId(), { seats: [1] })))
    })
  )

  it.effect("INV-08: an order has a most, over seats, places and best available together", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const answer = yield* sale.hold({
        seats: [0, 1, 2],
        areas: [{ area: 0, quantity: 2 }],
        best: { quantity: 2 }
      })
      assert.strictEqual(refused(answer, "limit_passed").limit, 6)
      held(yield* sale.hold({ seats: [0, 1, 2], areas: [{ area: 0, quantity: 2 }], best: { quantity: 1 } }))
    })
  )

  // --- the clock of a hold

  it.effect("INV-03: an expired hold is not honoured, and its seats and places are free, swept or not", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const { holdId } = held(yield* sale.hold({ seats: [1], areas: [{ area: 0, quantity: 5 }] }))
      yield* advance(9_999)
      assert.notProperty(yield* sale.look(holdId), "_tag")
      refused(yield* sale.hold({ seats: [1] }), "seats_taken", { seats: [1] })
      yield* advance(1)
      gone(yield* sale.look(holdId))
      yield* sale.expectTaken({ free: [5, 10] })
      for (const command of [extend(holdId), release(holdId), freeze(holdId, newOrderId())]) {
        gone(yield* sale.execute(command))
      }
      held(yield* sale.hold({ seats: [1], areas: [{ area: 0, quantity: 5 }] }))
      yield* sale.expectTaken({ held: [1], free: [0, 10] })
    })
  )

  it.effect("best available finds the seats of expired holds", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(grid(1, 6))
      held(yield* sale.hold({ seats: [0, 1, 2, 3, 4, 5] }))
      refused(yield* sale.hold({ best: { quantity: 6 } }), "seats_taken")
      yield* advance(10_000)
      assert.lengthOf(seatsOf(yield* sale.hold({ best: { quantity: 6 } })), 6)
    })
  )

  it.effect("a hold is extended to a full life, as far as its cap", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const at = yield* now
      const { holdId } = held(yield* sale.hold({ seats: [0] }))
      yield* advance(9_000)
      assert.strictEqual(held(yield* sale.execute(extend(holdId))).expiresAtMs, at + 19_000)
      yield* advance(9_000)
      assert.strictEqual(held(yield* sale.execute(extend(holdId))).expiresAtMs, at + 25_000)
      refused(yield* sale.execute(extend(holdId)), "extension_cap")
      yield* advance(6_999)
      refused(yield* sale.hold({ seats: [0] }), "seats_taken")
      yield* advance(1)
      held(yield* sale.hold({ seats: [0] }))
    })
  )

  it.effect("a released hold is free at once, and repeats are harmless", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const { holdId } = held(yield* sale.hold({ seats: [0], areas: [{ area: 0, quantity: 2 }] }))
      const commandId = newCommandId()
      assert.strictEqual((yield* sale.execute(release(holdId, commandId)))._tag, "Released")
      yield* sale.expectTaken({ free: [5, 10] })
      held(yield* sale.hold({ seats: [0] }))
      assert.strictEqual((yield* sale.execute(release(holdId, commandId)))._tag, "Released")
      refused(yield* sale.execute(release(holdId)), "hold_not_found")
      yield* sale.expectTaken({ held: [0] })
      refused(yield* sale.look(holdId), "hold_not_found")
      refused(yield* sale.execute(extend(newHoldId())), "hold_not_found")
    })
  )
}
