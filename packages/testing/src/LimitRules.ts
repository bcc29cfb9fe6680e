/** How many tickets a customer may have, for every implementation: part of `InventorySuite`. */
import type { HoldId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { assert } from "vitest"
import {
  confirm,
  freeze,
  held,
  newOrderId,
  openSale,
  refused,
  release,
  type Sale,
  sold,
  takeBack,
  unfreeze
} from "./InventorySale.ts"
import { grid, hall } from "./SaleLayouts.ts"
import { advance } from "./SteeredClock.ts"
import type { Rules } from "./InventorySuite.ts"

const places = (quantity: number) => [{ area: 0, quantity }]
const [ann, bob] = ["ann", "bob"]

const limited = (maxPerCustomer: number) => hall({ maxPerCustomer })

export const limitRules: Rules = (it) => {
  it.effect("INV-08: a customer has so many tickets over all holds and orders, seats and places", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(limited(4))
      const passed = refused(
        yield* sale.hold({ seats: [0, 1, 2], areas: places(2), customer: ann }),
        "limit_passed"
      )
      assert.deepInclude(passed, { limit: 4, scope: "customer" })
      yield* sale.buy({ seats: [0], areas: places(1), customer: ann })
      held(yield* sale.hold({ seats: [1], customer: ann }))
      refused(yield* sale.hold({ seats: [2, 3], customer: ann }), "limit_passed")
      refused(yield* sale.hold({ best: { quantity: 2 }, customer: ann }), "limit_passed")
      held(yield* sale.hold({ best: { quantity: 1 }, customer: ann }))
      refused(yield* sale.hold({ seats: [8], customer: ann }), "limit_passed")
      // Others have their own, and who is not known yet has none.
      held(yield* sale.hold({ seats: [8, 9], areas: places(2), customer: bob }))
      held(yield* sale.hold({ seats: [10, 11, 12, 13, 14] }))
    })
  )

  it.effect("INV-08: what a customer lets go of, lets expire or returns may be had again at once", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(limited(2))
      const wish = (...seats: ReadonlyArray<number>) => sale.hold({ seats, customer: ann })
      const first = held(yield* wish(0, 1))
      refused(yield* wish(2), "limit_passed")
      yield* sale.execute(release(first.holdId))
      held(yield* wish(2, 3))
      refused(yield* wish(0), "limit_passed")
      yield* advance(9_999)
      refused(yield* wish(0), "limit_passed")
      yield* advance(1)
      const { orderId } = yield* sale.buy({ seats: [0, 1], customer: ann })
      refused(yield* wish(2), "limit_passed")
      yield* sale.execute(takeBack(orderId, { seats: [1] }))
      refused(yield* wish(2, 3), "limit_passed")
      const next = held(yield* wish(2))
      yield* sale.execute(takeBack(orderId, { seats: [0] }))
      held(yield* wish(3))
      refused(yield* wish(4), "limit_passed")
      assert.lengthOf(next.seats, 1)
    })
  )

  it.effect("INV-08: a hold of nobody counts from its checkout on, for who buys it", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(limited(3))
      const two = held(yield* sale.hold({ seats: [0, 1] }))
      const other = held(yield* sale.hold({ seats: [2, 3] }))
      const [order, second] = [newOrderId(), newOrderId()]
      held(yield* sale.execute(freeze(two.holdId, order, undefined, ann)))
      const passed = refused(
        yield* sale.execute(freeze(other.holdId, second, undefined, ann)),
        "limit_passed"
      )
      assert.deepInclude(passed, { limit: 3, scope: "customer" })
      refused(yield* sale.hold({ seats: [4, 5], customer: ann }), "limit_passed")
      // Somebody else may buy it, and the same checkout may begin again.
      held(yield* sale.execute(freeze(other.holdId, second, undefined, bob)))
      held(yield* sale.execute(freeze(two.holdId, order, undefined, ann)))
      sold(yield* sale.execute(confirm(two.holdId, order, { seats: [0, 1], customer: ann })))
      refused(yield* sale.hold({ seats: [4, 5], customer: ann }), "limit_passed")
      held(yield* sale.hold({ seats: [4], customer: ann }))
    })
  )

  it.effect("INV-08: a checkout that is declined leaves the hold with its customer until it ends", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(limited(2))
      const { holdId } = held(yield* sale.hold({ seats: [0, 1] }))
      const order = newOrderId()
      held(yield* sale.execute(freeze(holdId, order, undefined, ann)))
      held(yield* sale.execute(unfreeze(holdId, order)))
      refused(yield* sale.hold({ seats: [2], customer: ann }), "limit_passed")
      // The next order without a customer of its own is of the same.
      const next = newOrderId()
      held(yield* sale.execute(freeze(holdId, next)))
      refused(yield* sale.hold({ seats: [2], customer: ann }), "limit_passed")
      held(yield* sale.execute(unfreeze(holdId, next)))
      yield* sale.execute(release(holdId))
      held(yield* sale.hold({ seats: [2, 3], customer: ann }))
    })
  )

  it.effect("INV-08: a hold goes over to who checks out with it, and counts for nobody else any more", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(limited(2))
      const { holdId } = held(yield* sale.hold({ seats: [0, 1], customer: ann }))
      held(yield* sale.hold({ seats: [2], customer: bob }))
      const order = newOrderId()
      refused(yield* sale.execute(freeze(holdId, order, undefined, bob)), "limit_passed")
      refused(yield* sale.hold({ seats: [3], customer: ann }), "limit_passed")
      held(yield* sale.execute(freeze(holdId, order, undefined, "eve")))
      held(yield* sale.hold({ seats: [3, 4], customer: ann }))
      refused(yield* sale.hold({ seats: [5], customer: "eve" }), "limit_passed")
      sold(yield* sale.execute(confirm(holdId, order, { seats: [0, 1] })))
      refused(yield* sale.hold({ seats: [5], customer: "eve" }), "limit_passed")
    })
  )

  it.effect("INV-08: a sale counts for the customer of its order, if nobody was known before", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(limited(2))
      const buys = (holdId: HoldId, what: Sale) => sale.execute(confirm(holdId, newOrderId(), what))
      const one = held(yield* sale.hold({ seats: [0, 1] }))
      const two = held(yield* sale.hold({ seats: [2] }))
      sold(yield* buys(one.holdId, { seats: [0, 1], customer: ann }))
      const passed = refused(yield* buys(two.holdId, { seats: [2], customer: ann }), "limit_passed")
      assert.deepInclude(passed, { limit: 2, scope: "customer" })
      yield* sale.expectTaken({ held: [2], sold: [0, 1] })
      sold(yield* buys(two.holdId, { seats: [2], customer: bob }))
    })
  )

  it.effect(
    "INV-08: money that comes late counts for its customer, and is refused where that is too much",
    () =>
      Effect.gen(function* () {
        const sale = yield* openSale(limited(2))
        const late = held(yield* sale.hold({ seats: [0, 1], customer: ann }))
        yield* advance(10_000)
        const other = held(yield* sale.hold({ seats: [2], customer: ann }))
        const claims = { seats: [0, 1], customer: ann }
        refused(yield* sale.execute(confirm(late.holdId, newOrderId(), claims)), "limit_passed")
        yield* sale.expectTaken({ held: [2] })
        yield* sale.execute(release(other.holdId))
        const order = newOrderId()
        assert.isTrue(sold(yield* sale.execute(confirm(late.holdId, order, claims))).reclaimed)
        refused(yield* sale.hold({ seats: [2], customer: ann }), "limit_passed")
        yield* sale.execute(takeBack(order, { seats: [0] }))
        held(yield* sale.hold({ seats: [2], customer: ann }))
      })
  )

  it.effect("INV-08: one customer at many counters at once has no more than the limit", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(grid(5, 10, { maxPerCustomer: 7 }))
      const answers = yield* Effect.forEach(
        Array.from({ length: 25 }, (_, i) => [2 * i, 2 * i + 1]),
        (seats) => sale.hold({ seats, customer: ann }),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(
        answers.filter(({ _tag }) => _tag === "Held"),
        3
      )
      for (const answer of answers) if (answer._tag !== "Held") refused(answer, "limit_passed")
    })
  )

  it.effect("INV-08: of two orders of one customer that check out at once the limit lets one through", () =>
    Effect.forEach(
      Array.from({ length: 5 }, (_, i) => i),
      Effect.fnUntraced(function* () {
        const sale = yield* openSale(limited(3))
        const holds = [
          held(yield* sale.hold({ seats: [0, 1] })).holdId,
          held(yield* sale.hold({ seats: [2, 3] })).holdId
        ]
        const answers = yield* Effect.forEach(
          holds,
          (holdId) => sale.execute(freeze(holdId, newOrderId(), undefined, ann)),
          { concurrency: "unbounded" }
        )
        assert.lengthOf(
          answers.filter(({ _tag }) => _tag === "Held"),
          1
        )
        for (const answer of answers) if (answer._tag !== "Held") refused(answer, "limit_passed")
      }),
      { discard: true }
    )
  )

  it.effect("INV-08: a limit that is set or lowered later counts what the customer has already", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      yield* sale.buy({ seats: [0, 1], customer: ann })
      const { holdId } = held(yield* sale.hold({ seats: [2, 3], customer: ann }))
      yield* sale.open(limited(3))
      refused(yield* sale.hold({ seats: [4], customer: ann }), "limit_passed")
      // What was held in time is bought.
      const order = newOrderId()
      held(yield* sale.execute(freeze(holdId, order, undefined, ann)))
      sold(yield* sale.execute(confirm(holdId, order, { seats: [2, 3], customer: ann })))
      yield* sale.expectTaken({ sold: [0, 1, 2, 3] })
    })
  )
}
