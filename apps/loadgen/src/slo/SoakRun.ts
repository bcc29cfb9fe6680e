/** What a long run shows beside a short one: that nothing grows. */
import * as Measured from "./Measured.ts"
import * as MemoryTrend from "./MemoryTrend.ts"
import type { Objective } from "./Objectives.ts"
import { generator } from "./Watch.ts"

/** Shorter runs are spent on filling heaps and caches. */
export const leastSeconds = 300
/** Of the floor of a process' memory, in a minute of the second half. */
const flatShare = 0.01
const flatMiB = 3
/** They keep all that they saw, for the audit and for the comparison of what buyers were told. */
const witnesses = new Set(["provider", generator.name])
/** Of a queue that is not empty for a moment now and then. */
const usualWaiting = 64
const usualJobs = 256
const usualLagMs = 1_000

/** In the second half no more than half as much again as in the first. */
const grows = (first: number, second: number, usual: number): boolean => second > Math.max(usual, 1.5 * first)

const saying = ({
  name,
  trend
}: {
  readonly name: string
  readonly trend: MemoryTrend.MemoryTrend
}): string => `${name} +${trend.slope.toFixed(1)} ± ${trend.error.toFixed(1)} MiB a minute`

export const judge = ({ looks }: Measured.Measured): ReadonlyArray<Objective> => {
  const middle = looks.length >> 1
  const halves = [looks.slice(0, middle), looks.slice(middle)] as const
  const p95 = (pick: (look: (typeof looks)[number]) => number) =>
    halves.map((half) => Measured.percentile(half.map(pick), 95)) as [number, number]
  const trends = Object.entries(looks.at(-1)?.memoryMiB ?? {})
    .filter(([name]) => !witnesses.has(name))
    .map(([name, mib]) => ({
      name,
      limit: Math.max(flatMiB, flatShare * mib),
      trend: MemoryTrend.of(looks, name)
    }))
  const growing = trends.filter(({ limit, trend }) => MemoryTrend.grows(trend, limit))
  const unclear = trends.filter(({ limit, trend }) => MemoryTrend.isUnclear(trend, limit))
  const waiting = p95(({ waitingCommands }) => waitingCommands)
  const jobs = p95(({ waitingJobs }) => waitingJobs)
  const lag = p95(({ consumerLagMs, projectionLagMs, relayLagMs }) =>
    Math.max(consumerLagMs, projectionLagMs, relayLagMs)
  )
  return [
    {
      name: "memory in the second half",
      target: `≤ ${flatMiB} MiB or ${flatShare * 100}% a minute`,
      measured:
        growing.length > 0
          ? growing.map(saying).join(", ")
          : unclear.length > 0
            ? `no more than by chance: ${unclear.map(saying).join(", ")}`
            : "flat in all processes of ours",
      passed: growing.length === 0
    },
    {
      name: "commands that wait, p95 of either half",
      target: "no growth",
      measured: waiting.map((count) => count.toFixed(0)).join(", "),
      passed: !grows(...waiting, usualWaiting)
    },
    {
      name: "notices and messages that wait, p95 of either half",
      target: "no growth",
      measured: jobs.map((count) => count.toFixed(0)).join(", "),
      passed: !grows(...jobs, usualJobs)
    },
    {
      name: "lag, p95 of either half",
      target: "no growth",
      measured: `${lag.map((ms) => ms.toFixed(0)).join(", ")} ms`,
      passed: !grows(...lag, usualLagMs)
    }
  ]
}
