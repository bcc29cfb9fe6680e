import { describe, expect, it } from "vitest"
import type { LoadResult, Quantiles } from "../src/open/OpenLoop.ts"
import { judge, stated } from "../src/slo/Objectives.ts"
import type { Measured } from "../src/slo/Measured.ts"
import * as MetricsText from "../src/slo/MetricsText.ts"
import * as Plots from "../src/slo/Plots.ts"
import * as SoakRun from "../src/slo/SoakRun.ts"
import type { Look } from "../src/slo/Watch.ts"

const quick: Quantiles = { count: 1_000, p50: 2, p95: 20, p99: 50 }
const load: LoadResult = {
  due: 6_000,
  answeredPerSecond: 100_000,
  errorShare: 0,
  readShare: 0.9,
  lateShare: 0,
  worstLagMs: 1,
  all: quick,
  kinds: { read: quick, search: quick, hold: quick, order: quick },
  statuses: {},
  orders: {},
  wrong: 0,
  examples: [],
  soldTwice: [],
  seatsBought: 10,
  flash: { held: quick, bought: quick, refused: quick, slowestRefusalMs: 60, unanswered: 0 },
  seconds: []
}
const look = (atMs: number, share: number): Look => ({
  atMs,
  cpuSeconds: { "booking-1": share },
  memoryMiB: { "booking-1": 100 },
  projectionLagMs: 10,
  relayLagMs: 10,
  consumerLagMs: 10,
  deadLetters: 0,
  cacheHits: 95 * share,
  cacheReads: 100 * share,
  eventReads: 100 * share,
  waitingCommands: 0,
  waitingJobs: 0,
  breakersOpen: 0,
  calls: { "Authorise ok": 100 * share, "Authorise declined": 3 * share },
  commands: { "booking-1": 110 * share, "booking-2": 100 * share },
  evictedKeys: 0,
  machineSeconds: share
})
const measured: Measured = {
  load,
  looks: [look(0, 1), look(1_000, 2)],
  redisP95Ms: 1,
  redisCount: 10,
  visibleP95Ms: 50,
  visibleCount: 10,
  notifications: { done: 100, waiting: 0, dead: 0, oldestDeadSeconds: 0 },
  payments: { authorised: 100, captured: 99 },
  audit: ["INV-01", "INV-04"].map((invariant) => ({
    invariant,
    ok: true,
    statement: "",
    checked: "",
    breaches: []
  })),
  bookingRunners: ["booking-1", "booking-2"]
}
const failed = (level: "L0" | "L1" | "L2" | "L3", changed: Partial<Measured>) =>
  judge(level, { ...measured, ...changed }, 100)
    .filter(({ passed, target }) => passed !== true && target !== stated)
    .map(({ name }) => name)

describe("the objectives of a level", () => {
  it.each(["L0", "L1", "L2", "L3"] as const)("all hold at %s where all is well", (level) => {
    expect(failed(level, {})).toEqual([])
  })
  it("say what does not hold", () => {
    expect(failed("L0", { load: { ...load, answeredPerSecond: 90 } })).toEqual(["requests a second"])
    expect(failed("L0", { load: { ...load, all: { ...quick, p95: 501 } } })).toEqual(["p95"])
    expect(failed("L0", { load: { ...load, errorShare: 0.006 } })).toEqual(["errors"])
    expect(failed("L0", { load: { ...load, soldTwice: ["e/1"] } })).toHaveLength(1)
    const breach = measured.audit.map((finding) => ({ ...finding, ok: finding.invariant !== "INV-04" }))
    expect(failed("L0", { audit: breach })).toEqual(["double charges (INV-04)", "audit"])
    expect(failed("L1", { redisP95Ms: 6 })).toEqual(["Redis p95, seen from a client"])
    // 6 of 50 reads in a second came to Postgres.
    const cold = [look(0, 1), { ...look(1_000, 2), cacheHits: 189, eventReads: 150 }]
    expect(failed("L1", { looks: cold })).toEqual([
      "cache: reads of events and availability that need no Postgres"
    ])
    expect(failed("L2", { visibleP95Ms: 2_001 })).toHaveLength(1)
    expect(failed("L2", { payments: { authorised: 100, captured: 97 } })).toEqual(["authorised and captured"])
    const late = { done: 90, waiting: 10, dead: 0, oldestDeadSeconds: 0 }
    expect(failed("L3", { notifications: late })).toEqual(["notifications delivered"])
  })
  it("do not hold of what was not seen: it says so", () => {
    const idle = [look(0, 1), look(1_000, 1)]
    const unseen = judge("L0", { ...measured, looks: idle }, 100).find(({ name }) => name === "authorised")
    expect(unseen?.passed).toBeUndefined()
  })
})

