/** Draws rows of seats for the demo season's plans. Units are centimetres; the stage is at 0, 0, y grows towards the audience. */
import type { MapRow, MapSeat, Point } from "@onsale/contracts/catalog/SeatMap"

const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"

/** A to Z without I and O, which look like digits on a ticket, then AA and so on. */
export const rowLetter = (index: number): string => {
  const letter = letters[index % letters.length]!
  return index < letters.length ? letter : rowLetter(Math.floor(index / letters.length) - 1) + letter
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180

/** To the millimetre: nobody measures a seat more exactly, and the plan stays short. */
const rounded = (value: number): number => Math.round(value * 10) / 10 + 0

export interface Arc {
  readonly centre: Point
  readonly radius: number
  /** Degrees from the axis of the hall, negative to the left as seen from the stage. */
  readonly from: number
  readonly to: number
  /** From seat to seat. */
  readonly step: number
  /** Left free at both ends together. */
  readonly aisle: number
}

/** As many places as an arc has room for, evenly apart, from its first angle to its last. */
export const arcPlaces = (arc: Arc): ReadonlyArray<Point> => {
  const length = arc.radius * radians(arc.to - arc.from) - arc.aisle
  const count = Math.max(0, Math.floor(length / arc.step) + 1)
  const middle = radians((arc.from + arc.to) / 2)
  return Array.from({ length: count }, (_, i) => {
    const angle = middle + ((i - (count - 1) / 2) * arc.step) / arc.radius
    return {
      x: rounded(arc.centre.x + arc.radius * Math.sin(angle)),
      y: rounded(arc.centre.y + arc.radius * Math.cos(angle))
    }
  })
}

/** A row of seats, numbered from 1, of one category. */
export const row = (
  section: string,
  label: string,
  places: ReadonlyArray<Point>,
  category: string
): MapRow => ({
  label,
  seats: places.map(
    ({ x, y }, i): MapSeat => ({
      key: `${section}-${label}-${i + 1}`,
      label: String(i + 1),
      x,
      y,
      category,
      accessible: false,
      companion: false,
      restrictedView: false
    })
  )
})

/** The row with pairs of a wheelchair place and the seat beside it, in its middle. */
export const withWheelchairPlaces = (of: MapRow, pairs: number): MapRow => {
  const first = Math.floor(of.seats.length / 2) - pairs
  return {
    ...of,
    seats: of.seats.map((seat, i) => {
      const place = i - first
      if (place < 0 || place >= pairs * 2) return seat
      return place % 2 === 0 ? { ...seat, accessible: true } : { ...seat, companion: true }
    })
  }
}

export const withRestrictedView = (of: MapRow): MapRow => ({
  ...of,
  seats: of.seats.map((seat) => ({ ...seat, restrictedView: true }))
})
