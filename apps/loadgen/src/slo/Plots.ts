/** How rate, latency, lag and load went over time, as figures to be drawn. */
import type { LoadResult } from "../open/OpenLoop.ts"
import * as Measured from "./Measured.ts"
import { cacheNames } from "./Objectives.ts"
import type { Step } from "./ScalingRun.ts"

export interface Plot {
  readonly title: string
  /** What `x` is. */
  readonly along: string
  readonly x: ReadonlyArray<number>
  readonly series: ReadonlyArray<{ readonly label: string; readonly values: ReadonlyArray<number | null> }>
}

/** JSON has no NaN. */
const known = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** Of a load alone; `of` says which of several it is. */
export const ofLoad = ({ seconds }: LoadResult, of = ""): ReadonlyArray<Plot> => {
  const axis = { along: "s", x: seconds.map(({ second }) => second) }
  return [
    {
      title: `${of}Answers a second`,
      ...axis,
      series: [
        { label: "answers", values: seconds.map(({ count }) => count) },
        { label: "errors", values: seconds.map(({ errors }) => errors) }
      ]
    },
    {
      title: `${of}Latency from when a request was due, ms`,
      ...axis,
      series: (["p50", "p95", "p99"] as const).map((label) => ({
        label,
        values: seconds.map((second) => known(second[label]))
      }))
    }
  ]
}

/** Of a run that was watched. */
export const ofMeasured = ({ bookingRunners, load, looks }: Measured.Measured): ReadonlyArray<Plot> => {
  const begun = looks[0]?.atMs ?? 0
  const axis = { along: "s", x: looks.map(({ atMs }) => Math.round((atMs - begun) / 100) / 10) }
  const ofLooks = (pick: (look: (typeof looks)[number]) => number) => looks.map((look) => known(pick(look)))
  /** From the first look to each: at the last it is what the table has. */
  const soFar = (pick: (looks: Measured.Measured["looks"]) => number) =>
    looks.map((_, i) => known(pick(looks.slice(0, i + 1))))
  /** From one look to the next. */
  const rates = (pick: (look: (typeof looks)[number]) => number) =>
    looks.map((look, i) => {
      const before = looks[i - 1]
      return before === undefined
        ? null
        : known((pick(look) - pick(before)) / ((look.atMs - before.atMs) / 1e3))
    })
  const processes = Object.keys(looks[0]?.cpuSeconds ?? {})
  const all: ReadonlyArray<Plot> = [
    ...ofLoad(load),
    {
      title: "Lag, ms",
      ...axis,
      series: [
        { label: "projections", values: ofLooks((look) => look.projectionLagMs) },
        { label: "relays", values: ofLooks((look) => look.relayLagMs) },
        { label: "consumers", values: ofLooks((look) => look.consumerLagMs) }
      ]
    },
    {
      title: "Reads, so far, %",
      ...axis,
      series: [
        { label: cacheNames.spared, values: soFar((some) => 100 * Measured.sparedShare(some)) },
        { label: cacheNames.found, values: soFar((some) => 100 * Measured.foundShare(some)) }
      ]
    },
    {
      title: "Commands a second, by runner",
      ...axis,
      series: bookingRunners.map((label) => ({ label, values: rates((look) => look.commands[label] ?? 0) }))
    },
    {
      title: "Cores, by process",
      ...axis,
      series: processes.map((label) => ({
        label,
        values: rates((look) => look.cpuSeconds[label] ?? Number.NaN)
      }))
    },
    {
      title: "Memory, MiB, by process",
      ...axis,
      series: processes.map((label) => ({
        label,
        values: ofLooks((look) => look.memoryMiB[label] ?? Number.NaN)
      }))
    },
    {
      title: "Commands that wait",
      ...axis,
      series: [{ label: "waiting", values: ofLooks((look) => look.waitingCommands) }]
    }
  ]
  return all.filter(({ series }) => series.some(({ values }) => values.some((value) => value !== null)))
}

/** By the number of booking runners. */
export const ofSteps = (steps: ReadonlyArray<Step>): ReadonlyArray<Plot> => {
  const axis = { along: "booking runners", x: steps.map(({ runners }) => runners) }
  return [
    {
      title: "Requests a second",
      ...axis,
      series: [
        { label: "carried", values: steps.map(({ requestsPerSecond }) => known(requestsPerSecond)) },
        {
          label: "a core",
          values: steps.map(({ cores, requestsPerSecond }) => known(requestsPerSecond / cores))
        }
      ]
    },
    { title: "Cores", ...axis, series: [{ label: "cores", values: steps.map(({ cores }) => known(cores)) }] }
  ]
}
