/**
 * The plan of an event's seats as far as it is drawn small, on a ticket: whole numbers on a grid, seats that stand
 * at equal distances by the first and the last of them. It goes with the news that the event is published.
 */
import { Schema } from "effect"

/** Units of the longer side. A seat of a hall of 100,000 has some thirty of them for itself. */
export const planSide = 10_000

const Coordinates = Schema.Array(Schema.Int)

export const EventPlan = Schema.Struct({
  width: Schema.Int,
  height: Schema.Int,
  /** What everyone looks at, `[x, y]`; y grows downwards. */
  focus: Schema.NullOr(Coordinates),
  /** In the order of the seat map, which is that of the ordinals of seats. */
  sections: Schema.Array(
    Schema.Struct({
      /** A polygon round its seats: `[x, y, x, y, …]`. */
      outline: Coordinates,
      /** A row of seats: `[x, y]` of the first, then for each straight piece `seats, x, y`: so many more, and the last of them. */
      rows: Schema.Array(Coordinates)
    })
  )
})
export type EventPlan = typeof EventPlan.Type
