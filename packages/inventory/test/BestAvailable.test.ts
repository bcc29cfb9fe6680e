import { assert, describe, it } from "@effect/vitest"
import { SeatFlag } from "@onsale/contracts/inventory/SaleLayout"
import { hold, newCommandId, newHoldId } from "@onsale/testing/InventorySale"
import { grid } from "@onsale/testing/SaleLayouts"
import { NaiveInventory } from "@onsale/testing/simulation/NaiveInventory"
import { Effect } from "effect"
import * as BestAvailable from "../src/BestAvailable.ts"
import { decide } from "../src/Inventory.ts"
import { empty, evolve, relayout } from "../src/InventoryState.ts"
import { compile, type Layout } from "../src/Layout.ts"
import {
  allowed,
  type Candidate,
  crowded,
  Hall,
  Int,
  layoutOf,
  Rules,
  tierOf,
  windows,
  withRules
} from "./Halls.ts"

const reference = (hall: Hall, layout: Layout): ReadonlyArray<number> | undefined => {
  const rows = windows(allowed(hall, layout), hall.quantity)
  const cost = (seats: ReadonlyArray<number>) => Math.max(...seats.map((seat) => layout.offCentre[seat]!))
  // Accessible seats may be left alone: the best row goes first, whatever it leaves.
  for (const may of hall.accessible ? [[false, true]] : [[false], [true]]) {
    for (const found of rows) {
      const best = found
        .filter(({ lonely }) => may.includes(lonely))
        .sort((a, b) => cost(a.seats) - cost(b.seats))[0]
      if (best !== undefined) return best.seats
    }
  }
  return undefined
}

const choose = (hall: Hall, layout: Layout, counting?: { calls: number }) =>
  chooseWith(hall, layout, hall.accessible ? hall.quantity : 0, counting)

const chooseWith = (hall: Hall, layout: Layout, accessible: number, counting?: { calls: number }) => {
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
    { ...hall, accessible }
  )
}

const total = (hall: Hall) => hall.rows.reduce((sum, { seats }) => sum + seats.length, 0)

