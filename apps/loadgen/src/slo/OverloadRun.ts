/** At several times what a level carries those who win must not get fewer: what cannot be served is refused early. */
import { asked, type Level } from "@onsale/contracts/ServiceLevel"
import { Console, Effect } from "effect"
import type { MixName } from "../open/Mix.ts"
import type { LoadResult } from "../open/OpenLoop.ts"
import * as AuditRun from "./AuditRun.ts"
import * as Capacity from "./Capacity.ts"
import type { RunningLevel } from "./LevelProcesses.ts"
import type { Objective } from "./Objectives.ts"
import * as SloRun from "./SloRun.ts"

/** Of the most wins at any of the rates. */
const leastShare = 0.9
/** Keys of orders count everywhere and for ever: no run has the seed of those that looked for the capacity. */
const seedsFrom = 100

export interface Overload {
  readonly level: Level
  readonly times: number
  readonly seconds: number
  /** Of the search; undefined where the rate was said. */
  readonly found: Capacity.Found | undefined
  /** At the rate, at `times` as much, and between them. */
  readonly first: LoadResult
  readonly middle: LoadResult
  readonly over: LoadResult
  readonly audit: ReadonlyArray<AuditRun.Finding>
}

const winsPerSecond = ({ statuses }: LoadResult, seconds: number): number =>
  (statuses["hold 201"] ?? 0) / seconds

/** Of what was due, from 0 to 1. */
const refusedShare = ({ due, statuses }: LoadResult): number =>
  Object.entries(statuses).reduce((sum, [name, count]) => (/ (429|503)$/.test(name) ? sum + count : sum), 0) /
  Math.max(1, due)

/** Slower than is asked, and than it was at the rate itself. */
const isSlowed = (level: Level, first: LoadResult, over: LoadResult): boolean =>
  (["p95", "p99"] as const).some(
    (name) => over.all[name] > asked[level][name] && over.all[name] > first.all[name]
  )

const ofRate = (found: Capacity.Found): Objective => ({
  name: "the rate that was found, of what was answered in its search",
  target: `≥ ${Capacity.leastOfShown}`,
  measured: `${(found.requestsPerSecond / found.shown).toFixed(2)} (${found.requestsPerSecond} of ${found.shown.toFixed(0)} a second)`,
  passed: Capacity.isCredible(found)
})

/** The wins are judged only where it was an overload: at less than that none could have been lost. */
export const judge = (overload: Overload): ReadonlyArray<Objective> => {
  const { audit, first, found, level, middle, over, seconds, times } = overload
  const [peak, wins] = [
    Math.max(winsPerSecond(first, seconds), winsPerSecond(middle, seconds)),
    winsPerSecond(over, seconds)
  ]
  const share = wins / peak
  const seen = refusedShare(over) > 0 || isSlowed(level, first, over)
  const isOverload = seen && (found === undefined || Capacity.isCredible(found))
  const broken = audit.filter(({ ok }) => !ok).map(({ invariant }) => invariant)
  const loads = [first, middle, over]
  const twice = loads.reduce((sum, { soldTwice }) => sum + soldTwice.length, 0)
  const wrong = loads.reduce((sum, load) => sum + load.wrong, 0)
  return [
    ...(found === undefined ? [] : [ofRate(found)]),
    {
      name: `${times} times the rate is an overload`,
      target: "some refused, or slower than asked",
      measured: `${(refusedShare(over) * 100).toFixed(2)}% refused, p95 ${over.all.p95.toFixed(0)} ms, p99 ${over.all.p99.toFixed(0)} ms`,
      passed: seen ? true : undefined
    },
    {
      name: `holds won at ${times} times capacity, of the most at less`,
      target: `≥ ${leastShare}`,
      measured: `${share.toFixed(2)} (${wins.toFixed(1)} to ${peak.toFixed(1)} a second)`,
      passed: share < leastShare ? false : isOverload && Number.isFinite(share) ? true : undefined
    },
    { name: "answers that cannot be right", target: "0", measured: String(wrong), passed: wrong === 0 },
    { name: "told to two buyers", target: "0", measured: String(twice), passed: twice === 0 },
    {
      name: "audit",
      target: "no breach",
      measured: broken.length === 0 ? `${audit.length} invariants hold` : broken.join(", "),
      passed: broken.length === 0
    }
  ]
}

/** Runs `rate`, the middle, and `times` as much, each on events of its own: the most may be won beyond the capacity. */
export const run = Effect.fn("OverloadRun.run")(function* (
  level: RunningLevel,
  mix: MixName,
  rate: number,
  times: number,
  options: SloRun.LoadOptions
) {
  const at = Effect.fnUntraced(function* (requestsPerSecond: number, seed: number) {
    const events = yield* SloRun.openSale(level, SloRun.eventsFor(requestsPerSecond, options.seconds))
    const load = yield* SloRun.drive(
      level,
      events,
      { type: "mix", mix, requestsPerSecond },
      { ...options, seed }
    )
    yield* Console.error(
      `  ${requestsPerSecond} a second: ${winsPerSecond(load, options.seconds).toFixed(1)} holds won a second, ${load.answeredPerSecond.toFixed(0)} answered, errors ${(load.errorShare * 100).toFixed(1)}%, p95 ${load.all.p95.toFixed(0)} ms`
    )
    return { requestsPerSecond, load }
  })
  const first = yield* at(rate, options.seed + seedsFrom)
  const middle = yield* at(Math.round((rate * (1 + times)) / 2), options.seed + seedsFrom + 1)
  const over = yield* at(Math.round(rate * times), options.seed + seedsFrom + 2)
  return { runs: [first, middle, over] as const, audit: yield* AuditRun.run(level) }
})
