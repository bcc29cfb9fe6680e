/** What `npm run slo` prints, for people. */
import type { LoadResult, Quantiles } from "../open/OpenLoop.ts"
import { markdown } from "../Table.ts"
import type { Finding } from "./AuditRun.ts"
import * as Measured from "./Measured.ts"
import * as MemoryTrend from "./MemoryTrend.ts"
import { type Objective, stated } from "./Objectives.ts"

/** Above this share of late requests the figures are the generator's as well. */
const lateShareLimit = 0.01

/** Of one thread, and of the machine: more is not to be had. */
const fullCore = 0.9

const verdict = ({ passed, target }: Objective) =>
  passed === undefined ? (target === stated ? "" : "not seen") : passed ? "pass" : "FAIL"

export const table = (objectives: ReadonlyArray<Objective>): string =>
  markdown(
    ["objective", "target", "measured", ""],
    objectives.map((objective) => [objective.name, objective.target, objective.measured, verdict(objective)])
  )

const line = (name: string, { count, p50, p95, p99 }: Quantiles) => [
  name,
  String(count),
  p50.toFixed(1),
  p95.toFixed(1),
  p99.toFixed(1)
]

export const latencies = ({ all, kinds }: LoadResult): string =>
  markdown(
    ["from when it was due", "requests", "p50 ms", "p95 ms", "p99 ms"],
    [line("all", all), ...Object.entries(kinds).map(([kind, of]) => line(kind, of))]
  )

/** Whether the generator was fast enough for its own figures. */
export const generator = (load: LoadResult, ceiling: number): string =>
  `The generator alone does ${Math.round(ceiling)} requests a second here; ${(load.lateShare * 100).toFixed(2)}% were sent late, the worst by ${load.worstLagMs.toFixed(0)} ms.${
    load.lateShare > lateShareLimit
      ? " It was late too often: what is measured is its own delay, too (the cores are shared)."
      : ""
  }`

/** Who used the cores, the busiest first, and so what bounds the rate. */
export const cores = (looks: Measured.Measured["looks"], ofMachine: number): string => {
  const used = Object.entries(Measured.coresByProcess(looks))
    .filter(([, cores]) => Number.isFinite(cores))
    .sort(([, a], [, b]) => b - a)
  const total = used.reduce((sum, [, cores]) => sum + cores, 0)
  return `CPU: ${used.map(([name, cores]) => `${name} ${cores.toFixed(2)}`).join(", ")}; ${total.toFixed(2)} of ${ofMachine} cores.`
}

/** What others may use of the machine before the figures are theirs as well. */
const othersLimit = 0.2

/** Why there is no more: other programs, the thread that is full, or the machine. */
export const bound = (looks: Measured.Measured["looks"], ofMachine: number): string => {
  const used = Object.entries(Measured.coresByProcess(looks)).filter(([, cores]) => Number.isFinite(cores))
  const [name, most] = used.reduce((a, b) => (b[1] > a[1] ? b : a), ["nothing", 0])
  const total = used.reduce((sum, [, cores]) => sum + cores, 0)
  const seconds = Measured.growth(looks, ({ atMs }) => atMs) / 1e3
  const others = Measured.growth(looks, ({ machineSeconds }) => machineSeconds) / seconds - total
  const free = ofMachine - total - Math.max(0, others)
  return [
    ...(others > othersLimit
      ? [
          `Programs that have nothing to do with this used ${others.toFixed(2)} cores: on a quiet machine more is carried, sooner.`
        ]
      : []),
    most > fullCore
      ? `What bounds it is ${name}, which uses ${most.toFixed(2)} cores.`
      : free < ofMachine * (1 - fullCore)
        ? `What bounds it is the machine, all of whose cores are in use; of ours ${name} uses most.`
        : `Nothing is full: ${free.toFixed(2)} of ${ofMachine} cores are free.`
  ].join("\n")
}

export const memory = (looks: Measured.Measured["looks"]): string =>
  markdown(
    ["process", "memory MiB", "its floor, MiB a minute"],
    Object.entries(looks.at(-1)?.memoryMiB ?? {}).map(([name, mib]) => {
      const { error, slope } = MemoryTrend.of(looks, name)
      return [
        name,
        mib.toFixed(0),
        Number.isNaN(error) ? slope.toFixed(1) : `${slope.toFixed(1)} ± ${error.toFixed(1)}`
      ]
    })
  )

export const queues = (looks: Measured.Measured["looks"]): string => {
  const half = looks.length >> 1
  const most = (of: typeof looks, pick: (look: (typeof looks)[number]) => number) =>
    Math.max(0, ...of.map(pick)).toFixed(0)
  return `Waiting commands, at most: ${most(looks.slice(0, half), (look) => look.waitingCommands)} in the first half, ${most(looks.slice(half), (look) => look.waitingCommands)} in the second. Jobs that are due, at most: ${most(looks.slice(0, half), (look) => look.waitingJobs)} and ${most(looks.slice(half), (look) => look.waitingJobs)}. Lag of projections, at most: ${most(looks.slice(0, half), (look) => look.projectionLagMs)} and ${most(looks.slice(half), (look) => look.projectionLagMs)} ms.`
}

export const audit = (findings: ReadonlyArray<Finding>): string =>
  findings
    .map(
      ({ breaches, checked, invariant, ok, statement }) =>
        `${invariant}  ${ok ? "ok    " : "BREACH"}  ${statement}  (${checked})${breaches.map((breach) => `\n        - ${breach}`).join("")}`
    )
    .join("\n")

export const answers = (load: LoadResult): string =>
  [
    `Answers: ${Object.entries(load.statuses)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([status, count]) => `${status}: ${count}`)
      .join(", ")}.`,
    `Orders at their end: ${
      Object.entries(load.orders)
        .map(([status, count]) => `${status} ${count}`)
        .join(", ") || "none"
    }; ${load.seatsBought} seats bought.`,
    ...load.examples.map((example) => `  ${example}`)
  ].join("\n")
