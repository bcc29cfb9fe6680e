/** Who has the accessible seats and those beside them, for every implementation: part of `InventorySuite`. */
import { SeatFlag } from "@onsale/contracts/inventory/SaleLayout"
import { Effect } from "effect"
import { assert } from "vitest"
import { held, openSale, refused, seatsOf } from "./InventorySale.ts"
import { grid, hall, hallSeats } from "./SaleLayouts.ts"
import type { Rules } from "./InventorySuite.ts"

const [chair, secondChair] = hallSeats.accessible
const { companion } = hallSeats

export const accessibleRules: Rules = (it) => {
  it.effect("accessible seats that are named are for who says they are needed", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      refused(yield* sale.hold({ seats: [0, chair, companion] }), "accessible_only", {
        seats: [chair, companion]
      })
      refused(yield* sale.hold({ seats: [chair], accessible: false }), "accessible_only", { seats: [chair] })
      held(yield* sale.hold({ seats: [0, chair, companion], accessible: true }))
      held(yield* sale.hold({ seats: [1, 2], accessible: true }))
      yield* sale.expectTaken({ held: [0, 1, 2, chair, companion] })
    })
  )

  it.effect("a companion seat goes only along with an accessible one, named or chosen", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      refused(yield* sale.hold({ seats: [companion, 33], accessible: true }), "accessible_only", {
        seats: [companion]
      })
      const both = yield* sale.hold({ seats: [companion], best: { accessible: 1 }, accessible: true })
      assert.deepStrictEqual([...seatsOf(both)].sort(), [secondChair, companion])
      held(yield* sale.hold({ seats: [chair, 33], accessible: true }))
    })
  )

  it.effect("best available with one accessible seat of two: it and its companion, side by side", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const two = { quantity: 2, accessible: 1 }
      assert.deepStrictEqual([...seatsOf(yield* sale.hold({ best: two }))], [secondChair, companion])
      // Its neighbour is a free seat no more: the one who comes along sits as near as can be.
      assert.deepStrictEqual([...seatsOf(yield* sale.hold({ best: two }))], [chair, 33])
      refused(yield* sale.hold({ best: two }), "seats_taken")
      yield* sale.expectTaken({ held: [chair, secondChair, companion, 33] })
    })
  )

  it.effect(
    "best available gives as many accessible seats as are asked for, and other seats to the others",
    () =>
      Effect.gen(function* () {
        const { accessible, companion: beside } = SeatFlag
        // Pairs of an accessible seat and a companion's in the last row, and in the row before it two apart.
        const flags = (row: number, seat: number) =>
          row === 2 ? (seat % 2 === 0 ? accessible : beside) : row === 1 && seat % 5 === 0 ? accessible : 0
        const sale = yield* openSale(grid(3, 6, { flags }))
        assert.deepStrictEqual(
          [...seatsOf(yield* sale.hold({ best: { quantity: 4, accessible: 2 } }))],
          [13, 14, 15, 16]
        )
        // One is left in that row, and the others are not beside each other.
        const two = seatsOf(yield* sale.hold({ best: { quantity: 2, accessible: 2 } }))
        assert.deepStrictEqual([...two], [6, 11])
        // Who needs none gets none, even as the last.
        const seats = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]
        held(yield* sale.hold({ seats: seats.slice(0, 6) }))
        held(yield* sale.hold({ seats: seats.slice(6) }))
        refused(yield* sale.hold({ best: { quantity: 1 } }), "seats_taken")
        assert.deepStrictEqual([...seatsOf(yield* sale.hold({ best: { quantity: 1, accessible: 1 } }))], [12])
      })
  )

  it.effect("once they are released, accessible seats and companions are anybody's", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      refused(yield* sale.hold({ seats: [chair] }), "accessible_only")
      yield* sale.open(hall({ accessibleReleased: true }))
      held(yield* sale.hold({ seats: [companion] }))
      held(yield* sale.hold({ seats: [20, 21, 22, 23, 24, 25] }))
      held(yield* sale.hold({ seats: [26, 27, 28, 29, 33, 34] }))
      held(yield* sale.hold({ seats: [35, 36, 37, 38] }))
      assert.deepStrictEqual(
        [...seatsOf(yield* sale.hold({ best: { quantity: 2, tier: "Rear" } }))],
        [chair, secondChair]
      )
    })
  )
}
