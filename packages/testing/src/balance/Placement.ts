/** Which runner an entity is at: by its shard, and by the library's ring of runners. */
import { HashRing } from "effect"
import { RunnerAddress } from "effect/cluster"
import type { EntityLoad } from "./EventLoad.ts"

export interface Runner {
  readonly address: RunnerAddress.RunnerAddress
  /** Shards in proportion to those of the others. */
  readonly weight: number
}

/** Runners of one weight, as a deployment numbers them. `network` is from 0 to 255: other names, another ring. */
export const runnersNamed = (network: number, count: number): ReadonlyArray<Runner> =>
  Array.from({ length: count }, (_, i) => ({
    address: RunnerAddress.RunnerAddress.make({ host: `10.0.${network}.${i + 1}`, port: 34_431 }),
    weight: 1
  }))

/** `Sharding.getShardId` of the library, from 0: it is not to be had without a cluster. A test compares the two. */
export const shardOf = (entityId: string, shards: number): number => {
  let hash = 5381
  for (let i = entityId.length; i > 0; ) hash = (hash * 33) ^ entityId.charCodeAt(--i)
  return Math.abs(((hash & 0xbfffffff) | ((hash >>> 1) & 0x40000000)) % shards)
}

/** The part of all load of each shard. */
export const shardLoads = (entities: ReadonlyArray<EntityLoad>, shards: number): ReadonlyArray<number> => {
  const loads = new Array<number>(shards).fill(0)
  for (const { entityId, load } of entities) {
    const shard = shardOf(entityId, shards)
    loads[shard] = (loads[shard] ?? 0) + load
  }
  return loads
}

/** By shard, the place of its owner among the runners, as the library deals shards out. */
export const ringOwners = (runners: ReadonlyArray<Runner>, shards: number): ReadonlyArray<number> => {
  const ring = HashRing.make<RunnerAddress.RunnerAddress>()
  for (const { address, weight } of runners) HashRing.add(ring, address, { weight })
  const places = new Map(runners.map(({ address }, place) => [String(address), place]))
  return (HashRing.getShards(ring, shards) ?? []).map((address) => places.get(String(address)) ?? -1)
}

/** The sum for each runner. */
export const sums = (
  owners: ReadonlyArray<number>,
  values: ReadonlyArray<number>,
  runners: number
): ReadonlyArray<number> => {
  const totals = new Array<number>(runners).fill(0)
  owners.forEach((owner, i) => {
    totals[owner] = (totals[owner] ?? 0) + (values[i] ?? 0)
  })
  return totals
}

/** How much more the fullest has than one has on average. */
export const maxToAverage = (values: ReadonlyArray<number>): number =>
  (Math.max(...values) * values.length) / values.reduce((sum, value) => sum + value, 0)

/** What moves when the runner at the place `dead` goes, as parts. */
export const movedWithout = (
  runners: ReadonlyArray<Runner>,
  dead: number,
  shards: number
): { readonly ofDead: number; readonly ofOthers: number } => {
  const before = ringOwners(runners, shards)
  const left = runners.filter((_, place) => place !== dead)
  // Places in the list of all.
  const after = ringOwners(left, shards).map((place) => (place < dead ? place : place + 1))
  let its = 0
  let itsMoved = 0
  let othersMoved = 0
  before.forEach((owner, shard) => {
    const moved = after[shard] !== owner
    if (owner === dead) {
      its++
      if (moved) itsMoved++
    } else if (moved) othersMoved++
  })
  return { ofDead: itsMoved / Math.max(1, its), ofOthers: othersMoved / Math.max(1, shards - its) }
}
