/** Of which tiers of an event there is something left, by its board. */
import type { EventSeatMap } from "@onsale/contracts/catalog/Event"
import { type EventId, indexIn, type TierId } from "@onsale/contracts/Ids"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { Cache, Duration, Effect, Exit } from "effect"

/** Which tier each seat and each area of an event belongs to, by its index. */
interface TierPlaces {
  readonly tiers: ReadonlyArray<TierId>
  /** Indices in `tiers`; 0 for none. */
  readonly seats: Uint16Array
  readonly areas: ReadonlyArray<number>
  /** Seats of each tier. */
  readonly counts: ReadonlyArray<number>
}

/** Two bytes a seat: 50 MiB of the largest venues, of which there are few. */
const capacity = 100

export const placesOf = (eventId: EventId, map: EventSeatMap): TierPlaces => {
  const tiers: Array<TierId> = []
  const numbers = new Map<TierId, number>()
  const numberOf = (tier: TierId | null): number => {
    if (tier === null) return 0
    const known = numbers.get(tier)
    if (known !== undefined) return known
    numbers.set(tier, tiers.push(tier))
    return tiers.length
  }
  const seats = map.sections.flatMap(({ rows }) => rows.flatMap((row) => row.seats))
  const bySeat = new Uint16Array(seats.length)
  for (const seat of seats) bySeat[indexIn(eventId, "seat", seat.id)] = numberOf(seat.tier)
  const areas: Array<number> = []
  for (const area of map.areas) areas[indexIn(eventId, "area", area.id)] = numberOf(area.tier)
  const counts = [0, ...tiers.map(() => 0)]
  for (const tier of bySeat) counts[tier] = (counts[tier] ?? 0) + 1
  return { tiers, seats: bySeat, areas, counts }
}

/** Tiers that neither seats nor areas are of have nothing. */
export const inStock = (places: TierPlaces, view: AvailabilityView): ReadonlyMap<TierId, boolean> => {
  const left = [...places.counts]
  for (const gone of [view.held, view.sold]) {
    for (const seat of gone) {
      const tier = places.seats[seat] ?? 0
      left[tier] = (left[tier] ?? 0) - 1
    }
  }
  for (const [index, { available }] of view.areas.entries()) {
    const tier = places.areas[index] ?? 0
    left[tier] = (left[tier] ?? 0) + available
  }
  const limited = new Map(view.tiers.map(({ available, tier }) => [tier, available]))
  return new Map(
    places.tiers.map((tier, index) => [
      tier,
      (left[index + 1] ?? 0) > 0 && (limited.get(tier) ?? Number.POSITIVE_INFINITY) > 0
    ])
  )
}

/** As long as what is told of them is kept by others, too. By SQL the tiers of an event on sale may change. */
const keptFor = Duration.minutes(1)

/** The places of events by their seat maps; failures are not kept. */
export const make = <E, R>(seatMap: (eventId: EventId) => Effect.Effect<EventSeatMap, E, R>) =>
  Effect.map(
    Cache.makeWith((eventId: EventId) => Effect.map(seatMap(eventId), (map) => placesOf(eventId, map)), {
      capacity,
      timeToLive: (exit) => (Exit.isSuccess(exit) ? keptFor : Duration.zero)
    }),
    (kept) => (eventId: EventId, view: AvailabilityView) =>
      Effect.map(Cache.get(kept, eventId), (places) => inStock(places, view))
  )
