/** How a hold takes the place of another, for every implementation: part of `InventorySuite`. */
import { Effect } from "effect"
import { assert } from "vitest"
import {
  confirm,
  extend,
  freeze,
  gone,
  held,
  hold,
  newOrderId,
  openSale,
  refused,
  release,
  seatsOf,
  sold,
  unfreeze
} from "./InventorySale.ts"
import { block, grid, hall, hallSeats, voucher, withTier } from "./SaleLayouts.ts"
import { advance, now } from "./SteeredClock.ts"
import type { Rules } from "./InventorySuite.ts"

const places = (quantity: number) => [{ area: 0, quantity }]

export const replaceRules: Rules = (it) => {
  it.effect(
    "a hold that is changed keeps what it keeps, lets go of the rest, and ends with the new one",
    () =>
      Effect.gen(function* () {
        const sale = yield* openSale(hall({ maxPerOrder: 8 }))
        const old = held(yield* sale.hold({ seats: [0, 1, 2], areas: places(3) })).holdId
        const next = held(yield* sale.hold({ seats: [1, 2, 3], areas: places(4), replaces: old }))
        assert.deepStrictEqual(
          next.seats.map(({ seat }) => seat),
          [1, 2, 3]
        )
        yield* sale.expectTaken({ held: [1, 2, 3], free: [1, 10] })
        gone(yield* sale.look(old))
        refused(yield* sale.execute(extend(old)), "hold_not_found")
        gone(yield* sale.hold({ seats: [4], replaces: old }))
        held(yield* sale.hold({ seats: [0], areas: places(1) }))
        // The new one is a hold like any other.
        const order = newOrderId()
        held(yield* sale.execute(freeze(next.holdId, order)))
        sold(yield* sale.execute(confirm(next.holdId, order, { seats: [1, 2, 3], areas: places(4) })))
        yield* sale.expectTaken({ held: [0], sold: [1, 2, 3], free: [0, 10] })
      })
  )

  it.effect("INV-02: a change that is refused leaves the hold as it was", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const at = yield* now
      held(yield* sale.hold({ seats: [9], areas: places(2) }))
      const old = held(yield* sale.hold({ seats: [0, 1], areas: places(1) })).holdId
      yield* advance(4_000)
      refused(yield* sale.hold({ seats: [1, 9], areas: places(4), replaces: old }), "seats_taken", {
        seats: [9],
        areas: places(4)
      })
      refused(yield* sale.hold({ seats: [0, 1, 2, 3, 4, 5, 6], replaces: old }), "limit_passed")
      refused(yield* sale.hold({ seats: [1, 99], replaces: old }), "seats_unknown")
      refused(
        yield* sale.hold({ best: { quantity: 6, section: "Balcony", tier: "Front" }, replaces: old }),
        "seats_taken"
      )
      yield* sale.expectTaken({ held: [0, 1, 9], free: [2, 10] })
      assert.deepInclude(yield* sale.look(old), { expiresAtMs: at + 10_000 })
      sold(yield* sale.execute(confirm(old, newOrderId(), { seats: [0, 1], areas: places(1) })))
    })
  )

  it.effect("INV-03: a hold gains no time by being changed, however often, and no later cap", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const at = yield* now
      let holdId = held(yield* sale.hold({ seats: [0] })).holdId
      for (let seat = 1; seat <= 3; seat++) {
        yield* advance(2_000)
        const view = held(yield* sale.hold({ seats: [seat], replaces: holdId }))
        assert.strictEqual(view.expiresAtMs, at + 10_000)
        ;({ holdId } = view)
      }
      yield* advance(3_000)
      assert.strictEqual(held(yield* sale.execute(extend(holdId))).expiresAtMs, at + 19_000)
      const changed = held(yield* sale.hold({ seats: [4], replaces: holdId }))
      assert.strictEqual(changed.expiresAtMs, at + 19_000)
      yield* advance(9_000)
      assert.strictEqual(held(yield* sale.execute(extend(changed.holdId))).expiresAtMs, at + 25_000)
      yield* advance(6_999)
      refused(yield* sale.hold({ seats: [4] }), "seats_taken")
      yield* advance(1)
      gone(yield* sale.hold({ seats: [4], replaces: changed.holdId }))
      held(yield* sale.hold({ seats: [4] }))
    })
  )

  it.effect("a hold whose clock was stopped once has that behind it when it is changed", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const at = yield* now
      const order = newOrderId()
      const old = held(yield* sale.hold({ seats: [0] })).holdId
      held(yield* sale.execute(freeze(old, order)))
      refused(yield* sale.hold({ seats: [1], replaces: old }), "in_checkout")
      yield* sale.expectTaken({ held: [0] })
      held(yield* sale.execute(unfreeze(old, order)))
      const next = held(yield* sale.hold({ seats: [1], replaces: old }))
      assert.deepInclude(next, { expiresAtMs: at + 10_000, orderId: null })
      yield* advance(5_000)
      assert.strictEqual(
        held(yield* sale.execute(freeze(next.holdId, newOrderId()))).expiresAtMs,
        at + 10_000
      )
    })
  )

  it.effect("INV-03: a hold that has expired is not changed", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const { holdId } = held(yield* sale.hold({ seats: [0] }))
      yield* advance(10_000)
      gone(yield* sale.hold({ seats: [0, 1], replaces: holdId }))
      yield* sale.expectTaken({})
      held(yield* sale.hold({ seats: [0] }))
    })
  )

  it.effect("INV-07: a change that is repeated is answered alike, and changes nothing again", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const old = held(yield* sale.hold({ seats: [0] })).holdId
      const change = hold({ seats: [1], replaces: old })
      const first = yield* sale.execute(change)
      held(yield* sale.hold({ seats: [0] }))
      assert.deepStrictEqual(yield* sale.execute(change), first)
      yield* sale.execute(release(held(first).holdId))
      assert.deepStrictEqual(yield* sale.execute(change), first)
      yield* sale.expectTaken({ held: [0] })
    })
  )

  it.effect("INV-01: many changes of one hold at once: one is carried out", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const old = held(yield* sale.hold({ seats: [0, 1] })).holdId
      const answers = yield* Effect.forEach(
        Array.from({ length: 10 }, (_, i) => [0, 10 + i]),
        (seats) => sale.hold({ seats, replaces: old }),
        { concurrency: "unbounded" }
      )
      const [won, ...more] = answers.filter(({ _tag }) => _tag === "Held")
      assert.isEmpty(more)
      for (const answer of answers) if (answer._tag !== "Held") gone(answer)
      yield* sale.expectTaken({ held: seatsOf(won!) })
    })
  )

  // --- its own holder never sees "sold out"

  it.effect("who holds the last seats and places of a sold-out event can change and buy them", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(grid(1, 4))
      yield* sale.buy({ seats: [0], areas: places(2) })
      const wish = { seats: [1, 2, 3], areas: places(3) }
      const last = held(yield* sale.hold(wish)).holdId
      refused(yield* sale.hold({ best: { quantity: 1 } }), "seats_taken")
      const same = held(yield* sale.hold({ ...wish, replaces: last })).holdId
      const best = yield* sale.hold({ best: { quantity: 3 }, areas: places(3), replaces: same })
      assert.deepStrictEqual([...seatsOf(best)], [1, 2, 3])
      const fewer = held(yield* sale.hold({ seats: [1, 2], areas: places(3), replaces: held(best).holdId }))
      yield* sale.expectTaken({ held: [1, 2], sold: [0], free: [0] })
      sold(yield* sale.execute(confirm(fewer.holdId, newOrderId(), { seats: [1, 2], areas: places(3) })))
    })
  )

  it.effect(
    "what a hold has of quotas, of the voucher and of the customer's limit is free for its change",
    () =>
      Effect.gen(function* () {
        const sale = yield* openSale(
          hall({
            quotas: [{ name: "Stalls", capacity: 2, tiers: [0, 1], areas: [] }],
            vouchers: [voucher(1, { maxTickets: 2 })],
            maxPerCustomer: 3
          })
        )
        const old = held(yield* sale.hold({ seats: [0, 1], customer: "ann", voucherKey: "voucher 1" })).holdId
        yield* sale.expectLeft(0, 0)
        const next = held(yield* sale.hold({ seats: [20, 21], replaces: old }))
        yield* sale.expectLeft(0, 0)
        refused(yield* sale.hold({ seats: [20, 21, 22], replaces: next.holdId }), "quota_full")
        const best = yield* sale.hold({ best: { quantity: 2, tier: "Front" }, replaces: next.holdId })
        assert.isTrue(seatsOf(best).every((seat) => seat < 20))
        yield* sale.expectLeft(0, 0)
        // The limits of the customer and of the voucher hold at change as they do at first.
        const { holdId } = held(best)
        const passed = refused(
          yield* sale.hold({ seats: [40, 41, 42, 43], replaces: holdId }),
          "limit_passed"
        )
        assert.deepInclude(passed, { limit: 3, scope: "customer" })
        refused(yield* sale.hold({ seats: [40, 41, 42], customer: "bob", replaces: holdId }), "voucher_used")
        held(yield* sale.hold({ seats: [40], replaces: holdId }))
        yield* sale.expectLeft(2, 2)
        held(yield* sale.hold({ seats: [0, 1], customer: "ann" }))
        refused(yield* sale.hold({ seats: [41], customer: "ann" }), "limit_passed")
      })
  )

  it.effect("a change is the same customer's and with the same voucher, unless it says otherwise", () =>
    Effect.gen(function* () {
      const at = yield* now
      const one = voucher(1, { tiers: [0], blocks: [0], untilMs: at + 1_000 })
      const two = voucher(2, { tiers: [0] })
      const layout = hall({ blocks: [block("House", [5])], vouchers: [one, two], maxPerCustomer: 2 })
      const sale = yield* openSale(withTier(layout, "Front", { voucherOnly: true }))
      const old = held(yield* sale.hold({ seats: [0, 1], customer: "ann", voucherKey: "voucher 1" })).holdId
      yield* advance(1_000)
      // Its time is over: it buys nothing more, and takes nothing away.
      refused(yield* sale.hold({ seats: [0, 5], replaces: old }), "voucher_invalid")
      const next = held(yield* sale.hold({ seats: [1, 0], replaces: old }))
      assert.strictEqual(next.voucher, one.id)
      refused(yield* sale.hold({ seats: [40], customer: "ann" }), "limit_passed")
      refused(
        yield* sale.hold({ seats: [0, 1], voucherKey: "voucher 1", replaces: next.holdId }),
        "voucher_invalid"
      )
      const other = held(
        yield* sale.hold({ seats: [0, 1], voucherKey: "voucher 2", customer: "bob", replaces: next.holdId })
      )
      assert.strictEqual(other.voucher, two.id)
      held(yield* sale.hold({ seats: [40, 41], customer: "ann" }))
      refused(yield* sale.hold({ seats: [42], customer: "bob" }), "limit_passed")
    })
  )

  it.effect("seats that were blocked while they are held stay its holder's in a change", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const old = held(yield* sale.hold({ seats: [0, 1], areas: places(2) })).holdId
      const areas = hall().areas.map((area, i) => (i === 0 ? { ...area, block: 0 } : area))
      yield* sale.open(hall({ blocks: [block("House", [1, 2])], areas }))
      refused(yield* sale.hold({ seats: [0, 1, 2], areas: places(3), replaces: old }), "seats_taken", {
        seats: [2],
        areas: places(3)
      })
      const next = held(yield* sale.hold({ seats: [1, 3], areas: places(1), replaces: old })).holdId
      held(yield* sale.hold({ seats: [3], replaces: next }))
      refused(yield* sale.hold({ seats: [1] }), "seats_taken")
      yield* sale.expectTaken({ held: [1, 2, 3] })
    })
  )

  it.effect("accessible seats that are held are asked for anew in a change", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const seats = [hallSeats.accessible[1], hallSeats.companion]
      const old = held(yield* sale.hold({ seats, accessible: true })).holdId
      refused(yield* sale.hold({ seats, replaces: old }), "accessible_only")
      refused(
        yield* sale.hold({ seats: [seats[1]!, 33], accessible: true, replaces: old }),
        "accessible_only"
      )
      const best = yield* sale.hold({ best: { quantity: 2, accessible: 1 }, replaces: old })
      assert.deepStrictEqual([...seatsOf(best)], seats)
    })
  )
}
