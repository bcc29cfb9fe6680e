import { describe, expect, it } from "vitest"
import { type CpuProfile, summarise } from "../src/slo/ProfileSummary.ts"

const node = (id: number, functionName: string, url = "") => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 }
})
const profile: CpuProfile = {
  startTime: 1_000,
  nodes: [
    node(1, "(idle)"),
    node(2, "(garbage collector)"),
    node(3, "decide", "file:///somewhere/packages/inventory/src/Inventory.ts"),
    node(4, "", "file:///somewhere/node_modules/@effect/sql-pg/dist/PgConnection.js")
  ],
  samples: [3, 1, 3, 2, 4, 3],
  timeDeltas: [1_000, 5_000, 2_000, 1_000, 1_000, 10_000]
}

describe("the summary of a profile", () => {
  it("says how full the thread was, and whose functions filled it, within the time that counts", () => {
    // Not the first sample, at 2,000, nor the last, at 21,000.
    const { collecting, functions, idle, owners, seconds } = summarise("booking", profile, {
      fromUs: 3_000,
      toUs: 15_000
    })
    expect(seconds).toBe(0.009)
    expect(idle).toBeCloseTo(5 / 9)
    expect(collecting).toBe(0.25)
    expect(functions).toEqual([
      { name: "decide", where: "packages/inventory/src/Inventory.ts:10", share: 0.5 },
      { name: "(garbage collector)", where: "", share: 0.25 },
      { name: "(anonymous)", where: "@effect/sql-pg/dist/PgConnection.js:10", share: 0.25 }
    ])
    expect(owners.map(({ name }) => name)).toEqual(["packages/inventory", "Node", "@effect/sql-pg"])
  })
  it("is of all of it where no time is given, and of nothing where nothing was seen", () => {
    expect(summarise("booking", profile).seconds).toBe(0.02)
    expect(summarise("booking", profile, { fromUs: 0, toUs: 1 })).toMatchObject({
      seconds: 0,
      idle: 0,
      collecting: 0
    })
  })
})
