/**
 * The seat map of a venue: sections of rows of seats, and areas for general admission.
 *
 * A seat is known within its map by its ordinal: its place in the order sections, rows, seats. An
 * event's seat ids are made of it (see `Ids`), so a map is never changed: a new version is a new map.
 */
import { Schema } from "effect"

const label = Schema.String.check(Schema.isMaxLength(200))

export const Point = Schema.Struct({ x: Schema.Finite, y: Schema.Finite })
export type Point = typeof Point.Type

export const Category = Schema.Struct({
  name: Schema.NonEmptyString.check(Schema.isMaxLength(200)),
  color: Schema.NullOr(Schema.String.check(Schema.isMaxLength(64))),
  /** The price in major units that the file gives for it ("45.00"), without a currency; CSV only. */
  price: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d{1,9}\.\d{2,3}$/)))
})
export type Category = typeof Category.Type

export const MapSeat = Schema.Struct({
  /** The seat's id in the file it came from (pretix `seat_guid`, seats.io `uuid`); unique in the map. */
  key: label,
  label,
  /** Where it stands, in the units of the plan; y grows downwards. */
  x: Schema.Finite,
  y: Schema.Finite,
  /** The name of its category, null where the file has none: such a seat is on no tier. */
  category: Schema.NullOr(label),
  accessible: Schema.Boolean,
  /** A seat beside an accessible one, for the person who comes along. */
  companion: Schema.Boolean,
  restrictedView: Schema.Boolean
})
export type MapSeat = typeof MapSeat.Type

export const MapRow = Schema.Struct({ label, seats: Schema.Array(MapSeat) })
export type MapRow = typeof MapRow.Type

export const MapSection = Schema.Struct({
  name: label,
  /** The part of the venue it belongs to (seats.io zones), if the plan has such. */
  zone: Schema.NullOr(label),
  /** What its seats look at, where that is another point than the map's. */
  focalPoint: Schema.NullOr(Point),
  rows: Schema.Array(MapRow)
})
export type MapSection = typeof MapSection.Type

export const MapArea = Schema.Struct({
  key: label,
  /** Unique in the map, as all that buyers see of it. */
  name: label,
  capacity: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000_000 })),
  category: Schema.NullOr(label)
})
export type MapArea = typeof MapArea.Type

export const SeatMap = Schema.Struct({
  name: label,
  categories: Schema.Array(Category),
  /** What everyone looks at (a stage, the finishing line), where the plan says it. */
  focalPoint: Schema.NullOr(Point),
  sections: Schema.Array(MapSection),
  areas: Schema.Array(MapArea)
})
export type SeatMap = typeof SeatMap.Type

/** The formats that a plan can be imported from. */
export const PlanFormat = Schema.Literals(["seatsio", "pretix", "csv"])
export type PlanFormat = typeof PlanFormat.Type

/**
 * Something in the file that is not as it should be. An `error` refuses the file whole; a `warning`
 * is imported as the message says. `path` is the place: a JSON pointer, or `line N` in a CSV file.
 */
export const PlanProblem = Schema.Struct({
  severity: Schema.Literals(["error", "warning"]),
  code: Schema.String,
  path: Schema.String,
  message: Schema.String
})
export type PlanProblem = typeof PlanProblem.Type

/** What an import found: counts by section and category, and every problem with its place. */
export const ImportReport = Schema.Struct({
  format: PlanFormat,
  seats: Schema.Int,
  rows: Schema.Int,
  areas: Schema.Int,
  /** The sum of the areas' capacities. */
  areaCapacity: Schema.Int,
  sections: Schema.Array(Schema.Struct({ name: Schema.String, rows: Schema.Int, seats: Schema.Int })),
  /** Seats and area places by category; `name` is null for those without one. */
  categories: Schema.Array(
    Schema.Struct({ name: Schema.NullOr(Schema.String), seats: Schema.Int, places: Schema.Int })
  ),
  problems: Schema.Array(PlanProblem),
  /** How many problems there were in all; `problems` lists the first 1,000. */
  problemCount: Schema.Int
})
export type ImportReport = typeof ImportReport.Type
