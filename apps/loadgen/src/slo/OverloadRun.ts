/** At several times what a level carries those who win must not get fewer: what cannot be served is refused early. */
import { Console, Effect } from "effect"
import * as AuditRun from "./AuditRun.ts"
import type { LoadResult } from "../open/OpenLoop.ts"
import type { MixName } from "../open/Mix.ts"
import type { RunningLevel } from "./LevelProcesses.ts"
import type { Objective } from "./Objectives.ts"
import * as SloRun from "./SloRun.ts"

/** Of the most wins at any of the rates. */
const leastShare = 0.9
/** Keys of orders count everywhere and for ever: no run has the seed of those that looked for the capacity. */
const seedsFrom = 100

const winsPerSecond = ({ statuses }: LoadResult, seconds: number): number =>
  (statuses["hold 201"] ?? 0) / seconds

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
    const wins = winsPerSecond(load, options.seconds)
    yield* Console.error(
      `  ${requestsPerSecond} a second: ${wins.toFixed(1)} holds won a second, ${load.answeredPerSecond.toFixed(0)} answered, errors ${(load.errorShare * 100).toFixed(1)}%, p95 ${load.all.p95.toFixed(0)} ms`
    )
    return { load, wins }
  })
  const first = yield* at(rate, options.seed + seedsFrom)
  const middle = yield* at(Math.round((rate * (1 + times)) / 2), options.seed + seedsFrom + 1)
  const over = yield* at(rate * times, options.seed + seedsFrom + 2)
  const peak = first.wins >= middle.wins ? first : middle
  const audit = yield* AuditRun.run(level)
  const broken = audit.filter(({ ok }) => !ok).map(({ invariant }) => invariant)
  const share = over.wins / peak.wins
  const loads = [first.load, middle.load, over.load]
  const twice = loads.reduce((sum, { soldTwice }) => sum + soldTwice.length, 0)
  const wrong = loads.reduce((sum, load) => sum + load.wrong, 0)
  const objectives: ReadonlyArray<Objective> = [
    {
      name: `holds won at ${times} times capacity, of the most at less`,
      target: `≥ ${leastShare}`,
      measured: `${share.toFixed(2)} (${over.wins.toFixed(1)} to ${peak.wins.toFixed(1)} a second)`,
      passed: share >= leastShare
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
  return { objectives, peak: peak.load, over: over.load, audit }
})
