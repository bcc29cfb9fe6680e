/** What was found to be wrong once, a test each, named after the rule. */
import { assert, describe, it } from "@effect/vitest"
import type { InventoryCommand, Refused } from "@onsale/contracts/inventory/InventoryCommand"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import {
  type Claims,
  confirm,
  freeze,
  hold,
  newHoldId,
  newOrderId,
  unfreeze,
  type Wish
} from "@onsale/testing/InventorySale"
import { block, grid, hall, voucher, withTier } from "@onsale/testing/SaleLayouts"
import { decide, sweep } from "../src/Inventory.ts"
import { holdView } from "../src/InventoryAnswers.ts"
import { type CommandEvent, empty, evolve, relayout } from "../src/InventoryState.ts"
import { compile } from "../src/Layout.ts"

/** An inventory of which nobody sweeps. */
const inventory = (layout: SaleLayout) => {
  const state = empty(compile(1, layout))
  const carryOut = (command: InventoryCommand, nowMs = 1_000): CommandEvent => {
    const event = decide(state, command, nowMs)
    evolve(state, event, state.version + 1, nowMs)
    return event
  }
  return {
    state,
    carryOut,
    holds: (wish: Wish, nowMs = 1_000) => carryOut(hold(wish), nowMs),
    reopen: (next: SaleLayout) => relayout(state, compile(state.layout.version + 1, next))
  }
}

const seatsOf = (event: CommandEvent): ReadonlyArray<number> => {
  assert(event._tag === "Held", JSON.stringify(event))
  return event.seats
}

const isRefused = (event: CommandEvent, code: Refused["code"], detail: Partial<Refused> = {}) => {
  assert(event._tag === "Refused", JSON.stringify(event))
  assert.deepInclude(event, { code, ...detail })
}

