import { assert, describe, it } from "@effect/vitest"
import * as InventorySimulation from "@onsale/testing/InventorySimulation"

const seeds = 1_000

describe("InventorySimulation", () => {
  it("INV-01, 02, 03, 07, 08: a thousand seeds of crashes, freezes, two owners and lost messages", () => {
    const counts = { rows: 0, commands: 0, refusals: 0, owners: 0, crashes: 0, conflicts: 0 }
    const failed = InventorySimulation.search({ seed: 1, seeds }, (outcome) => {
      for (const [name, count] of Object.entries(outcome.counts)) counts[name as keyof typeof counts] += count
    })
    if (failed !== undefined) assert.fail(InventorySimulation.report({ seed: failed.seed }))
    // It reaches what it is for: a simulation in which nothing goes wrong proves nothing.
    assert.isAbove(counts.conflicts, seeds)
    assert.isAbove(counts.crashes, seeds / 2)
    assert.isAbove(counts.commands - counts.refusals, 10 * seeds)
    assert.isAbove(counts.refusals, 10 * seeds)
  }, 120_000)

  it("a seed tells the same story each time", () => {
    for (const seed of [3, 1_234, 987_654_321]) {
      const first = InventorySimulation.run({ seed, traced: true })
      assert.isNotEmpty(first.trace)
      assert.deepStrictEqual(InventorySimulation.run({ seed, traced: true }), first)
    }
  })

  it("it notices a journal without a fence, and one that answers before it commits", () => {
    for (const journal of ["without a fence", "answers before it commits"] as const) {
      const failed = InventorySimulation.search({ seed: 1, seeds: 50, journal })
      assert.isDefined(failed)
      // And the seed that found it finds it again.
      const { seed, breach } = failed!
      assert.strictEqual(InventorySimulation.run({ seed, journal }).breach, breach)
      assert.include(InventorySimulation.report({ seed, journal }), "BREACH")
    }
  })
})
