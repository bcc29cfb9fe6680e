import { assert, describe, it } from "@effect/vitest"
import { SeatFlag, type SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { grid } from "@onsale/testing/SaleLayouts"
import { Effect, Schema } from "effect"
import * as BestAvailable from "../src/BestAvailable.ts"
import { compile, type Layout } from "../src/Layout.ts"

const Int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A seat as small numbers, so that a failure shrinks to something readable. */
const Seat = Schema.Struct({
  taken: Schema.Boolean,
  aisleBefore: Int(0, 5),
  /** 0 is not for sale, 1 and 2 the tiers. */
  tier: Int(0, 5),
  flags: Int(0, 9)
})
const Hall = Schema.Struct({
  rows: Schema.Array(
    Schema.Struct({
      section: Int(0, 1),
      rank: Int(0, 3),
      seats: Schema.Array(Seat).check(Schema.isMaxLength(9))
    })
  ).check(Schema.isMaxLength(5)),
  quantity: Int(1, 5),
  tier: Schema.NullOr(Int(0, 1)),
  section: Schema.NullOr(Int(0, 1)),
  accessible: Schema.Boolean
})
type Hall = typeof Hall.Type

const hasAisle = (seat: typeof Seat.Type) => seat.aisleBefore === 0
const tierOf = (seat: typeof Seat.Type) => (seat.tier === 0 ? -1 : seat.tier % 2)
const flagsOf = (seat: typeof Seat.Type) =>
  seat.flags === 8 ? SeatFlag.companion : seat.flags === 9 ? SeatFlag.accessible : 0

const layoutOf = (hall: Hall): SaleLayout => ({
  ...grid(0, 0),
  sections: [{ name: "Stalls" }, { name: "Balcony" }],
  rows: hall.rows.map(({ rank, seats, section }, y) => {
    let x = 0
    return {
      section,
      label: String(y),
      rank,
      seats: seats.map((seat, i) => {
        // Four steps wide, so that it stays an aisle where there are as many aisles as seats.
        x += i === 0 ? 0 : hasAisle(seat) ? 4 : 1
        return { label: String(i), x, y, tier: tierOf(seat), flags: flagsOf(seat) }
      })
    }
  })
})

/** The rows of the layout with what the wish asks of their seats. */
const allowed = (hall: Hall, layout: Layout) =>
  Array.from(layout.rowsByRank, (row) => {
    const { first } = layout.rows[row]!
    const { seats, section } = hall.rows[row]!
    return seats.map((seat, i) => ({
      index: first + i,
      joined: i > 0 && layout.blockStart[first + i] === 0,
      ok:
        !seat.taken &&
        tierOf(seat) !== -1 &&
        (hall.tier === null || tierOf(seat) === hall.tier) &&
        (hall.section === null || section === hall.section) &&
        (hall.accessible ? flagsOf(seat) === SeatFlag.accessible : flagsOf(seat) === 0)
    }))
  })

type Candidate = ReturnType<typeof allowed>[number][number]

/** Every window of seats side by side, of every row, in the order of the rows; tried one by one. */
const windows = (rows: ReadonlyArray<ReadonlyArray<Candidate>>, quantity: number) =>
  rows.map((seats) => {
    const joinedTo = (a: number, b: number) =>
      a >= 0 && b < seats.length && seats[b]!.joined && seats[a]!.ok && seats[b]!.ok
    const found: Array<{ readonly seats: ReadonlyArray<number>; readonly lonely: boolean }> = []
    for (let at = 0; at + quantity <= seats.length; at++) {
      const end = at + quantity - 1
      let together = seats[at]!.ok
      for (let i = at + 1; i <= end; i++) together &&= joinedTo(i - 1, i)
      if (!together) continue
      const leftAlone = joinedTo(at - 1, at) && !joinedTo(at - 2, at - 1)
      const rightAlone = joinedTo(end, end + 1) && !joinedTo(end + 1, end + 2)
      found.push({
        seats: seats.slice(at, end + 1).map(({ index }) => index),
        lonely: leftAlone || rightAlone
      })
    }
    return found
  })

const reference = (hall: Hall, layout: Layout): ReadonlyArray<number> | undefined => {
  const rows = windows(allowed(hall, layout), hall.quantity)
  const cost = (seats: ReadonlyArray<number>) => Math.max(...seats.map((seat) => layout.offCentre[seat]!))
  for (const lonely of [false, true]) {
    for (const found of rows) {
      const best = found
        .filter((window) => window.lonely === lonely)
        .sort((a, b) => cost(a.seats) - cost(b.seats))[0]
      if (best !== undefined) return best.seats
    }
  }
  return undefined
}

const choose = (hall: Hall, layout: Layout, counting?: { calls: number }) => {
  const taken = hall.rows.flatMap(({ seats }) => seats.map((seat) => seat.taken))
  return BestAvailable.choose(
    layout,
    {
      isFree: (seat) => {
        if (counting !== undefined) counting.calls++
        return !taken[seat]
      },
      freeInRow: (row) => hall.rows[row]!.seats.filter((seat) => !seat.taken).length,
      keptFlags: 3
    },
    { ...hall, accessible: hall.accessible ? hall.quantity : 0 }
  )
}

const total = (hall: Hall) => hall.rows.reduce((sum, { seats }) => sum + seats.length, 0)

describe("BestAvailable", () => {
  it.effect.prop(
    "side by side wherever there is such a place, the best row's middle, no seat left alone: as tried one by one",
    [Hall],
    ([hall]) =>
      Effect.sync(() => {
        const layout = compile(1, layoutOf(hall))
        const expected = reference(hall, layout)
        const chosen = choose(hall, layout)
        if (expected !== undefined) assert.deepStrictEqual(chosen, [...expected])
        else if (chosen !== undefined) {
          assert.isEmpty(windows(allowed(hall, layout), hall.quantity).flat())
        }
      }),
    { arbitrary: { runs: 2_000 } }
  )

  it.effect.prop(
    "never a seat that is taken, not for sale, of another tier or section, kept for others, or twice",
    [Hall],
    ([hall]) =>
      Effect.sync(() => {
        const layout = compile(1, layoutOf(hall))
        const rows = allowed(hall, layout)
        const ok = new Set(rows.flatMap((seats) => seats.filter((seat) => seat.ok).map(({ index }) => index)))
        const chosen = choose(hall, layout)
        // All of them or, only where there are not as many, none.
        assert.strictEqual(chosen?.length, ok.size >= hall.quantity ? hall.quantity : undefined)
        if (chosen === undefined) return
        assert.deepStrictEqual(
          chosen,
          [...new Set(chosen)].sort((a, b) => a - b)
        )
        for (const seat of chosen) assert.isTrue(ok.has(seat), `seat ${seat}`)
      }),
    { arbitrary: { runs: 2_000 } }
  )

  it.effect.prop(
    "apart only in as few rows as can be: in one where one has as many",
    [Hall],
    ([hall]) =>
      Effect.sync(() => {
        const layout = compile(1, layoutOf(hall))
        const chosen = choose(hall, layout)
        if (chosen === undefined) return
        const free = allowed(hall, layout).map((seats) =>
          seats.filter(({ ok }) => ok).map(({ index }) => index)
        )
        const used = new Set(chosen.map((seat) => layout.seatRow[seat]!))
        if (free.some((seats) => seats.length >= hall.quantity)) assert.strictEqual(used.size, 1)
        else {
          const rows = free.filter((seats) => seats.length > 0)
          let fewest = rows.length
          for (let from = 0; from < rows.length; from++) {
            let sum = 0
            for (let to = from; to < rows.length; to++) {
              sum += rows[to]!.length
              if (sum >= hall.quantity) fewest = Math.min(fewest, to - from + 1)
            }
          }
          assert.isAtMost(used.size, fewest)
        }
      }),
    { arbitrary: { runs: 2_000 } }
  )

  it("the middle is the middle of the focal point, and an aisle is no neighbour", () => {
    const everyone = { isFree: () => true, freeInRow: () => 100, keptFlags: 3 }
    const wish = { quantity: 4, tier: null, section: null, accessible: 0 }
    const middle = compile(1, grid(1, 30))
    assert.deepStrictEqual(BestAvailable.choose(middle, everyone, wish), [13, 14, 15, 16])
    const aside = compile(1, grid(1, 30, { focalPoint: { x: 7.5, y: -5 } }))
    assert.deepStrictEqual(BestAvailable.choose(aside, everyone, wish), [6, 7, 8, 9])
    const plain = grid(1, 10)
    const aisle = compile(1, {
      ...plain,
      rows: plain.rows.map((row) => ({
        ...row,
        seats: row.seats.map((seat, i) => ({ ...seat, x: i < 5 ? i : i + 3 }))
      }))
    })
    assert.deepStrictEqual(BestAvailable.choose(aisle, everyone, { ...wish, quantity: 5 }), [0, 1, 2, 3, 4])
    assert.isUndefined(BestAvailable.choose(aisle, everyone, { ...wish, quantity: 11 }))
  })

  it("it looks at each seat a few times, however full the hall is", () => {
    for (const fill of [0, 0.5, 0.95, 1]) {
      for (const quantity of [1, 2, 6, 10]) {
        const hall: Hall = {
          rows: Array.from({ length: 100 }, (_, row) => ({
            section: 0,
            rank: row,
            seats: Array.from({ length: 90 }, (_, seat) => ({
              // Spread evenly, without a pattern that a row would repeat.
              taken: ((row * 90 + seat) * 0.618_033_988_7) % 1 < fill,
              aisleBefore: seat % 30 === 0 ? 0 : 1,
              tier: 1,
              flags: 0
            }))
          })),
          quantity,
          tier: null,
          section: null,
          accessible: false
        }
        const counting = { calls: 0 }
        choose(hall, compile(1, layoutOf(hall)), counting)
        assert.isAtMost(counting.calls, 4 * total(hall))
        // An empty hall is not searched.
        if (fill === 0) assert.isAtMost(counting.calls, 4 * 90)
      }
    }
  })
})
