/**
 * The areas of a sale, whose order is their index and so their id, for ever once the event is published:
 *
 * 1. the areas of the seat map, in its order, each on the first of the tiers that have its category;
 * 2. for each tier in its order, the areas of the map that are on it too, in the order of the map;
 * 3. the areas of the blocks: block by block in the order of their creation, within one in its own order.
 *
 * Tiers do not change after publication, and blocks are only added: each part grows at the end of the last one.
 * What is of one area of the map shares its places. Pure.
 */
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"

export interface TierArea {
  /** Index of the area in the seat map. */
  readonly area: number
  /** Index of the tier, -1 where the area is on none. */
  readonly tier: number
}

type Tiers = ReadonlyArray<{ readonly categories: ReadonlyArray<string> }>

/** The indices of the tiers of each category, in the order of the tiers. */
const tiersOf = (tiers: Tiers): ReadonlyMap<string, ReadonlyArray<number>> => {
  const found = new Map<string, Array<number>>()
  tiers.forEach((tier, index) => {
    for (const category of new Set(tier.categories)) {
      const of = found.get(category)
      if (of === undefined) found.set(category, [index])
      else of.push(index)
    }
  })
  return found
}

/** The first two parts: the areas of the map with the tiers that they are on. */
export const tierAreas = (map: SeatMap, tiers: Tiers): ReadonlyArray<TierArea> => {
  const byCategory = tiersOf(tiers)
  const of = map.areas.map(({ category }) => (category === null ? [] : (byCategory.get(category) ?? [])))
  const further = of.flatMap((found, area) => found.slice(1).map((tier) => ({ area, tier })))
  return [
    ...of.map((found, area) => ({ area, tier: found[0] ?? -1 })),
    // Sorting keeps the order of the map among those of one tier.
    ...further.sort((a, b) => a.tier - b.tier)
  ]
}
