/** The rules of vouchers and of the house seats that they unlock, for every implementation: part of `InventorySuite`. */
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
  seatsOf,
  sold,
  takeBack,
  unfreeze
} from "./InventorySale.ts"
import { block, grid, hall, voucher } from "./SaleLayouts.ts"
import { advance, now } from "./SteeredClock.ts"
import type { Rules } from "./InventorySuite.ts"

const voucherKey = "voucher 1"
const places = (quantity: number) => [{ area: 0, quantity }]

export const voucherRules: Rules = (it) => {
  // --- vouchers

  it.effect("a voucher counts from its first millisecond on and before its last; others are not known", () =>
    Effect.gen(function* () {
      const at = yield* now
      const one = voucher(1, { fromMs: at + 1_000, untilMs: at + 2_000 })
      const sale = yield* openSale(hall({ vouchers: [one] }))
      refused(yield* sale.hold({ seats: [0], voucherKey: "voucher 2" }), "voucher_invalid")
      yield* advance(999)
      refused(yield* sale.hold({ seats: [0], voucherKey }), "voucher_invalid")
      yield* advance(1)
      const view = held(yield* sale.hold({ seats: [0], voucherKey }))
      assert.strictEqual(view.voucher, one.id)
      assert.deepInclude(yield* sale.look(view.holdId), { voucher: one.id })
      yield* advance(999)
      const last = held(yield* sale.hold({ seats: [1], voucherKey }))
      yield* advance(1)
      refused(yield* sale.hold({ seats: [2], voucherKey }), "voucher_invalid")
      // What was held with it in time is bought with it.
      const order = newOrderId()
      assert.strictEqual(held(yield* sale.execute(freeze(last.holdId, order))).voucher, one.id)
      sold(yield* sale.execute(confirm(last.holdId, order, { seats: [1] })))
      yield* sale.expectTaken({ held: [0], sold: [1] })
    })
  )

  it.effect("INV-08: a voucher has so many tickets, over holds and sales, seats and places", () =>
    Effect.gen(function* () {
      const one = voucher(1, { maxTickets: 4 })
      const sale = yield* openSale(hall({ vouchers: [one, voucher(2, { maxTickets: 1 })] }))
      const wish = (seats: ReadonlyArray<number>) => sale.hold({ seats, voucherKey })
      assert.strictEqual(
        refused(yield* sale.hold({ seats: [0, 1, 2], areas: places(2), voucherKey }), "voucher_used").limit,
        4
      )
      const { orderId } = yield* sale.buy({ seats: [0], areas: places(1), voucherKey })
      assert.strictEqual(refused(yield* wish([1, 2, 3]), "voucher_used").limit, 2)
      const released = held(yield* wish([1, 2]))
      assert.strictEqual(refused(yield* wish([3]), "voucher_used").limit, 0)
      // Neither the one without nor another voucher is of it.
      held(yield* sale.hold({ seats: [3] }))
      held(yield* sale.hold({ seats: [4], voucherKey: "voucher 2" }))
      yield* sale.execute(release(released.holdId))
      held(yield* wish([1, 2]))
      refused(yield* wish([5]), "voucher_used")
      yield* advance(10_000)
      const again = held(yield* wish([1, 2]))
      refused(yield* wish([5]), "voucher_used")
      yield* sale.execute(takeBack(orderId, { areas: places(1) }))
      held(yield* wish([5]))
      refused(yield* wish([6]), "voucher_used")
      yield* sale.execute(takeBack(orderId, { seats: [0] }))
      held(yield* wish([6]))
      // At checkout and after it was declined it is still used.
      const order = newOrderId()
      held(yield* sale.execute(freeze(again.holdId, order)))
      held(yield* sale.execute(unfreeze(again.holdId, order)))
      refused(yield* wish([7]), "voucher_used")
    })
  )

  it.effect("INV-08: many at once with one voucher have together exactly its tickets", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(grid(5, 10, { vouchers: [voucher(1, { maxTickets: 12 })] }))
      const answers = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, seat) => seat),
        (seat) => sale.hold({ seats: [seat], voucherKey }),
        { concurrency: "unbounded" }
      )
      const winners = answers.filter(({ _tag }) => _tag === "Held")
      assert.lengthOf(winners, 12)
      for (const answer of answers) if (answer._tag !== "Held") refused(answer, "voucher_used")
    })
  )

  it.effect("INV-08: money that comes late uses the voucher again, if there is as much of it", () =>
    Effect.gen(function* () {
      const one = voucher(1, { maxTickets: 2 })
      const sale = yield* openSale(hall({ vouchers: [one] }))
      const late = held(yield* sale.hold({ seats: [0, 1], voucherKey }))
      yield* advance(10_000)
      const other = held(yield* sale.hold({ seats: [2], voucherKey }))
      const claims = { seats: [0, 1], voucher: one.id }
      const used = refused(yield* sale.execute(confirm(late.holdId, newOrderId(), claims)), "voucher_used")
      assert.strictEqual(used.limit, 1)
      yield* sale.execute(release(other.holdId))
      const order = newOrderId()
      assert.isTrue(sold(yield* sale.execute(confirm(late.holdId, order, claims))).reclaimed)
      refused(yield* sale.hold({ seats: [2], voucherKey }), "voucher_used")
      yield* sale.execute(takeBack(order, { seats: [0] }))
      held(yield* sale.hold({ seats: [2], voucherKey }))
      refused(yield* sale.hold({ seats: [3], voucherKey }), "voucher_used")
    })
  )

  // --- blocks

  it.effect("the seats of a block are taken for everybody, and free for who has its voucher", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(
        hall({
          blocks: [block("House", [0, 4, 5]), block("Sponsor", [10])],
          vouchers: [voucher(1, { blocks: [0] })]
        })
      )
      yield* sale.expectTaken({ held: [0, 4, 5, 10] })
      refused(yield* sale.hold({ seats: [0, 1, 10] }), "seats_taken", { seats: [0, 10] })
      refused(yield* sale.hold({ seats: [0, 1, 10], voucherKey }), "seats_taken", { seats: [10] })
      const seats = seatsOf(yield* sale.hold({ best: { quantity: 4 } }))
      assert.isTrue(seats.every((seat) => ![0, 4, 5, 10].includes(seat)))
      const house = yield* sale.buy({ seats: [0, 1], voucherKey })
      yield* sale.expectTaken({ held: [...seats, 4, 5, 10], sold: [0, 1] })
      const [best] = seatsOf(yield* sale.hold({ best: { quantity: 1, tier: "Front" }, voucherKey }))
      assert.include([4, 5], best)
      // What is returned is of the block again.
      yield* sale.execute(takeBack(house.orderId, { seats: [0, 1] }))
      refused(yield* sale.hold({ seats: [0, 1] }), "seats_taken", { seats: [0] })
    })
  )

  it.effect("an area that is a block has no places but for who has its voucher", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(
        hall({
          areas: [{ name: "Floor", tier: 3, capacity: 5, block: 0 }],
          blocks: [block("Guests", [])],
          vouchers: [voucher(1, { blocks: [0] })]
        })
      )
      yield* sale.expectTaken({ free: [0] })
      refused(yield* sale.hold({ areas: places(1) }), "seats_taken", { areas: places(1) })
      held(yield* sale.hold({ areas: places(4), voucherKey }))
      refused(yield* sale.hold({ areas: places(2), voucherKey }), "seats_taken", { areas: places(2) })
      yield* sale.expectTaken({ free: [0] })
    })
  )

  it.effect("a new layout releases a block, and blocks what is held from the end of its hold on", () =>
    Effect.gen(function* () {
      const house = (seats: ReadonlyArray<number>) => hall({ blocks: [block("House", seats)] })
      const sale = yield* openSale(house([0, 1]))
      const bought = held(yield* sale.hold({ seats: [2] }))
      const { holdId } = held(yield* sale.hold({ seats: [3] }))
      yield* sale.open(house([1, 2, 3]))
      held(yield* sale.hold({ seats: [0] }))
      yield* sale.expectTaken({ held: [0, 1, 2, 3] })
      const order = newOrderId()
      held(yield* sale.execute(freeze(bought.holdId, order)))
      sold(yield* sale.execute(confirm(bought.holdId, order, { seats: [2] })))
      yield* sale.execute(release(holdId))
      refused(yield* sale.hold({ seats: [3] }), "seats_taken", { seats: [3] })
      // Not even the money that comes late for it.
      refused(yield* sale.execute(confirm(holdId, newOrderId(), { seats: [3] })), "seats_taken", {
        seats: [3]
      })
      yield* sale.expectTaken({ held: [0, 1, 3], sold: [2] })
    })
  )

  it.effect("money that comes late for house seats takes them with the voucher of its order", () =>
    Effect.gen(function* () {
      const one = voucher(1, { blocks: [0] })
      const sale = yield* openSale(hall({ blocks: [block("House", [0])], vouchers: [one] }))
      const { holdId } = held(yield* sale.hold({ seats: [0], voucherKey }))
      yield* advance(10_000)
      refused(yield* sale.execute(confirm(holdId, newOrderId(), { seats: [0] })), "seats_taken")
      sold(yield* sale.execute(confirm(holdId, newOrderId(), { seats: [0], voucher: one.id })))
    })
  )
}
