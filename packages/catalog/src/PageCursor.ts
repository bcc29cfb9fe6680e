/**
 * Opaque cursors of the pages: where the page before ended, in the order of a list. In microseconds, as
 * Postgres has its times: an event that was changed there by hand may start between two milliseconds.
 */
import { CursorInvalid } from "@onsale/contracts/catalog/CatalogErrors"
import { Effect, Schema } from "effect"

const PlaceJson = Schema.fromJsonString(Schema.Tuple([Schema.Int, Schema.String.check(Schema.isUUID())]))
const Cursor = Schema.StringFromBase64Url.pipe(Schema.decodeTo(PlaceJson))

/** A time in microseconds since 1970 and, among what has the same one, an id. */
export interface Place {
  readonly atMicros: number
  readonly id: string
}

/** Before everything. */
export const first: Place = { atMicros: 0, id: "00000000-0000-0000-0000-000000000000" }

const encodeCursor = Schema.encodeSync(Cursor)
const decodeCursor = Schema.decodeUnknownEffect(Cursor)

export const encode = ({ atMicros, id }: Place): string => encodeCursor([atMicros, id])

export const decode = (cursor: string): Effect.Effect<Place, CursorInvalid> =>
  decodeCursor(cursor).pipe(
    Effect.map(([atMicros, id]) => ({ atMicros, id })),
    Effect.mapError(() => new CursorInvalid({ cursor }))
  )
