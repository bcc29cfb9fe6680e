/** What blocks may keep of an event: no area and no quota can give more than it has. Pure. */
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import type { TierId } from "@onsale/contracts/Ids"
import type { StoredBlock, StoredEvent } from "./StoredEvent.ts"

/** As much of an event, or of what it is going to be. */
export interface Limits {
  /** In the order of the tiers. */
  readonly tierIds: ReadonlyArray<TierId | undefined>
  readonly quotas: StoredEvent["quotas"]
  readonly maxTickets: number | null
}

export const limitsOf = ({ maxTickets, quotas, tiers }: StoredEvent): Limits => ({
  tierIds: tiers.map(({ id }) => id),
  quotas,
  maxTickets
})

type Areas = StoredBlock["areas"]

const keptIn = (areas: Areas, counts: (area: Areas[number]) => boolean): number =>
  areas.reduce((sum, area) => sum + (counts(area) ? area.kept : 0), 0)

/** Why the blocks cannot keep so many places; empty where they can. */
export const keptTooMuch = (
  map: SeatMap,
  limits: Limits,
  blocks: ReadonlyArray<Pick<StoredBlock, "areas">>
): ReadonlyArray<string> => {
  const areas = blocks.flatMap((block) => block.areas)
  if (areas.length === 0) return []
  const quotas = [
    ...limits.quotas.map(({ capacity, name, tiers }) => ({
      what: `the quota ${JSON.stringify(name)}`,
      capacity,
      tiers: new Set(tiers.map((tier) => limits.tierIds[tier]))
    })),
    ...(limits.maxTickets === null
      ? []
      : [{ what: "the event", capacity: limits.maxTickets, tiers: new Set(limits.tierIds) }])
  ]
  const kept = [
    ...map.areas.map(({ capacity, name }, index) => ({
      what: `the area ${JSON.stringify(name)}`,
      capacity,
      kept: keptIn(areas, ({ area }) => area === index)
    })),
    ...quotas.map(({ capacity, tiers, what }) => ({
      what,
      capacity,
      kept: keptIn(areas, ({ tier }) => tiers.has(tier))
    }))
  ]
  return kept.flatMap(({ capacity, kept, what }) =>
    kept > capacity ? [`${what} has ${capacity} places, and blocks would keep ${kept} of them`] : []
  )
}
