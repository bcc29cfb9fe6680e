/**
 * Writes a seat map as a pretix seating plan that imports to the same map again. Positions are whole in
 * each seat, zones and rows stand at 0, 0, so that no sum rounds. What pretix has no field for is
 * written only where there is something to say (see `PretixPlan`).
 */
import type { MapArea, MapSeat, MapSection, Point, SeatMap } from "@onsale/contracts/catalog/SeatMap"

interface PretixSeat {
  readonly seat_guid: string
  readonly seat_number: string
  readonly position: Point
  /** Empty for a seat without one. */
  readonly category: string
  readonly accessible?: true
  readonly companion?: true
  readonly restricted_view?: true
}

interface PretixArea {
  readonly shape: "text"
  readonly position: Point
  readonly text: { readonly text: string; readonly position: Point }
  readonly area_id: string
  readonly name: string
  readonly capacity: number
  readonly category: string
}

interface PretixZone {
  readonly name: string
  readonly position: Point
  readonly venue_zone?: string
  readonly focal_point?: Point
  readonly rows: ReadonlyArray<{
    readonly row_number: string
    readonly position: Point
    readonly seats: ReadonlyArray<PretixSeat>
  }>
  readonly areas: ReadonlyArray<PretixArea>
}

/** A plan in the pretix format. */
export interface PretixJson {
  readonly name: string
  readonly size: { readonly width: number; readonly height: number }
  readonly categories: ReadonlyArray<{
    readonly name: string
    readonly color?: string
    readonly price?: string
  }>
  readonly focal_point?: Point
  readonly zones: ReadonlyArray<PretixZone>
}

const origin: Point = { x: 0, y: 0 }

const toSeat = (seat: MapSeat): PretixSeat => ({
  seat_guid: seat.key,
  seat_number: seat.label,
  position: { x: seat.x, y: seat.y },
  category: seat.category ?? "",
  ...(seat.accessible ? { accessible: true } : {}),
  ...(seat.companion ? { companion: true } : {}),
  ...(seat.restrictedView ? { restricted_view: true } : {})
})

const toZone = (section: MapSection): PretixZone => ({
  name: section.name,
  position: origin,
  ...(section.zone === null ? {} : { venue_zone: section.zone }),
  ...(section.focalPoint === null ? {} : { focal_point: section.focalPoint }),
  rows: section.rows.map((row) => ({
    row_number: row.label,
    position: origin,
    seats: row.seats.map(toSeat)
  })),
  areas: []
})

const toArea = (area: MapArea): PretixArea => ({
  shape: "text",
  position: origin,
  text: { text: area.name, position: origin },
  area_id: area.key,
  name: area.name,
  capacity: area.capacity,
  category: area.category ?? ""
})

/** How far seats reach to the right and down; pretix draws from 0, 0 on. */
const sizeOf = (map: SeatMap) => {
  let width = 0
  let height = 0
  for (const section of map.sections) {
    for (const row of section.rows) {
      for (const seat of row.seats) {
        width = Math.max(width, seat.x)
        height = Math.max(height, seat.y)
      }
    }
  }
  // Room for half a seat at the edge.
  return { width: Math.ceil(width) + 20, height: Math.ceil(height) + 20 }
}

/** The plan of a map; the areas are in a zone of their own behind the others. */
export const toPretix = (map: SeatMap): PretixJson => ({
  name: map.name,
  size: sizeOf(map),
  categories: map.categories.map(({ color, name, price }) => ({
    name,
    ...(color === null ? {} : { color }),
    ...(price === undefined ? {} : { price })
  })),
  ...(map.focalPoint === null ? {} : { focal_point: map.focalPoint }),
  zones: [
    ...map.sections.map(toZone),
    ...(map.areas.length === 0
      ? []
      : [{ name: "Areas", position: origin, rows: [], areas: map.areas.map(toArea) }])
  ]
})
