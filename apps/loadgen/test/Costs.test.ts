import { assert, it } from "@effect/vitest"
import { parseStat } from "../src/Costs.ts"

it("reads the times of a process whose name has spaces and brackets", () => {
  const line = "42 (a (b) c) S 7 1 1 0 -1 4194560 10 20 30 40 150 50 300 100 20 0 1 0 99 1000 5"
  assert.deepStrictEqual(parseStat(line), { pid: 42, parent: 7, cpuSeconds: 2, reapedSeconds: 4 })
  assert.isUndefined(parseStat("gone"))
})
