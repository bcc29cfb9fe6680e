/** The rules of an event that is cancelled, for every implementation: part of `InventorySuite`. */
import { Effect } from "effect"
import { assert } from "vitest"
import {
  confirm,
  extend,
  freeze,
  held,
  newHoldId,
  newOrderId,
  openSale,
  refused,
  release,
  sold,
  takeBack,
  unfreeze
} from "./InventorySale.ts"
import type { Rules } from "./InventorySuite.ts"
import { hall, hallSeats } from "./SaleLayouts.ts"
import { advance } from "./SteeredClock.ts"

/** Longer than any answer is remembered. */
const forgottenAfterMs = 16 * 60_000

export const cancelRules: Rules = (it) => {
  it.effect("of a cancelled event nothing is held, kept or sold any more, and all goes back", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall({ revision: 1 }))
      const [order, other] = [newOrderId(), newOrderId()]
      const free = held(yield* sale.hold({ seats: [0], areas: [{ area: 0, quantity: 1 }] }))
      const checkout = held(yield* sale.hold({ seats: [1] }))
      held(yield* sale.execute(freeze(checkout.holdId, order)))
      const bought = yield* sale.buy({ seats: [2], areas: [{ area: 0, quantity: 2 }] })
      const lost = held(yield* sale.hold({ seats: [3] }))

      yield* sale.open(hall({ revision: 2, cancelled: true }))
      refused(yield* sale.hold({ seats: [4] }), "event_cancelled")
      refused(yield* sale.hold({ areas: [{ area: 0, quantity: 1 }] }), "event_cancelled")
      refused(yield* sale.hold({ best: { quantity: 2 } }), "event_cancelled")
      // A seat that is taken too: that it is, is no news of an event that does not take place.
      refused(yield* sale.hold({ seats: [2] }), "event_cancelled")
      refused(yield* sale.hold({ seats: [4], replaces: free.holdId }), "event_cancelled")
      refused(yield* sale.execute(extend(free.holdId)), "event_cancelled")
      refused(yield* sale.execute(freeze(free.holdId, other)), "event_cancelled")
      refused(yield* sale.execute(freeze(checkout.holdId, order)), "event_cancelled")
      refused(yield* sale.execute(confirm(checkout.holdId, order, { seats: [1] })), "event_cancelled")
      refused(yield* sale.execute(confirm(newHoldId(), other, { seats: [5] })), "event_cancelled")
      refused(yield* sale.execute(confirm(newHoldId(), other, {})), "event_cancelled")
      yield* sale.expectTaken({
        sold: [2],
        held: Array.from({ length: hallSeats.total }, (_, seat) => seat).filter(
          (seat) => seat !== 2 && seat !== hallSeats.notForSale
        ),
        free: [0, 0]
      })

      // What was sold before is told to be sold, for an order that has not heard of it.
      sold(yield* sale.execute(confirm(newHoldId(), bought.orderId, bought)))
      assert.strictEqual((yield* sale.execute(release(free.holdId)))._tag, "Released")
      held(yield* sale.execute(unfreeze(checkout.holdId, order)))
      assert.strictEqual((yield* sale.execute(release(checkout.holdId)))._tag, "Released")
      assert.strictEqual((yield* sale.execute(takeBack(bought.orderId, bought)))._tag, "Returned")
      yield* advance(forgottenAfterMs)
      refused(yield* sale.execute(confirm(lost.holdId, newOrderId(), { seats: [3] })), "event_cancelled")
      const { held: gone, sold: left } = yield* sale.availability
      assert.deepStrictEqual([gone.length, left.length], [hallSeats.forSale, 0])
    })
  )

  it.effect("an older layout that comes late does not sell a cancelled event again", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall({ revision: 2, cancelled: true }))
      yield* sale.open(hall({ revision: 1 }))
      refused(yield* sale.hold({ seats: [0] }), "event_cancelled")
    })
  )
}
