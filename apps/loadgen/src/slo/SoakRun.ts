/** What a long run shows beside a short one: that nothing grows. */
import * as Measured from "./Measured.ts"
import type { Objective } from "./Objectives.ts"

/** Shorter runs are spent on filling heaps and caches. */
export const leastSeconds = 300
/** Of a process' memory, in a minute of the second half: less is the saw of a heap that is collected now and then. */
const flatShare = 0.01
const flatMiB = 3
/** Of a queue that is not empty for a moment now and then. */
const usualWaiting = 64
const usualLagMs = 1_000

/** In the second half no more than half as much again as in the first. */
const grows = (first: number, second: number, usual: number): boolean => second > Math.max(usual, 1.5 * first)

export const judge = ({ looks }: Measured.Measured): ReadonlyArray<Objective> => {
  const middle = looks.length >> 1
  const halves = [looks.slice(0, middle), looks.slice(middle)] as const
  const p95 = (pick: (look: (typeof looks)[number]) => number) =>
    halves.map((half) => Measured.percentile(half.map(pick), 95)) as [number, number]
  const growing = Object.entries(looks.at(-1)?.memoryMiB ?? {})
    .map(([name, mib]) => ({ name, mib, slope: Measured.memorySlope(looks, name) }))
    .filter(({ mib, slope }) => slope > Math.max(flatMiB, flatShare * mib))
  const waiting = p95(({ waitingCommands }) => waitingCommands)
  const lag = p95(({ consumerLagMs, projectionLagMs, relayLagMs }) =>
    Math.max(consumerLagMs, projectionLagMs, relayLagMs)
  )
  return [
    {
      name: "memory in the second half",
      target: `≤ ${flatMiB} MiB or ${flatShare * 100}% a minute`,
      measured:
        growing.length === 0
          ? "flat in all processes"
          : growing.map(({ name, slope }) => `${name} +${slope.toFixed(1)} MiB a minute`).join(", "),
      passed: growing.length === 0
    },
    {
      name: "commands that wait, p95 of either half",
      target: "no growth",
      measured: waiting.map((count) => count.toFixed(0)).join(", "),
      passed: !grows(...waiting, usualWaiting)
    },
    {
      name: "lag, p95 of either half",
      target: "no growth",
      measured: `${lag.map((ms) => ms.toFixed(0)).join(", ")} ms`,
      passed: !grows(...lag, usualLagMs)
    }
  ]
}