describe("BestAvailable", () => {
  it.effect.prop(
    "side by side wherever there is such a place, the best row's middle, no seat left alone but accessible ones: as tried one by one",
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

  it.effect.prop(
    "accessible seats and those who come along: side by side in the first row that has them, as tried one by one",
    [Hall, Int(1, 5)],
    ([hall, chairs]) =>
      Effect.sync(() => {
        const layout = compile(1, layoutOf(hall, crowded))
        const accessible = Math.min(chairs, hall.quantity)
        const rows = allowed({ ...hall, accessible: false }, layout, () => true)
        const isChair = ({ index }: Candidate) => layout.seatFlags[index] === SeatFlag.accessible
        const free = rows.map((seats) => seats.filter(({ ok }) => ok))
        const chosen = chooseWith(hall, layout, accessible)
        const enough = free.flat().length >= hall.quantity && free.flat().filter(isChair).length >= accessible
        assert.strictEqual(chosen?.length, enough ? hall.quantity : undefined)
        if (chosen === undefined) return
        const flags = (flag: number) => chosen.filter((seat) => layout.seatFlags[seat] === flag).length
        assert.isAtLeast(flags(SeatFlag.accessible), accessible)
        for (const seat of chosen) assert.isTrue(free.flat().some(({ index }) => index === seat))
        // What a window has besides: of companion seats the most, and of more accessible ones the fewest.
        const costs = windows(rows, hall.quantity).map((found) =>
          found.flatMap(({ seats }) => {
            const has = (flag: number) => seats.filter((seat) => layout.seatFlags[seat] === flag).length
            const more = has(SeatFlag.accessible) - accessible
            return more < 0
              ? []
              : [more * 1_000 + hall.quantity - accessible - more - has(SeatFlag.companion)]
          })
        )
        const best = costs.findIndex((found) => found.length > 0)
        if (best !== -1) {
          assert.isTrue(BestAvailable.areTogether(layout, chosen))
          const row = [...layout.rowsByRank].indexOf(layout.seatRow[chosen[0]!]!)
          assert.strictEqual(row, best)
          const more = flags(SeatFlag.accessible) - accessible
          const cost = more * 1_000 + hall.quantity - accessible - more - flags(SeatFlag.companion)
          assert.strictEqual(cost, Math.min(...costs[best]!))
          return
        }
        // In one row where one has all of it.
        const whole = free.findIndex(
          (seats) => seats.length >= hall.quantity && seats.filter(isChair).length >= accessible
        )
        if (whole !== -1)
          assert.isTrue(chosen.every((seat) => layout.seatRow[seat] === layout.rowsByRank[whole]))
      }),
    { arbitrary: { runs: 2_000 } }
  )

  it.effect.prop(
    "under the rules of tiers and quotas: what they allow, side by side where a tier that they allow has such a place",
    [Hall, Rules],
    ([hall, rules]) =>
      Effect.sync(() => {
        const plain = { ...hall, accessible: false }
        const before = layoutOf(plain)
        const source = withRules(before, rules)
        const layout = compile(2, source)
        const state = empty(compile(1, before))
        const model = new NaiveInventory(source, (what) => assert.fail(what))
        const taken = hall.rows
          .flatMap(({ seats }) => seats)
          .flatMap((seat, index) => (seat.taken && tierOf(seat) !== -1 ? [index] : []))
        // Somebody had them before there were rules.
        const others = {
          seats: taken,
          areas: [],
          customer: null,
          voucher: null,
          capMs: 9_000,
          id: newHoldId()
        }
        const theirs = {
          cmd: newCommandId(),
          fp: "",
          hold: others.id,
          seats: taken,
          areas: [],
          exp: 9_000,
          cap: 9_000
        }
        evolve(state, { _tag: "Held", ...theirs }, 1, 1_000)
        model.holds.push({ ...others, expMs: 9_000, ownMs: 9_000, order: null, frozen: false })
        relayout(state, layout)
        const { quantity, section } = hall
        const tier = hall.tier === null ? null : source.tiers[hall.tier]!.name
        const command = hold({ best: { quantity, tier, section } })
        const event = decide(state, command, 1_000)
        model.decide(event, command, 1_000)
        if (event._tag !== "Held") return
        const wholly = source.tiers.flatMap((rule, one) => {
          const used = taken.filter((seat) => layout.seatTier[seat] === one).length
          const most = Math.min(rule.maxPerOrder!, source.quotas![one]!.capacity - used)
          const open = rule.opensAtMs! <= 1_000 && rule.voucherOnly !== true
          return open && rule.minPerOrder! <= quantity && quantity <= most ? [one] : []
        })
        const could = wholly.some(
          (one) =>
            (hall.tier ?? one) === one &&
            windows(allowed({ ...plain, tier: one }, layout), quantity).flat().length > 0
        )
        if (could) assert.isTrue(BestAvailable.areTogether(layout, event.seats), JSON.stringify(event.seats))
      }),
    { arbitrary: { runs: 1_000 } }
  )

  // A row with as many free seats as are wished, but not for this wish, was taken for one that has them.
  it("INV-02: accessible seats with others beside them are as many as are wished, or none", () => {
    const layout = compile(1, {
      ...grid(1, 4, { flags: (_, seat) => (seat === 0 ? SeatFlag.accessible : 0) }),
      rows: grid(1, 4, { flags: (_, seat) => (seat === 0 ? SeatFlag.accessible : 0) }).rows.map((row) => ({
        ...row,
        seats: row.seats.map((seat, i) => ({ ...seat, tier: i < 2 ? 0 : 1 }))
      }))
    })
    const everything = { isFree: () => true, freeInRow: () => 4, keptFlags: 3 }
    const wish = { quantity: 3, tier: 0, section: null, accessible: 1 }
    assert.isUndefined(BestAvailable.choose(layout, everything, wish))
    assert.deepStrictEqual(BestAvailable.choose(layout, everything, { ...wish, quantity: 2 }), [0, 1])
  })

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
