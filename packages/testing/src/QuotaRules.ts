/** The rules of quotas, for every implementation: part of `InventorySuite`. */
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { Effect } from "effect"
import { assert } from "vitest"
import { confirm, held, newOrderId, openSale, refused, release, sold, takeBack } from "./InventorySale.ts"
import { grid, hall } from "./SaleLayouts.ts"
import { advance } from "./SteeredClock.ts"
import type { Rules } from "./InventorySuite.ts"

/** Front and Rear draw on 5 tickets together. */
const sharedBySeats = (capacity = 5) =>
  hall({ quotas: [{ name: "Stalls", capacity, tiers: [0, 1], areas: [] }] })

/** A floor with 2 places reserved and a pit, of 10 places each, that draw on 5 tickets together. */
const sharedByAreas = (options: Partial<SaleLayout> = {}) =>
  grid(1, 4, {
    areas: [
      { name: "Floor", tier: 1, capacity: 10, reserved: 2 },
      { name: "Pit", tier: 1, capacity: 10 }
    ],
    quotas: [{ name: "Standing", capacity: 5, tiers: [], areas: [0, 1] }],
    ...options
  })

const places = (area: number, quantity: number) => ({ area, quantity })

export const quotaRules: Rules = (it) => {
  // --- quotas

  it.effect(
    "INV-01: tiers that share a quota have together exactly its tickets, and it is told how many",
    () =>
      Effect.gen(function* () {
        const sale = yield* openSale(sharedBySeats())
        yield* sale.expectLeft(5, 5)
        held(yield* sale.hold({ seats: [0, 1, 2] }))
        yield* sale.expectLeft(2, 2)
        const full = refused(yield* sale.hold({ seats: [20, 21, 3, 40] }), "quota_full", {
          seats: [20, 21, 3]
        })
        assert.strictEqual(full.limit, 2)
        held(yield* sale.hold({ seats: [20, 21, 40] }))
        assert.strictEqual(refused(yield* sale.hold({ seats: [4] }), "quota_full", { seats: [4] }).limit, 0)
        // Others do not draw on it.
        held(yield* sale.hold({ seats: [41], areas: [places(0, 2)] }))
        yield* sale.expectLeft(0, 0)
        yield* sale.expectTaken({ held: [0, 1, 2, 20, 21, 40, 41] })
      })
  )

  it.effect(
    "INV-01: areas that share a quota: what is reserved for one is kept for it, and given to it",
    () =>
      Effect.gen(function* () {
        const sale = yield* openSale(sharedByAreas())
        yield* sale.expectTaken({ free: [5, 3] })
        const full = refused(yield* sale.hold({ areas: [places(1, 4)] }), "quota_full", {
          areas: [places(1, 4)]
        })
        assert.strictEqual(full.limit, 3)
        assert.strictEqual(refused(yield* sale.hold({ areas: [places(0, 6)] }), "quota_full").limit, 5)
        held(yield* sale.hold({ areas: [places(1, 2)] }))
        yield* sale.expectTaken({ free: [3, 1] })
        held(yield* sale.hold({ areas: [places(0, 1)] }))
        yield* sale.expectTaken({ free: [2, 1] })
        held(yield* sale.hold({ areas: [places(0, 1), places(1, 1)] }))
        yield* sale.expectTaken({ free: [0, 0] })
        refused(yield* sale.hold({ areas: [places(0, 1)] }), "quota_full", { areas: [places(0, 1)] })
        refused(yield* sale.hold({ areas: [places(1, 1)] }), "quota_full", { areas: [places(1, 1)] })
      })
  )

  it.effect("INV-01: a ticket counts once against a quota that names both its tier and its area", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(
        hall({ quotas: [{ name: "All", capacity: 6, tiers: [0, 3], areas: [0] }] })
      )
      held(yield* sale.hold({ seats: [0, 1], areas: [places(0, 2)] }))
      yield* sale.expectLeft(2, 2)
      yield* sale.expectTaken({ held: [0, 1], free: [2, 10] })
      refused(yield* sale.hold({ seats: [2], areas: [places(0, 2)] }), "quota_full", {
        seats: [2],
        areas: [places(0, 2)]
      })
      held(yield* sale.hold({ seats: [2], areas: [places(0, 1)] }))
    })
  )

  it.effect("INV-01: of two quotas of a tier the one with less left counts", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(
        hall({
          quotas: [
            { name: "Stalls", capacity: 5, tiers: [0, 1], areas: [] },
            { name: "Front", capacity: 2, tiers: [0], areas: [] }
          ]
        })
      )
      yield* sale.expectLeft(2, 5)
      refused(yield* sale.hold({ seats: [0, 1, 2] }), "quota_full", { seats: [0, 1, 2] })
      held(yield* sale.hold({ seats: [20, 21, 22, 23] }))
      yield* sale.expectLeft(1, 1)
      refused(yield* sale.hold({ seats: [0, 1] }), "quota_full", { seats: [0, 1] })
      held(yield* sale.hold({ seats: [0] }))
      yield* sale.expectLeft(0, 0)
    })
  )

  it.effect("what is released, expired or returned is free again at once under its quota", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(
        sharedByAreas({ quotas: [{ name: "All", capacity: 5, tiers: [0], areas: [0, 1] }] })
      )
      const released = held(yield* sale.hold({ seats: [0], areas: [places(1, 2)] }))
      yield* sale.expectLeft(0)
      yield* sale.expectTaken({ held: [0], free: [2, 0] })
      yield* sale.execute(release(released.holdId))
      yield* sale.expectLeft(3)
      yield* sale.expectTaken({ free: [5, 3] })
      held(yield* sale.hold({ seats: [0], areas: [places(1, 2)] }))
      yield* advance(10_000)
      yield* sale.expectLeft(3)
      yield* sale.expectTaken({ free: [5, 3] })
      const { orderId } = yield* sale.buy({ seats: [0, 1], areas: [places(0, 3)] })
      yield* sale.expectLeft(0)
      yield* sale.expectTaken({ sold: [0, 1], free: [0, 0] })
      refused(yield* sale.hold({ seats: [2] }), "quota_full")
      yield* sale.execute(takeBack(orderId, { seats: [1], areas: [places(0, 2)] }))
      // Of the two places that came back one is reserved for the floor again.
      yield* sale.expectLeft(2)
      yield* sale.expectTaken({ sold: [0], free: [3, 2] })
      held(yield* sale.hold({ seats: [1, 2] }))
      yield* sale.expectTaken({ held: [1, 2], sold: [0], free: [1, 0] })
    })
  )

  it.effect("money that comes late is refused where the quota is full, and takes its tickets else", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(sharedBySeats(2))
      const late = held(yield* sale.hold({ seats: [0, 1] }))
      yield* advance(10_000)
      const first = held(yield* sale.hold({ seats: [20] }))
      const confirmed = confirm(late.holdId, newOrderId(), { seats: [0, 1] })
      assert.strictEqual(refused(yield* sale.execute(confirmed), "quota_full").limit, 1)
      yield* sale.execute(release(first.holdId))
      sold(yield* sale.execute(confirm(late.holdId, newOrderId(), { seats: [0, 1] })))
      yield* sale.expectLeft(0, 0)
    })
  )

  it.effect("best available keeps to what the quotas leave, and is told where they leave nothing", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(sharedBySeats(3))
      held(yield* sale.hold({ best: { quantity: 2 } }))
      // Two more are not left of the stalls.
      const { seats } = held(yield* sale.hold({ best: { quantity: 2 } }))
      assert.isTrue(seats.every(({ seat }) => seat >= 40))
      assert.strictEqual(
        refused(yield* sale.hold({ best: { quantity: 2, tier: "Rear" } }), "quota_full").limit,
        1
      )
      held(yield* sale.hold({ best: { quantity: 1, tier: "Rear" } }))
      yield* sale.expectLeft(0, 0)
    })
  )

  it.effect(
    "INV-01: a quota that is lowered under what is sold takes nothing away and gives nothing more",
    () =>
      Effect.gen(function* () {
        const sale = yield* openSale(sharedBySeats(5))
        const { orderId } = yield* sale.buy({ seats: [0, 1] })
        const { holdId } = held(yield* sale.hold({ seats: [20, 21] }))
        yield* sale.open(sharedBySeats(2))
        yield* sale.expectLeft(0, 0)
        assert.strictEqual(refused(yield* sale.hold({ seats: [2] }), "quota_full").limit, 0)
        sold(yield* sale.execute(confirm(holdId, newOrderId(), { seats: [20, 21] })))
        yield* sale.expectTaken({ sold: [0, 1, 20, 21] })
        yield* sale.execute(takeBack(orderId, { seats: [0, 1] }))
        refused(yield* sale.hold({ seats: [0] }), "quota_full")
        yield* sale.open(sharedBySeats(4))
        yield* sale.expectLeft(2, 2)
        held(yield* sale.hold({ seats: [0, 1] }))
        yield* sale.expectLeft(0, 0)
        // A quota that is new counts what was sold before it was there.
        yield* sale.open(hall({ quotas: [{ name: "Rear", capacity: 3, tiers: [1], areas: [] }] }))
        yield* sale.expectLeft(1)
      })
  )

  it.effect("INV-01: a hundred buyers at once of three tiers' seats and places have exactly the quota", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(
        hall({
          areas: [{ name: "Floor", tier: 3, capacity: 50 }],
          quotas: [{ name: "All", capacity: 30, tiers: [0, 1], areas: [0] }]
        })
      )
      const answers = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, i) => i),
        (i) => sale.hold(i % 3 === 0 ? { areas: [places(0, 1)] } : { seats: [i % 30] }),
        { concurrency: "unbounded" }
      )
      let tickets = 0
      for (const answer of answers) {
        if (answer._tag === "Held") tickets++
        else assert(answer._tag === "Refused" && ["quota_full", "seats_taken"].includes(answer.code))
      }
      assert.strictEqual(tickets, 30)
      yield* sale.expectLeft(0, 0)
      assert.strictEqual((yield* sale.availability).areas[0]!.available, 0)
    })
  )

  it.effect("INV-02: buyers of several tickets at once fill a quota and pass it by none", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(
        sharedByAreas({
          quotas: [{ name: "All", capacity: 25, tiers: [], areas: [0, 1] }],
          areas: [
            { name: "Floor", tier: 1, capacity: 20, reserved: 8 },
            { name: "Pit", tier: 1, capacity: 20 }
          ]
        })
      )
      const answers = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, i) => places(i % 2, 1 + (i % 3))),
        (claim) => Effect.map(sale.hold({ areas: [claim] }), (answer) => ({ claim, answer })),
        { concurrency: "unbounded" }
      )
      const of = (area: number) =>
        answers.reduce(
          (sum, { answer, claim }) =>
            sum + (answer._tag === "Held" && claim.area === area ? claim.quantity : 0),
          0
        )
      const [floor, pit] = [of(0), of(1)]
      assert.isAtMost(floor + pit, 25)
      assert.isAtMost(pit, 17)
      const left = 25 - floor - pit
      yield* sale.expectTaken({
        free: [Math.min(20 - floor, left), Math.min(20 - pit, left - Math.max(0, 8 - floor))]
      })
    })
  )
}
