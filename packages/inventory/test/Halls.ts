/** Small halls of every kind, and what best available may choose in them, found one by one. */
import { SeatFlag, type SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { grid } from "@onsale/testing/SaleLayouts"
import { Schema } from "effect"
import type { Layout } from "../src/Layout.ts"

export const Int = (minimum: number, maximum: number) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A seat as small numbers, so that a failure shrinks to something readable. */
export const Seat = Schema.Struct({
  taken: Schema.Boolean,
  aisleBefore: Int(0, 5),
  /** 0 is not for sale, 1 and 2 the tiers. */
  tier: Int(0, 5),
  flags: Int(0, 9)
})
export const Hall = Schema.Struct({
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
export type Hall = typeof Hall.Type

const hasAisle = (seat: typeof Seat.Type) => seat.aisleBefore === 0
export const tierOf = (seat: typeof Seat.Type) => (seat.tier === 0 ? -1 : seat.tier % 2)
const flagsOf = (seat: typeof Seat.Type) =>
  seat.flags === 8 ? SeatFlag.companion : seat.flags === 9 ? SeatFlag.accessible : 0

/** As many accessible seats and companions as others. */
export const crowded = (seat: typeof Seat.Type) =>
  seat.flags > 7 ? SeatFlag.companion : seat.flags > 4 ? SeatFlag.accessible : 0

const Rule = Schema.Struct({
  opens: Int(0, 4),
  least: Int(1, 3),
  most: Int(2, 5),
  voucherOnly: Int(0, 5),
  quota: Int(0, 20)
})
/** Of the two tiers. */
export const Rules = Schema.Tuple([Rule, Rule])

/** The layout at the time of 1,000, with rules for its tiers. */
export const withRules = (layout: SaleLayout, rules: typeof Rules.Type): SaleLayout => ({
  ...layout,
  maxPerOrder: 10,
  tiers: layout.tiers.map((tier, i) => {
    const { least, most, opens, voucherOnly } = rules[i]!
    return {
      ...tier,
      opensAtMs: opens === 0 ? 2_000 : 0,
      minPerOrder: least,
      maxPerOrder: most,
      voucherOnly: voucherOnly === 0
    }
  }),
  quotas: rules.map(({ quota }, i) => ({ name: `${i}`, capacity: quota, tiers: [i], areas: [] }))
})

export const layoutOf = (hall: Hall, flags = flagsOf): SaleLayout => ({
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
        return { label: String(i), x, y, tier: tierOf(seat), flags: flags(seat) }
      })
    }
  })
})

/** The rows of the layout with what the wish asks of their seats. */
export const allowed = (
  hall: Hall,
  layout: Layout,
  suits = (seat: typeof Seat.Type) =>
    hall.accessible ? flagsOf(seat) === SeatFlag.accessible : flagsOf(seat) === 0
) =>
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
        suits(seat)
    }))
  })

export type Candidate = ReturnType<typeof allowed>[number][number]

/** Every window of seats side by side, of every row, in the order of the rows; tried one by one. */
export const windows = (rows: ReadonlyArray<ReadonlyArray<Candidate>>, quantity: number) =>
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
