import { assert, describe, it } from "@effect/vitest"
import { notes, type Row, ratios, surprises, table } from "../src/InventoryReport.ts"
import type { Figures } from "../src/Rounds.ts"

const figures = (winsPerSecond: number, soldTwice = 0): Figures => ({
  winsPerSecond,
  refusalsPerSecond: 100,
  won: 1,
  refused: 1,
  other: 0,
  seconds: 1,
  p50: 1,
  p95: 2,
  p99: 3,
  serverCpu: 50,
  postgresCpu: Number.NaN,
  redisCpu: Number.NaN,
  transactions: 1,
  clientCores: 0.95,
  ranDry: false,
  findings: { answered: 1, stored: 1, soldTwice, lost: 0 }
})
const row = (name: string, kind: Row["contender"]["kind"], rounds: ReadonlyArray<Figures>): Row => ({
  contender: { name, label: "how it works", seenIn: "", kind, trustsRedis: false },
  rounds,
  warmUp: []
})

const ours = row("L3", "ours", [figures(1000), figures(2000), figures(900)])
const locks = row("row-locks", "peer", [figures(100), figures(250), figures(100)])
const naive = row("check-then-insert", "naive", [figures(100, 3)])

describe("InventoryReport", () => {
  it("divides the rounds that belong together", () => {
    assert.deepStrictEqual(ratios(ours, locks, "won"), [10, 8, 9])
    assert.deepStrictEqual(ratios(ours, locks, "answered"), [5.5, 6, 5])
  })

  it("shows median, least and most, and nothing where nothing is known", () => {
    const line = table([ours, locks], "won").split("\n")[3] ?? ""
    assert.include(line, "9.00 [8.00, 10.00]")
    assert.notInclude(line, "NaN")
  })

  it("warns where the load may be what holds a figure back", () => {
    assert.isTrue(notes([ours, locks], "won", 0.9).some((line) => line.startsWith("WARNING")))
    assert.isFalse(notes([ours, locks], "won", 1).some((line) => line.startsWith("WARNING")))
  })

  it("is surprised by a breach, and by none where there must be one", () => {
    assert.deepStrictEqual(surprises([ours, locks, naive]), [])
    assert.strictEqual(surprises([row("row-locks", "peer", [figures(1, 2)])]).length, 1)
    assert.strictEqual(surprises([row("check-then-insert", "naive", [figures(1)])]).length, 1)
  })
})
