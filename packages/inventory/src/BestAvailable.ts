/**
 * Chooses seats: side by side in the best row (the layout's rank), in it the seats nearest the middle; and a
 * choice that would leave a single seat alone beside it is taken only where no other row does without. Where
 * nothing is left side by side, the seats are taken from as few rows and as near together as can be.
 *
 * Accessible seats and the companion seats beside them are not given to those who do not ask. Who asks for
 * accessible seats gets as many as that, and beside them companion seats, other seats where there are none of
 * these, and more accessible ones last of all. Accessible seats may be left alone: who needs one comes alone or
 * with a companion, so one by itself is no harder to sell than two.
 */
import type { BestAvailable } from "@onsale/contracts/inventory/InventoryCommand"
import { SeatFlag } from "@onsale/contracts/inventory/SaleLayout"
import type { Layout } from "./Layout.ts"

/** A wish in the layout's terms: `tier` and `section` are indices, null is any. */
export interface Wish {
  readonly quantity: number
  readonly tier: number | null
  readonly section: number | null
  /** So many of the seats have to be accessible ones. */
  readonly accessible: number
  /** Tiers that may be chosen; all when left out. */
  readonly allowed?: (tier: number) => boolean
}

/** Finds the tier and the section by id or name; undefined where the layout has none such. */
export const resolve = (layout: Layout, best: BestAvailable): Wish | undefined => {
  const { tiers, sections } = layout.source
  const tier =
    best.tier === null ? null : tiers.findIndex(({ id, name }) => id === best.tier || name === best.tier)
  const section =
    best.section === null
      ? null
      : typeof best.section === "number"
        ? best.section
        : sections.findIndex(({ name }) => name === best.section)
  return tier === -1 || (section !== null && sections[section] === undefined)
    ? undefined
    : { quantity: best.quantity, tier, section, accessible: Math.min(best.accessible, best.quantity) }
}

export interface Free {
  /** True where the seat can be had now. */
  readonly isFree: (seat: number) => boolean
  /** An upper bound of the free seats of a row, to pass by full ones. */
  readonly freeInRow: (row: number) => number
  /** Bits of `SeatFlag`: seats that have one are left to those who ask for accessible seats. */
  readonly keptFlags: number
}

/** Indices of the chosen seats in rising order, or undefined where there are not as many. */
export const choose = (layout: Layout, free: Free, wish: Wish): Array<number> | undefined => {
  const eligible = (seat: number): boolean => {
    const tier = layout.seatTier[seat]!
    if (tier === -1 || (wish.tier !== null && tier !== wish.tier) || !free.isFree(seat)) return false
    if (wish.allowed !== undefined && !wish.allowed(tier)) return false
    return wish.accessible > 0 || (layout.seatFlags[seat]! & free.keptFlags) === 0
  }
  return wish.accessible > 0
    ? withAccessible(layout, free, wish, eligible)
    : (together(layout, free, wish, eligible) ?? apart(layout, free, wish, eligible))
}

/** True for seats, in rising order, that are side by side. */
export const areTogether = (layout: Layout, seats: ReadonlyArray<number>): boolean =>
  seats.every((seat, i) => i === 0 || (seat === seats[i - 1]! + 1 && layout.blockStart[seat] === 0))

const candidateRows = function* (layout: Layout, free: Free, wish: Wish, least: number) {
  for (const row of layout.rowsByRank) {
    if (free.freeInRow(row) < least) continue
    const range = layout.rows[row]!
    if (wish.section !== null && range.section !== wish.section) continue
    if (wish.tier !== null && !range.tiers.has(wish.tier)) continue
    yield range
  }
}

