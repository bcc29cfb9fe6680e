/** Where seats are on the plan of their event, and what is drawn beside them. Pure. */
import type { EventPlan } from "@onsale/contracts/catalog/EventPlan"
import type { DocumentPlan, SeatPlace } from "@onsale/contracts/notifications/TicketDocument"

type Section = EventPlan["sections"][number]
type Row = Section["rows"][number]

/** As wide and as high as a ticket shows of a section, in distances from one seat to the next. */
const reach = { x: 11.5, y: 5.5 }
/** Where seats stand close beside rows that are further apart, only the nearest are drawn. */
const maxNear = 240
/** From a seat that stands alone to those that there are not. */
const lonePitch = 100

export interface SeatPlaces {
  readonly plan: DocumentPlan
  /** The place of the seat with that ordinal; undefined where the plan has no such seat. */
  readonly of: (seat: number) => SeatPlace | undefined
}

const seatsOf = (row: Row): number => {
  if (row.length < 2) return 0
  let seats = 1
  for (let i = 2; i < row.length; i += 3) seats += row[i]!
  return seats
}

interface Spot {
  readonly x: number
  readonly y: number
}

const spotsOf = (row: Row): ReadonlyArray<Spot> => {
  if (row.length < 2) return []
  let [x, y] = [row[0]!, row[1]!]
  const spots: Array<Spot> = [{ x, y }]
  for (let i = 2; i < row.length; i += 3) {
    const [count, toX, toY] = [row[i]!, row[i + 1]!, row[i + 2]!]
    for (let n = 1; n <= count; n++) {
      spots.push({
        x: Math.round(x + ((toX - x) * n) / count),
        y: Math.round(y + ((toY - y) * n) / count)
      })
    }
    x = toX
    y = toY
  }
  return spots
}

const distance = (a: Spot, b: Spot) => Math.hypot(a.x - b.x, a.y - b.y)

/** To the nearest of the others; seats at the same place do not count. */
const pitchAt = (seat: Spot, others: ReadonlyArray<Spot>): number => {
  let pitch = Infinity
  for (const other of others) {
    const apart = distance(seat, other)
    if (apart > 0 && apart < pitch) pitch = apart
  }
  return Number.isFinite(pitch) ? Math.max(1, Math.round(pitch)) : 0
}

const placeIn = (rows: Section["rows"], section: number, rowIndex: number, seat: number): SeatPlace => {
  const own = spotsOf(rows[rowIndex]!)
  const at = own[seat]!
  const all = rows.flatMap(spotsOf)
  const pitch = pitchAt(at, own) || pitchAt(at, all) || lonePitch
  const near = all
    .filter(
      (spot) =>
        Math.abs(spot.x - at.x) <= reach.x * pitch &&
        Math.abs(spot.y - at.y) <= reach.y * pitch &&
        (spot.x !== at.x || spot.y !== at.y)
    )
    .toSorted((a, b) => distance(a, at) - distance(b, at))
    .slice(0, maxNear)
  return { section, x: at.x, y: at.y, pitch, near: near.flatMap(({ x, y }) => [x, y]) }
}

/** Reads a plan once for all of its seats. */
export const make = ({ focus, height, sections, width }: EventPlan): SeatPlaces => {
  let first = 0
  const begins = sections.map(({ rows }) => {
    const start = first
    for (const row of rows) first += seatsOf(row)
    return start
  })
  const total = first
  return {
    plan: { width, height, focus, outlines: sections.map(({ outline }) => outline) },
    of: (seat) => {
      if (seat < 0 || seat >= total) return undefined
      const section = begins.findLastIndex((begin) => begin <= seat)
      const rows = sections[section]?.rows ?? []
      let left = seat - (begins[section] ?? 0)
      for (const [index, row] of rows.entries()) {
        const seats = seatsOf(row)
        if (left < seats) return placeIn(rows, section, index, left)
        left -= seats
      }
      return undefined
    }
  }
}
