/** Seat maps as they are sent, kept within a bound on their bytes: a map has from a few kilobytes to tens of megabytes. */
import type { EventId } from "@onsale/contracts/Ids"
import { Cache, Duration, Effect } from "effect"

export interface EncodedSeatMap {
  readonly json: Uint8Array
  readonly etag: string
}

export interface EncodedSeatMapsOptions<E, R> {
  /** Of all that are kept. One alone may be larger: to encode it for every reader would cost more. */
  readonly maxBytes: number
  readonly encode: (eventId: EventId) => Effect.Effect<EncodedSeatMap, E, R>
}

/** Small ones are many: their number is bounded as well. */
const maxMaps = 1_000

/** Gives the encoded map of an event; the one that was read longest ago makes room. Failures are not kept. */
export const make = Effect.fnUntraced(function* <E, R>(options: EncodedSeatMapsOptions<E, R>) {
  const maps = yield* Cache.makeWith(options.encode, {
    capacity: maxMaps,
    // An event's seat map does not change once it is published.
    timeToLive: (exit) => (exit._tag === "Success" ? Duration.hours(1) : Duration.zero)
  })
  /** Bytes by event, the one that was read longest ago first. */
  const sizes = new Map<EventId, number>()
  let bytes = 0

  const forget = (eventId: EventId) => {
    bytes -= sizes.get(eventId) ?? 0
    sizes.delete(eventId)
  }

  const read = (eventId: EventId, size: number): ReadonlyArray<EventId> => {
    forget(eventId)
    sizes.set(eventId, size)
    bytes += size
    const gone: Array<EventId> = []
    for (const oldest of sizes.keys()) {
      if ((bytes <= options.maxBytes && sizes.size <= maxMaps) || oldest === eventId) break
      forget(oldest)
      gone.push(oldest)
    }
    return gone
  }

  return (eventId: EventId): Effect.Effect<EncodedSeatMap, E, R> =>
    Effect.tap(Cache.get(maps, eventId), (map) =>
      Effect.forEach(read(eventId, map.json.byteLength), (gone) => Cache.invalidate(maps, gone), {
        discard: true
      })
    )
})