const together = (
  layout: Layout,
  free: Free,
  wish: Wish,
  eligible: (seat: number) => boolean
): Array<number> | undefined => {
  const { quantity } = wish
  // The first window that leaves a seat alone, in case there is none that does not.
  let fallback = -1
  for (const { first, count } of candidateRows(layout, free, wish, quantity)) {
    const end = first + count
    let best = -1
    let bestCost = Number.POSITIVE_INFINITY
    let lonely = -1
    let lonelyCost = Number.POSITIVE_INFINITY
    let runStart = first
    for (let seat = first; seat <= end; seat++) {
      const goesOn = seat < end && eligible(seat) && (seat === runStart || layout.blockStart[seat] === 0)
      if (goesOn) continue
      const runLength = seat - runStart
      for (let at = runStart; at + quantity <= runStart + runLength; at++) {
        const left = at - runStart
        const right = runLength - left - quantity
        const cost = offCentre(layout, at, at + quantity - 1)
        if (left === 1 || right === 1) {
          if (cost < lonelyCost) {
            lonelyCost = cost
            lonely = at
          }
        } else if (cost < bestCost) {
          bestCost = cost
          best = at
        }
      }
      // A seat behind an aisle ends the run before it and begins the next.
      runStart = seat < end && eligible(seat) ? seat : seat + 1
    }
    if (best !== -1) return range(best, quantity)
    if (fallback === -1) fallback = lonely
  }
  return fallback === -1 ? undefined : range(fallback, quantity)
}

const apart = (
  layout: Layout,
  free: Free,
  wish: Wish,
  eligible: (seat: number) => boolean
): Array<number> | undefined => {
  const { quantity } = wish
  // As much of one row as there is, the better row on a tie; then the next ones round it.
  const rows: Array<Array<number>> = []
  let total = 0
  for (const { first, count } of candidateRows(layout, free, wish, 1)) {
    const seats: Array<number> = []
    for (let seat = first; seat < first + count; seat++) if (eligible(seat)) seats.push(seat)
    if (seats.length === 0) continue
    if (seats.length >= quantity) {
      return nearestTogether(layout, seats, quantity)
    }
    rows.push(seats)
    total += seats.length
  }
  if (total < quantity) return undefined
  let best: { readonly from: number; readonly span: number } | undefined
  // The shortest stretch of rows, in the order of their rank, that has enough.
  for (let from = 0, to = 0, sum = 0; from < rows.length; from++) {
    while (to < rows.length && sum < quantity) sum += rows[to++]!.length
    if (sum < quantity) break
    if (best === undefined || to - from < best.span) best = { from, span: to - from }
    sum -= rows[from]!.length
  }
  if (best === undefined) return undefined
  return rows
    .slice(best.from, best.from + best.span)
    .flat()
    .slice(0, quantity)
    .sort((a, b) => a - b)
}

/** Of the free seats of one row, the `quantity` that lie closest to one another, then to the middle. */
const nearestTogether = (layout: Layout, seats: ReadonlyArray<number>, quantity: number): Array<number> => {
  let best = 0
  let bestSpan = Number.POSITIVE_INFINITY
  let bestCost = Number.POSITIVE_INFINITY
  for (let at = 0; at + quantity <= seats.length; at++) {
    const span = seats[at + quantity - 1]! - seats[at]!
    const cost = offCentre(layout, seats[at]!, seats[at + quantity - 1]!)
    if (span < bestSpan || (span === bestSpan && cost < bestCost)) {
      best = at
      bestSpan = span
      bestCost = cost
    }
  }
  return seats.slice(best, best + quantity)
}

/** How far the outer one of the two ends is from the middle: their sum is the same wherever the middle lies between. */
const offCentre = (layout: Layout, first: number, last: number): number =>
  Math.max(layout.offCentre[first]!, layout.offCentre[last]!)

const range = (first: number, quantity: number): Array<number> =>
  Array.from({ length: quantity }, (_, i) => first + i)

const isAccessible = (layout: Layout, seat: number): boolean =>
  (layout.seatFlags[seat]! & SeatFlag.accessible) !== 0

