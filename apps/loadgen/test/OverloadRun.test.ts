import { describe, expect, it } from "vitest"
import type { LoadResult, Quantiles } from "../src/open/OpenLoop.ts"
import * as OverloadRun from "../src/slo/OverloadRun.ts"

const quick: Quantiles = { count: 1_000, p50: 2, p95: 20, p99: 50 }
const load = (wins: number, changed: Partial<LoadResult> = {}): LoadResult => ({
  due: 10_000,
  answeredPerSecond: 1_000,
  errorShare: 0,
  readShare: 0.9,
  lateShare: 0,
  worstLagMs: 1,
  all: quick,
  kinds: { read: quick, search: quick, hold: quick, order: quick },
  statuses: { "read 200": 9_000, "hold 201": wins, ...changed.statuses },
  orders: {},
  wrong: 0,
  examples: [],
  soldTwice: [],
  seatsBought: 10,
  flash: { held: quick, bought: quick, refused: quick, slowestRefusalMs: 60, unanswered: 0 },
  seconds: [],
  ...(changed.all === undefined ? {} : { all: changed.all })
})
const refused = (wins: number) => load(wins, { statuses: { "hold 201": wins, "search 503": 40 } })
const overload: OverloadRun.Overload = {
  level: "L3",
  times: 3,
  seconds: 10,
  found: { requestsPerSecond: 1_000, shown: 1_500, rose: true },
  first: load(600),
  middle: load(900),
  over: refused(1_000),
  audit: [{ invariant: "INV-01", ok: true, statement: "", checked: "", breaches: [] }]
}
const verdicts = (changed: Partial<OverloadRun.Overload>) =>
  OverloadRun.judge({ ...overload, ...changed })
    .filter(({ passed }) => passed !== true)
    .map(({ name, passed }) => [name, passed])
const wins = "holds won at 3 times capacity, of the most at less"

describe("three times capacity", () => {
  it("holds where it is too much, and no fewer win", () => {
    expect(verdicts({})).toEqual([])
    const slow = load(1_000, { all: { ...quick, p99: 900 } })
    expect(verdicts({ over: slow })).toEqual([])
    // Of a rate that was said nothing else is known.
    expect(verdicts({ found: undefined })).toEqual([])
  })
  it("fails where fewer win", () => {
    expect(verdicts({ over: refused(700) })).toEqual([[wins, false]])
  })
  it("is not judged where three times as much is carried as well", () => {
    expect(verdicts({ over: load(1_800) })).toEqual([
      ["3 times the rate is an overload", undefined],
      [wins, undefined]
    ])
    // As slow as before is no sign of it.
    const busy = load(600, { all: { ...quick, p99: 900 } })
    expect(verdicts({ first: busy, over: busy })).toContainEqual([
      "3 times the rate is an overload",
      undefined
    ])
  })
  it("fails where the rate that was found is no capacity", () => {
    expect(verdicts({ found: { requestsPerSecond: 88, shown: 940, rose: false } })).toEqual([
      ["the rate that was found, of what was answered in its search", false],
      [wins, undefined]
    ])
  })
})
