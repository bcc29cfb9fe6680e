/** The rules of best available, for every implementation: part of `InventorySuite`. */
import { Effect } from "effect"
import { assert } from "vitest"
import { held, openSale, refused, seatsOf } from "./InventorySale.ts"
import { grid, hall, hallSeats } from "./SaleLayouts.ts"
import type { Rules } from "./InventorySuite.ts"

export const bestAvailableRules: Rules = (it) => {
  // --- best available

  it.effect("best available: side by side in the best row, from the middle", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      assert.deepStrictEqual(seatsOf(yield* sale.hold({ best: { quantity: 4 } })), [3, 4, 5, 6])
      const six = seatsOf(yield* sale.hold({ best: { quantity: 6 } }))
      assert.isTrue(six.every((seat, i) => seat === six[0]! + i && seat >= 10 && seat < 20))
    })
  )

  it.effect("best available: of one section, one tier, by id or name", () =>
    Effect.gen(function* () {
      const layout = hall()
      const sale = yield* openSale(layout)
      const [rearFirst, balconyFirst] = [hallSeats.rows[2], hallSeats.rows[4]]
      const between = (from: number, to: number, seats: ReadonlyArray<number>) =>
        assert.isTrue(seats.length === 2 && seats.every((seat) => seat >= from && seat < to))
      const { id } = layout.tiers[1]!
      for (const section of ["Balcony", 1]) {
        between(balconyFirst, hallSeats.total, seatsOf(yield* sale.hold({ best: { quantity: 2, section } })))
      }
      for (const tier of ["Rear", id]) {
        between(rearFirst, balconyFirst, seatsOf(yield* sale.hold({ best: { quantity: 2, tier } })))
      }
      refused(yield* sale.hold({ best: { section: "Orchestra" } }), "seats_unknown")
      refused(yield* sale.hold({ best: { tier: "Gold" } }), "seats_unknown")
      refused(yield* sale.hold({ best: { section: "Balcony", tier: "Front" } }), "seats_taken")
    })
  )

  it.effect("best available: accessible seats are kept for those who ask for them", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const taken: Array<number> = []
      for (let i = 0; i < 9; i++) {
        const answer = yield* sale.hold({ best: { quantity: 2, tier: "Rear" } })
        if (answer._tag === "Refused") break
        taken.push(...seatsOf(answer))
      }
      const kept: ReadonlyArray<number> = [...hallSeats.accessible, hallSeats.companion, hallSeats.notForSale]
      assert.deepStrictEqual(
        taken.sort((a, b) => a - b),
        Array.from({ length: 20 }, (_, i) => 20 + i).filter((seat) => !kept.includes(seat))
      )
      assert.deepStrictEqual(
        [...seatsOf(yield* sale.hold({ best: { quantity: 2, accessible: 2 } }))],
        [...hallSeats.accessible]
      )
      refused(yield* sale.hold({ best: { quantity: 1, accessible: 1 } }), "seats_taken")
    })
  )

  it.effect("best available: apart where nothing is left side by side, and sold out at the end", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(grid(2, 6))
      held(yield* sale.hold({ seats: [1, 3, 5, 7, 9, 11] }))
      const three = seatsOf(yield* sale.hold({ best: { quantity: 3 } }))
      assert.deepStrictEqual([...three], [0, 2, 4])
      assert.lengthOf(seatsOf(yield* sale.hold({ best: { quantity: 2 } })), 2)
      refused(yield* sale.hold({ best: { quantity: 2 } }), "seats_taken")
      assert.lengthOf(seatsOf(yield* sale.hold({ best: { quantity: 1 } })), 1)
      refused(yield* sale.hold({ best: { quantity: 1 } }), "seats_taken")
    })
  )

  it.effect("best available never gives the seats that are named beside it", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(grid(1, 4))
      const seats = seatsOf(yield* sale.hold({ seats: [1], best: { quantity: 2 } }))
      assert.deepStrictEqual([...seats], [1, 2, 3])
    })
  )
}