describe("Inventory", () => {
  it("INV-03: a hold that nobody swept is not honoured after its time, and its seats are free", () => {
    const { carryOut, holds, state } = inventory(grid(3, 6))
    const holdId = newHoldId()
    seatsOf(holds({ holdId, seats: [0, 1] }))
    assert.property(holdView(state, holdId, 10_999), "holdId")
    assert.deepInclude(holdView(state, holdId, 11_000), { code: "hold_expired" })
    isRefused(carryOut(freeze(holdId, newOrderId()), 11_000), "hold_expired")
    isRefused(holds({ seats: [2], replaces: holdId }, 11_000), "hold_expired")
    assert.deepStrictEqual([...seatsOf(holds({ seats: [1] }, 11_000))], [1])
  })

  // Found by the simulation: the next command of the same batch was refused, of an area that was free.
  it("a checkout that ends after its hold's own time leaves the places free at once", () => {
    const { carryOut, holds } = inventory(grid(3, 6))
    const [holdId, orderId] = [newHoldId(), newOrderId()]
    const what: Claims = { seats: [4], areas: [{ area: 0, quantity: 5 }] }
    seatsOf(holds({ holdId, ...what }))
    assert.strictEqual(carryOut(freeze(holdId, orderId), 2_000)._tag, "Frozen")
    assert.strictEqual(carryOut(unfreeze(holdId, orderId), 12_000)._tag, "Unfrozen")
    assert.strictEqual(carryOut(confirm(holdId, orderId, what), 12_000)._tag, "Sold")
  })

  it("a hold with two entries of one time is swept once", () => {
    const { carryOut, holds, state } = inventory(grid(3, 6))
    const [holdId, orderId] = [newHoldId(), newOrderId()]
    seatsOf(holds({ holdId, seats: [1] }))
    carryOut(freeze(holdId, orderId))
    carryOut(unfreeze(holdId, orderId))
    assert.deepStrictEqual(sweep(state, 60_000), { _tag: "Expired", holds: [holdId] })
  })

  // Found by the simulation: three seats were held for four.
  it("INV-02: the accessible seats of a row in which others are closed are not given without the others", () => {
    const accessible = grid(1, 4, { flags: (_, seat) => (seat === 0 ? 1 : 0) })
    const { holds } = inventory({ ...accessible, blocks: [block("House", [2, 3])] })
    isRefused(holds({ best: { quantity: 3, accessible: 1 } }), "seats_taken")
    assert.deepStrictEqual([...seatsOf(holds({ best: { quantity: 2, accessible: 1 } }))], [0, 1])
  })

  it("more reserved than is free: who it is reserved for has what is free, and nobody else", () => {
    const shop = (reserved: number) =>
      grid(1, 1, {
        areas: [
          { name: "Floor", tier: 1, capacity: 10 },
          { name: "Floor", tier: 1, capacity: 6, reserved, block: 0 }
        ],
        quotas: [{ name: "Floor", capacity: 10, tiers: [], areas: [0, 1] }],
        blocks: [block("House", [])],
        vouchers: [voucher(1, { blocks: [0] })],
        maxPerOrder: 10
      })
    const { holds, reopen } = inventory(shop(0))
    const mine = newHoldId()
    seatsOf(holds({ areas: [{ area: 0, quantity: 5 }] }))
    seatsOf(holds({ holdId: mine, areas: [{ area: 0, quantity: 2 }] }))
    reopen(shop(6))
    isRefused(holds({ areas: [{ area: 0, quantity: 1 }] }), "quota_full", { limit: 0 })
    // And it takes nothing from who has some already: he may have less.
    seatsOf(holds({ areas: [{ area: 0, quantity: 1 }], replaces: mine }))
    seatsOf(holds({ areas: [{ area: 1, quantity: 4 }], voucherKey: "voucher 1" }))
    isRefused(holds({ areas: [{ area: 1, quantity: 1 }], voucherKey: "voucher 1" }), "quota_full")
  })

  it("INV-08: a voucher whose time is over buys nothing more in a change, and takes nothing away", () => {
    const locked = withTier(grid(1, 6), "Front", { voucherOnly: true })
    const { holds } = inventory({ ...locked, vouchers: [voucher(1, { tiers: [0], untilMs: 2_000 })] })
    const first = newHoldId()
    const second = newHoldId()
    seatsOf(holds({ holdId: first, seats: [0, 1], voucherKey: "voucher 1" }))
    isRefused(holds({ seats: [0, 1, 2], replaces: first }, 3_000), "voucher_invalid")
    isRefused(holds({ seats: [2], replaces: first }, 3_000), "voucher_invalid")
    seatsOf(holds({ holdId: second, seats: [1], replaces: first }, 3_000))
  })

  it("who lets go of tickets is not told of a tier that has closed, or of a limit that was lowered", () => {
    const before = grid(1, 6, { maxPerCustomer: 4, areas: [{ name: "Floor", tier: 1, capacity: 5 }] })
    const { holds, reopen } = inventory(before)
    const first = newHoldId()
    const second = newHoldId()
    seatsOf(holds({ holdId: first, seats: [0, 1, 2, 3], customer: "ada" }))
    reopen({
      ...withTier(before, "Front", { closesAtMs: 1_500 }),
      maxPerCustomer: 1,
      quotas: [{ name: "Front", capacity: 1, tiers: [0], areas: [] }]
    })
    isRefused(holds({ seats: [0, 4], replaces: first }, 2_000), "tier_closed")
    seatsOf(holds({ holdId: second, seats: [0, 1, 2], replaces: first }, 2_000))
  })

  it("a quota that is full is not an area that is taken", () => {
    const quotas = [{ name: "Floor", capacity: 3, tiers: [], areas: [0] }]
    const { holds } = inventory(grid(1, 1, { quotas }))
    isRefused(holds({ areas: [{ area: 0, quantity: 4 }] }), "quota_full", { areas: [0], limit: 3 })
    isRefused(holds({ areas: [{ area: 0, quantity: 6 }] }), "seats_taken", { areas: [0] })
  })

  it("best available of a tier that is closed is not sold out, and names no seats that nobody named", () => {
    const { holds } = inventory(withTier(hall(), "Rear", { opensAtMs: 5_000 }))
    isRefused(holds({ best: { quantity: 2, tier: "Rear" } }), "tier_closed", { seats: [], limit: 5_000 })
    const named = holds({ seats: [0], best: { quantity: 2, tier: "Rear" } })
    isRefused(named, "tier_closed", { seats: [], limit: 5_000 })
  })

  it("INV-08: best available fills up what is named to the least of its tier, though others are better", () => {
    const layout = withTier(hall(), "Rear", { minPerOrder: 2 })
    const { holds } = inventory(layout)
    const seats = seatsOf(holds({ seats: [20], best: { quantity: 1 } }))
    assert.isTrue(seats.length === 2 && seats.every((seat) => seat >= 20 && seat < 40))
    isRefused(holds({ seats: [40, 22], best: { quantity: 1, tier: "Balcony" } }), "below_minimum")
  })

  it("best available is side by side in a lesser row before it is apart in a better one", () => {
    const before = hall()
    const layout = withTier(withTier(before, "Front", { voucherOnly: true }), "Balcony", { minPerOrder: 2 })
    const { holds } = inventory({ ...layout, maxPerOrder: 20 })
    // Of the rear every other seat is gone.
    seatsOf(holds({ seats: [20, 22, 24, 26, 28, 34, 36, 38] }))
    const seats = seatsOf(holds({ best: { quantity: 2 } }))
    assert.isTrue(
      seats.every((seat) => seat >= 40),
      `[${seats.join()}]`
    )
  })

  it("a choice of several tiers is made where rules and quotas allow it, though they would not allow one alone", () => {
    const layout = withTier(withTier(grid(1, 2), "Front", { maxPerOrder: 1 }), "Standing", { maxPerOrder: 1 })
    const rows = layout.rows.map((row) => ({
      ...row,
      seats: row.seats.map((seat, i) => ({ ...seat, tier: i }))
    }))
    const { holds } = inventory({ ...layout, rows })
    assert.deepStrictEqual([...seatsOf(holds({ best: { quantity: 2 } }))], [0, 1])
  })

  it("a block that came while they are held takes no seats from the hold that is changed", () => {
    const { holds, reopen } = inventory(grid(1, 4))
    const holdId = newHoldId()
    seatsOf(holds({ holdId, seats: [0, 1] }))
    reopen({ ...grid(1, 4), blocks: [block("House", [1, 2])] })
    isRefused(holds({ seats: [1, 2], replaces: holdId }), "seats_taken", { seats: [2] })
    assert.deepStrictEqual([...seatsOf(holds({ seats: [1, 3], replaces: holdId }))], [1, 3])
  })

  // It would be sold on no tier, and no layout could replace the one in force any more.
  it("money that comes late does not buy a seat or a place that is not for sale any more", () => {
    const { carryOut, holds, reopen, state } = inventory(grid(1, 2))
    const late: Claims = { seats: [0], areas: [{ area: 0, quantity: 1 }] }
    const holdId = newHoldId()
    seatsOf(holds({ holdId, ...late }))
    const expired = sweep(state, 20_000)
    assert.isDefined(expired)
    evolve(state, expired!, 2, 20_000)
    const { areas, rows, ...rest } = grid(1, 2)
    const off = <A extends { readonly tier: number }>(one: A) => ({ ...one, tier: -1 })
    reopen({
      ...rest,
      areas: areas.map(off),
      rows: rows.map((row) => ({ ...row, seats: row.seats.map(off) }))
    })
    isRefused(carryOut(confirm(holdId, newOrderId(), late), 20_000), "seats_taken", {
      seats: [0],
      areas: [0]
    })
  })
})
