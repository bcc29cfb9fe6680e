/** An arena of exactly 8,897 seats: a floor before the stage, and two tiers that curve round it. */
import type { MapRow, MapSection, SeatMap } from "@onsale/contracts/catalog/SeatMap"
import * as PlanSketch from "./PlanSketch.ts"

const seats = 8897

const stage = { x: 0, y: 0 }
const step = 55
const aisle = 130

interface Ring {
  readonly zone: string
  readonly names: ReadonlyArray<string>
  /** The ring spans from minus to plus this, in degrees. */
  readonly halfAngle: number
  readonly firstRadius: number
  readonly rows: number
  readonly rowDepth: number
  readonly category: (middle: number) => string
  /** In rows of this index there are places for wheelchairs: they are level with the concourse. */
  readonly levelRow: number
}

const numbered = (from: number, count: number) => Array.from({ length: count }, (_, i) => String(from + i))

/** Beyond this angle the stage is seen from the side. */
const sideFrom = 50
/** Beyond this one, part of it is hidden by the sound towers. */
const restrictedFrom = 98

const side = (middle: number, front: string, beside: string): string =>
  Math.abs(middle) < sideFrom ? front : beside

const rings: ReadonlyArray<Ring> = [
  {
    zone: "Floor",
    names: ["Floor A", "Floor B", "Floor C"],
    halfAngle: 40,
    firstRadius: 1000,
    rows: 12,
    rowDepth: 95,
    category: () => "Floor Front",
    levelRow: -1
  },
  {
    zone: "Floor",
    names: ["Floor D", "Floor E", "Floor F"],
    halfAngle: 40,
    firstRadius: 2400,
    rows: 12,
    rowDepth: 95,
    category: () => "Floor",
    levelRow: 11
  },
  {
    zone: "Lower Tier",
    names: numbered(101, 12),
    halfAngle: 115,
    firstRadius: 3900,
    rows: 12,
    rowDepth: 90,
    category: (middle) => side(middle, "Lower Tier Centre", "Lower Tier Side"),
    levelRow: 11
  },
  {
    zone: "Upper Tier",
    names: numbered(201, 16),
    halfAngle: 115,
    firstRadius: 5900,
    rows: 10,
    rowDepth: 85,
    category: (middle) => side(middle, "Upper Tier Centre", "Upper Tier Side"),
    levelRow: -1
  }
]

const drawSection = (ring: Ring, index: number): MapSection => {
  const name = ring.names[index]!
  const width = (2 * ring.halfAngle) / ring.names.length
  const from = -ring.halfAngle + index * width
  const middle = from + width / 2
  const rows = Array.from({ length: ring.rows }, (_, i): MapRow => {
    const radius = ring.firstRadius + i * ring.rowDepth
    const places = PlanSketch.arcPlaces({ centre: stage, radius, from, to: from + width, step, aisle })
    const drawn = PlanSketch.row(name, PlanSketch.rowLetter(i), places, ring.category(middle))
    const level = i === ring.levelRow ? PlanSketch.withWheelchairPlaces(drawn, 2) : drawn
    return Math.abs(middle) > restrictedFrom ? PlanSketch.withRestrictedView(level) : level
  })
  return { name, zone: ring.zone, focalPoint: null, rows }
}

const count = (sections: ReadonlyArray<MapSection>): number =>
  sections.reduce((sum, section) => section.rows.reduce((seats, row) => seats + row.seats.length, sum), 0)

/** Takes seats off the ends of the last rows of the upper tier, where the lighting desks stand. */
const trimmed = (sections: ReadonlyArray<MapSection>): ReadonlyArray<MapSection> => {
  let surplus = count(sections) - seats
  const upper = sections.filter((section) => section.zone === "Upper Tier").length
  const each = Math.ceil(surplus / upper)
  return sections.map((section) => {
    if (section.zone !== "Upper Tier") return section
    const off = Math.min(each, surplus)
    surplus -= off
    const last = section.rows.length - 1
    return {
      ...section,
      rows: section.rows.map((row, i) =>
        i === last ? { ...row, seats: row.seats.slice(0, row.seats.length - off) } : row
      )
    }
  })
}

export const arena: SeatMap = {
  name: "Spreehalle, end stage",
  categories: [
    { name: "Floor Front", color: "#B3364A" },
    { name: "Floor", color: "#D9673B" },
    { name: "Lower Tier Centre", color: "#2F6DB5" },
    { name: "Lower Tier Side", color: "#6E9FD2" },
    { name: "Upper Tier Centre", color: "#3E8E5A" },
    { name: "Upper Tier Side", color: "#8CBF9C" }
  ],
  focalPoint: stage,
  sections: trimmed(rings.flatMap((ring) => ring.names.map((_, index) => drawSection(ring, index)))),
  areas: []
}
