/**
 * A `SaleLayout` made ready for decisions: flat arrays by seat index, rows as ranges of seats, and
 * what an answer says of each seat made once.
 */
import type { HeldArea, HeldSeat } from "@onsale/contracts/inventory/InventoryCommand"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { compileRules, type SaleRules } from "./SaleRules.ts"

export interface RowRange {
  /** Index of its first seat. */
  readonly first: number
  readonly count: number
  readonly section: number
  /** Indices of the tiers that its seats are on. */
  readonly tiers: ReadonlySet<number>
}

export interface Layout {
  /** Its version in `inventory.layout`. */
  readonly version: number
  readonly source: SaleLayout
  readonly seatCount: number
  /** Seats on a tier. */
  readonly forSale: number
  /** Index of a seat's tier, -1 for not for sale. */
  readonly seatTier: Int32Array
  readonly seatFlags: Uint8Array
  readonly seatRow: Int32Array
  /** 1 where a seat has no neighbour before it: the first of its row, or behind an aisle. */
  readonly blockStart: Uint8Array
  /** How far a seat is from the middle of its row as seen from the focal point, in units of the plan. */
  readonly offCentre: Float64Array
  readonly rows: ReadonlyArray<RowRange>
  /** Indices of the rows, best first. */
  readonly rowsByRank: Int32Array
  /** What an answer says of each seat; null for those on no tier. */
  readonly held: ReadonlyArray<HeldSeat | null>
  readonly rules: SaleRules
}

// Neighbours further apart than this many usual steps of their row have an aisle between them.
const aisleSteps = 1.6

const median = (values: Array<number>): number => {
  if (values.length === 0) return 0
  values.sort((a, b) => a - b)
  return values[values.length >> 1]!
}

/** Compiles a layout. Dies on one that refers to a section or tier that it does not have. */
export const compile = (version: number, source: SaleLayout): Layout => {
  const seatCount = source.rows.reduce((sum, row) => sum + row.seats.length, 0)
  const seatTier = new Int32Array(seatCount)
  const seatFlags = new Uint8Array(seatCount)
  const seatRow = new Int32Array(seatCount)
  const blockStart = new Uint8Array(seatCount)
  const offCentre = new Float64Array(seatCount)
  const rows: Array<RowRange> = []
  const held: Array<HeldSeat | null> = new Array(seatCount)

  let seat = 0
  source.rows.forEach((row, rowIndex) => {
    const section = source.sections[row.section]
    if (section === undefined)
      throw new Error(`row ${rowIndex} is in section ${row.section}, which the layout lacks`)
    const steps: Array<number> = []
    for (let i = 1; i < row.seats.length; i++) {
      const a = row.seats[i - 1]!
      const b = row.seats[i]!
      steps.push(Math.hypot(b.x - a.x, b.y - a.y))
    }
    const aisle = median([...steps]) * aisleSteps
    const middleX = source.focalPoint === null ? undefined : source.focalPoint.x
    const minX = row.seats.reduce((x, s) => Math.min(x, s.x), Number.POSITIVE_INFINITY)
    const maxX = row.seats.reduce((x, s) => Math.max(x, s.x), Number.NEGATIVE_INFINITY)
    const minY = row.seats.reduce((y, s) => Math.min(y, s.y), Number.POSITIVE_INFINITY)
    const maxY = row.seats.reduce((y, s) => Math.max(y, s.y), Number.NEGATIVE_INFINITY)
    // Without a focal point, or with one that the row does not stand before, the row's own middle counts.
    const centre =
      middleX !== undefined && middleX >= minX && middleX <= maxX
        ? { x: middleX, y: (minY + maxY) / 2 }
        : { x: (minX + maxX) / 2, y: (minY + maxY) / 2 }
    rows.push({
      first: seat,
      count: row.seats.length,
      section: row.section,
      tiers: new Set(row.seats.map(({ tier }) => tier))
    })
    row.seats.forEach((s, i) => {
      const tier = s.tier === -1 ? undefined : source.tiers[s.tier]
      if (s.tier !== -1 && tier === undefined)
        throw new Error(`a seat of row ${rowIndex} is on tier ${s.tier}, which the layout lacks`)
      seatTier[seat] = s.tier
      seatFlags[seat] = s.flags
      seatRow[seat] = rowIndex
      blockStart[seat] = i === 0 || steps[i - 1]! > aisle ? 1 : 0
      offCentre[seat] = Math.hypot(s.x - centre.x, (s.y - centre.y) * 0.5)
      held[seat] =
        tier === undefined
          ? null
          : {
              seat,
              label: [section.name, row.label, s.label].filter((part) => part !== "").join(" · "),
              tier: tier.id,
              price: tier.price
            }
      seat++
    })
  })
  const rowsByRank = Int32Array.from(source.rows.map((_, index) => index)).sort(
    (a, b) => source.rows[a]!.rank - source.rows[b]!.rank || a - b
  )
  const forSale = seatTier.reduce((sum, tier) => sum + (tier === -1 ? 0 : 1), 0)
  return {
    version,
    source,
    seatCount,
    forSale,
    seatTier,
    seatFlags,
    seatRow,
    blockStart,
    offCentre,
    rows,
    rowsByRank,
    held,
    rules: compileRules(source, seatCount)
  }
}

/** What an answer says of a claim on an area; undefined where it is not for sale. */
export const heldArea = (layout: Layout, area: number, quantity: number): HeldArea | undefined => {
  const found = layout.source.areas[area]
  const tier = found === undefined ? undefined : layout.source.tiers[found.tier]
  if (found === undefined || tier === undefined) return undefined
  return { area, name: found.name, quantity, tier: tier.id, price: tier.price }
}
