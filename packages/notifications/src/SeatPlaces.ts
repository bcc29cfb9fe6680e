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

/** All seats of a section by y, so that those beside a seat stand beside it in the list: eight bytes a seat. */
interface SectionSpots {
  readonly xs: Int32Array
  readonly ys: Int32Array
}

const spotsOfSection = ({ rows }: Section): SectionSpots => {
  const all = rows.flatMap(spotsOf).sort((a, b) => a.y - b.y)
  return { xs: Int32Array.from(all, ({ x }) => x), ys: Int32Array.from(all, ({ y }) => y) }
}

/** Index of the first that is not above `y`. */
const firstFrom = ({ ys }: SectionSpots, y: number): number => {
  let [low, high] = [0, ys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ys[middle]! < y) low = middle + 1
    else high = middle
  }
  return low
}

/** To the nearest of the others; infinite where there is none. Seats at the same place do not count. */
const pitchIn = (row: ReadonlyArray<Spot>, seat: Spot): number =>
  row.reduce((found, other) => {
    const apart = distance(seat, other)
    return apart > 0 && apart < found ? apart : found
  }, Infinity)

const pitchOf = (all: SectionSpots, seat: Spot): number => {
  const { xs, ys } = all
  let found = Infinity
  const look = (i: number) => {
    const apart = distance(seat, { x: xs[i]!, y: ys[i]! })
    if (apart > 0 && apart < found) found = apart
  }
  const at = firstFrom(all, seat.y)
  for (let i = at; i < ys.length && ys[i]! - seat.y < found; i++) look(i)
  for (let i = at - 1; i >= 0 && seat.y - ys[i]! < found; i--) look(i)
  return found
}

const placeIn = (all: SectionSpots, section: number, own: ReadonlyArray<Spot>, seat: number): SeatPlace => {
  const at = own[seat]!
  const beside = pitchIn(own, at)
  const apart = Number.isFinite(beside) ? beside : pitchOf(all, at)
  const pitch = Number.isFinite(apart) ? Math.max(1, Math.round(apart)) : lonePitch
  const near: Array<Spot> = []
  const lowest = at.y + reach.y * pitch
  for (let i = firstFrom(all, at.y - reach.y * pitch); i < all.ys.length && all.ys[i]! <= lowest; i++) {
    const [x, y] = [all.xs[i]!, all.ys[i]!]
    if (Math.abs(x - at.x) <= reach.x * pitch && (x !== at.x || y !== at.y)) near.push({ x, y })
  }
  // Of those as near, always the same: equal tickets have equal documents.
  near.sort((a, b) => distance(a, at) - distance(b, at) || a.y - b.y || a.x - b.x)
  return { section, x: at.x, y: at.y, pitch, near: near.slice(0, maxNear).flatMap(({ x, y }) => [x, y]) }
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
  /** Made when a seat of it is asked for: most tickets of an event are of few sections. */
  const known = new Map<number, SectionSpots>()
  const spotsAt = (index: number): SectionSpots => {
    const found = known.get(index) ?? spotsOfSection(sections[index]!)
    known.set(index, found)
    return found
  }
  return {
    plan: { width, height, focus, outlines: sections.map(({ outline }) => outline) },
    of: (seat) => {
      if (seat < 0 || seat >= total) return undefined
      const section = begins.findLastIndex((begin) => begin <= seat)
      const rows = sections[section]?.rows ?? []
      let left = seat - (begins[section] ?? 0)
      for (const row of rows) {
        const seats = seatsOf(row)
        if (left < seats) return placeIn(spotsAt(section), section, spotsOf(row), left)
        left -= seats
      }
      return undefined
    }
  }
}
