import { expect, it } from "@effect/vitest"
import { shardGroups } from "@onsale/contracts/ShardGroups"
import * as Cluster from "@onsale/platform/Cluster"
import { byRing, byTable, byTwoChoices, split } from "@onsale/testing/balance/Designs"
import { eventLoads, hottest } from "@onsale/testing/balance/EventLoad"
import {
  maxToAverage,
  movedWithout,
  ringOwners,
  runnersNamed,
  shardOf,
  sums
} from "@onsale/testing/balance/Placement"
import { Dice } from "@onsale/testing/simulation/World"
import { Effect } from "effect"
import { EntityId, Sharding } from "effect/cluster"

const shards = Cluster.shardsPerGroup
const events = 10_000
const all = eventLoads(new Dice(1), { events, exponent: 1 })
const tail = eventLoads(new Dice(1), { events, exponent: 1, ceiling: 0.01 })

it.effect("an event is counted in the shard where the cluster puts it", () =>
  Effect.gen(function* () {
    const sharding = yield* Sharding.Sharding
    const [group = ""] = shardGroups
    for (const { entityId } of all.slice(0, 500))
      expect(shardOf(entityId, shards) + 1).toBe(sharding.getShardId(EntityId.make(entityId), group).id)
  }).pipe(Effect.provide(Cluster.layerSingle({ shardGroups })))
)

it("the ring gives each of a few runners its part of the shards, and of the load but for the hottest events", () => {
  const runners = runnersNamed(0, 3)
  const owned = sums(ringOwners(runners, shards), new Array<number>(shards).fill(1), 3)
  expect(maxToAverage(owned)).toBeLessThanOrEqual(1.02)
  expect(maxToAverage(byRing(tail, runners, shards))).toBeLessThanOrEqual(1.15)
  expect(maxToAverage(byRing(all, runners, shards))).toBeLessThanOrEqual(1.5)
})

it("a runner that dies takes few of the others' shards along", () => {
  for (const count of [3, 8, 16, 32, 64]) {
    const { ofDead, ofOthers } = movedWithout(runnersNamed(0, count), 1, shards)
    expect(ofDead).toBe(1)
    expect(ofOthers).toBeLessThanOrEqual(0.12)
  }
})

it("hot events that are split and placed by load are within 1.3 of the average, from 3 runners to 64", () => {
  for (const count of [3, 8, 16, 32, 64]) {
    const runners = runnersNamed(0, count)
    const parts = split(all, 1 / 8 / count)
    expect(hottest(parts)).toBeLessThanOrEqual(1 / 8 / count)
    expect(parts.reduce((sum, { load }) => sum + load, 0)).toBeCloseTo(1, 9)
    expect(maxToAverage(byTwoChoices(new Dice(1), parts, runners, 1_024))).toBeLessThanOrEqual(1.3)
    expect(maxToAverage(byTable(parts, runners, shards))).toBeLessThanOrEqual(1.05)
  }
})

it("whole events cannot be: the hottest alone is above it from 16 runners on", () => {
  expect(hottest(all) * 8).toBeLessThan(1.3)
  expect(hottest(all) * 16).toBeGreaterThan(1.3)
})
