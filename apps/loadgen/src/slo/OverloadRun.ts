/** At several times what a level carries those who win must not get fewer: what cannot be served is refused early. */
import { Console, Effect } from "effect"
import * as AuditRun from "./AuditRun.ts"
import type { LoadResult } from "../open/OpenLoop.ts"
import type { MixName } from "../open/Mix.ts"
import type { RunningLevel } from "./LevelProcesses.ts"
import type { Objective } from "./Objectives.ts"
import * as SloRun from "./SloRun.ts"

/** Of the wins at capacity. */
const leastShare = 0.9

const winsPerSecond = ({ statuses }: LoadResult, seconds: number): number =>
  (statuses["hold 201"] ?? 0) / seconds

/** Runs `rate`, then `times` as much, each on events of its own. */
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
  const peak = yield* at(rate, options.seed)
  const over = yield* at(rate * times, options.seed + 1)
  const audit = yield* AuditRun.run(level)
  const broken = audit.filter(({ ok }) => !ok).map(({ invariant }) => invariant)
  const share = over.wins / peak.wins
  const twice = peak.load.soldTwice.length + over.load.soldTwice.length
  const objectives: ReadonlyArray<Objective> = [
    {
      name: `holds won at ${times} times capacity, of those at capacity`,
      target: `≥ ${leastShare}`,
      measured: `${share.toFixed(2)} (${over.wins.toFixed(1)} to ${peak.wins.toFixed(1)} a second)`,
      passed: share >= leastShare
    },
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
