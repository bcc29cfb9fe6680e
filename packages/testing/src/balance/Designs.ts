/** Ways to place the load of events at runners: what we run, and what could take its place. */
import type { Dice } from "../simulation/World.ts"
import type { EntityLoad } from "./EventLoad.ts"
import { type Runner, ringOwners, shardLoads, shardOf, sums } from "./Placement.ts"

/** An event hotter than `limit` as so many entities, of one load each, that none is hotter. */
export const split = (entities: ReadonlyArray<EntityLoad>, limit: number): ReadonlyArray<EntityLoad> =>
  entities.flatMap((entity) => {
    const parts = Math.ceil(entity.load / limit)
    if (parts < 2) return [entity]
    return Array.from({ length: parts }, (_, part) => ({
      entityId: `${entity.entityId}/${part}`,
      load: entity.load / parts
    }))
  })

/** The library's ring. */
export const byRing = (
  entities: ReadonlyArray<EntityLoad>,
  runners: ReadonlyArray<Runner>,
  shards: number
): ReadonlyArray<number> => sums(ringOwners(runners, shards), shardLoads(entities, shards), runners.length)

/** What the library takes as the least weight. */
const leastWeight = 0.1

/** The ring, with weights that follow the measured load, `looks` times; the best of them. */
export const byWeights = (
  entities: ReadonlyArray<EntityLoad>,
  runners: ReadonlyArray<Runner>,
  shards: number,
  looks: number
): ReadonlyArray<number> => {
  const loads = shardLoads(entities, shards)
  let weighted = runners
  let best: ReadonlyArray<number> = []
  let least = Number.POSITIVE_INFINITY
  for (let look = 0; look <= looks; look++) {
    const now = sums(ringOwners(weighted, shards), loads, runners.length)
    const most = Math.max(...now)
    if (most < least) [least, best] = [most, now]
    weighted = weighted.map((runner, place) => {
      // Half of the way (as a ratio), so that it does not swing.
      const factor = Math.sqrt(1 / runners.length / Math.max(now[place] ?? 0, 1e-6))
      return { ...runner, weight: Math.max(leastWeight, runner.weight * Math.min(2, Math.max(0.5, factor))) }
    })
  }
  return best
}

/**
 * The ring, where an event has one of two shards: the one whose runner has less load when the event comes up.
 * They come up in any order, and their load is known then.
 */
export const byTwoChoices = (
  dice: Dice,
  entities: ReadonlyArray<EntityLoad>,
  runners: ReadonlyArray<Runner>,
  shards: number
): ReadonlyArray<number> => {
  const owners = ringOwners(runners, shards)
  const loads = new Array<number>(runners.length).fill(0)
  const order = entities.map((entity) => ({ entity, at: dice.next() })).toSorted((a, b) => a.at - b.at)
  for (const { entity } of order) {
    const [first = 0, second = 0] = [entity.entityId, `${entity.entityId}#2`].map(
      (id) => owners[shardOf(id, shards)] ?? 0
    )
    const chosen = (loads[second] ?? 0) < (loads[first] ?? 0) ? second : first
    loads[chosen] = (loads[chosen] ?? 0) + entity.load
  }
  return loads
}

/** The heaviest first, each to the runner that has least: no runner has more than the average and one part. */
const dealt = (parts: ReadonlyArray<number>, runners: number): ReadonlyArray<number> => {
  const loads = new Array<number>(runners).fill(0)
  for (const part of parts.toSorted((a, b) => b - a)) {
    const least = loads.indexOf(Math.min(...loads))
    loads[least] = (loads[least] ?? 0) + part
  }
  return loads
}

/** A table of shards in place of the ring, written by the measured load. */
export const byTable = (
  entities: ReadonlyArray<EntityLoad>,
  runners: ReadonlyArray<Runner>,
  shards: number
): ReadonlyArray<number> => dealt(shardLoads(entities, shards), runners.length)

/** A table of entities in place of shards: what whole entities can reach. */
export const byDirectory = (
  entities: ReadonlyArray<EntityLoad>,
  runners: ReadonlyArray<Runner>
): ReadonlyArray<number> =>
  dealt(
    entities.map(({ load }) => load),
    runners.length
  )