describe("the plot of the cache", () => {
  const looks = [look(0, 1), look(1_000, 2), { ...look(2_000, 3), cacheHits: 279, eventReads: 250 }]
  const name = "cache: reads of events and availability that need no Postgres"
  const plotted = (of: ReadonlyArray<Look>) =>
    Plots.ofMeasured({ ...measured, looks: of }).flatMap(({ series }) =>
      series.filter(({ label }) => label === name)
    )

  it("ends with the figure that is judged, under its name", () => {
    const judged = judge("L1", { ...measured, looks }, 100).find((objective) => objective.name === name)
    expect(`${plotted(looks)[0]?.values.at(-1)?.toFixed(2)}%`).toBe(judged?.measured)
  })
  it("is not drawn where there is no cache", () => {
    expect(plotted(looks.map((look) => ({ ...look, cacheHits: 0, cacheReads: 0 })))).toEqual([])
  })
})

describe("a soak", () => {
  it("is asked for its share of the rate, and not for the level's", () => {
    const rate = (answeredPerSecond: number) =>
      judge("L0", { ...measured, load: { ...load, answeredPerSecond } }, 70, 0.7).find(
        ({ name }) => name === "requests a second"
      )?.passed
    expect([rate(70), rate(60)]).toEqual([true, false])
  })
  const of = (change: (i: number) => Partial<Look>) =>
    SoakRun.judge({
      ...measured,
      looks: Array.from({ length: 600 }, (_, i) => ({ ...look(i * 1_000, i), ...change(i) }))
    })
      .filter(({ passed }) => passed !== true)
      .map(({ name }) => name)

  it("is passed where nothing grows", () => {
    expect(of(() => ({}))).toEqual([])
    // The saw of a heap.
    expect(of((i) => ({ memoryMiB: { "booking-1": 300 + (i % 30) } }))).toEqual([])
    // A slow saw that happens to rise through the whole half, and scatters by more than it rises.
    expect(of((i) => ({ memoryMiB: { "booking-1": 300 + (i % 100) + ((i * 7919) % 60) } }))).toEqual([])
    // Who keeps what he saw, to tell it at the end.
    expect(of((i) => ({ memoryMiB: { "the generator": 300 + i, provider: 100 + i } }))).toEqual([])
  })
  it("says what grows", () => {
    expect(of((i) => ({ memoryMiB: { "booking-1": 300 + i / 6 } }))).toEqual(["memory in the second half"])
    // A leak under the saw.
    expect(of((i) => ({ memoryMiB: { "booking-1": 300 + i / 6 + (i % 30) } }))).toHaveLength(1)
    expect(of((i) => ({ waitingCommands: i }))).toHaveLength(1)
    expect(of((i) => ({ waitingJobs: i * 2 }))).toHaveLength(1)
    expect(of((i) => ({ projectionLagMs: i * 20 }))).toHaveLength(1)
  })
})

describe("metrics", () => {
  it("are read with their labels", () => {
    const samples = MetricsText.parse('# HELP a b\na{x="1",y="q"} 2\na{x="2"} 3.5\nb 4\n')
    expect(MetricsText.sum(samples, "a")).toBe(5.5)
    expect(MetricsText.sum(samples, "a", { x: "2" })).toBe(3.5)
    expect(MetricsText.highest(samples, "a")).toBe(3.5)
    expect(MetricsText.highest(samples, "c")).toBeUndefined()
  })
})