/** What a seat beside accessible ones costs: a companion seat nothing, one that another may need the most. */
const besideCost = (layout: Layout, seat: number): number => {
  const flags = layout.seatFlags[seat]!
  return (flags & SeatFlag.companion) !== 0 ? 0 : (flags & SeatFlag.accessible) !== 0 ? 1_000 : 1
}

/**
 * Accessible seats and those who come along: of the rows by rank, the first that has them side by side. Where
 * none has, the accessible seats of the best row that has as many, and the others as near to them in that row
 * as can be. Where no row has all of them, from as few rows as can be, first those who need them.
 */
const withAccessible = (
  layout: Layout,
  free: Free,
  wish: Wish,
  eligible: (seat: number) => boolean
): Array<number> | undefined => {
  const { accessible, quantity } = wish
  let scattered: Array<number> | undefined
  for (const { first, count } of candidateRows(layout, free, wish, quantity)) {
    // Most rows have none: the others' seats need no further look.
    let chairs = 0
    for (let seat = first; seat < first + count; seat++)
      if (isAccessible(layout, seat) && eligible(seat)) chairs++
    if (chairs < accessible) continue
    const seats: Array<number> = []
    for (let seat = first; seat < first + count; seat++) if (eligible(seat)) seats.push(seat)
    if (seats.length < quantity) continue
    let best: Array<number> | undefined
    let bestCost = Number.POSITIVE_INFINITY
    for (let at = 0; at + quantity <= seats.length; at++) {
      const window = seats.slice(at, at + quantity)
      const cost = windowCost(layout, window, accessible)
      if (cost >= bestCost) continue
      best = window
      bestCost = cost
    }
    if (best !== undefined) return best
    scattered ??= nearAccessible(layout, seats, wish)
  }
  if (scattered !== undefined) return scattered
  const of = (quantity: number, may: (seat: number) => boolean) =>
    quantity === 0 ? [] : apart(layout, free, { ...wish, quantity }, (seat) => may(seat) && eligible(seat))
  const chosen = of(accessible, (seat) => isAccessible(layout, seat))
  if (chosen === undefined) return undefined
  const others =
    of(quantity - accessible, (seat) => !isAccessible(layout, seat)) ??
    of(quantity - accessible, (seat) => !chosen.includes(seat))
  return others === undefined ? undefined : [...chosen, ...others].sort((a, b) => a - b)
}

/** Infinite where the window is not side by side or has not the accessible seats. */
const windowCost = (layout: Layout, window: ReadonlyArray<number>, accessible: number): number => {
  let missing = accessible
  let cost = 0
  if (!areTogether(layout, window)) return Number.POSITIVE_INFINITY
  for (const seat of window) {
    if (missing > 0 && isAccessible(layout, seat)) missing--
    else cost += besideCost(layout, seat)
  }
  return missing > 0 ? Number.POSITIVE_INFINITY : cost + offCentreShare(layout, window)
}

/** Less than one: it decides only among windows that are alike. */
const offCentreShare = (layout: Layout, seats: ReadonlyArray<number>): number => {
  const off = offCentre(layout, seats[0]!, seats[seats.length - 1]!)
  return off / (off + 1)
}

/** The accessible seats of a row nearest the middle, and the others as near to the first of them as can be. */
const nearAccessible = (
  layout: Layout,
  seats: ReadonlyArray<number>,
  { accessible, quantity }: Wish
): Array<number> => {
  const chosen = seats
    .filter((seat) => isAccessible(layout, seat))
    .sort((a, b) => layout.offCentre[a]! - layout.offCentre[b]! || a - b)
    .slice(0, accessible)
  const from = chosen[0]!
  const others = seats
    .filter((seat) => !chosen.includes(seat))
    .sort(
      (a, b) =>
        Number(isAccessible(layout, a)) - Number(isAccessible(layout, b)) ||
        Math.abs(a - from) - Math.abs(b - from) ||
        a - b
    )
  return [...chosen, ...others.slice(0, quantity - accessible)].sort((a, b) => a - b)
}
