/** One HTML file that needs nothing else: the table, and how rate, latency, lag and load went over time. */
import { Effect, FileSystem } from "effect"
import { createRequire } from "node:module"
import type { Measured } from "./Measured.ts"
import { type Objective, stated } from "./Objectives.ts"

export interface HtmlReportOptions {
  readonly title: string
  /** Of the machine, for people. */
  readonly machine: string
  readonly objectives: ReadonlyArray<Objective>
  readonly measured: Measured
  /** What the run printed below its table. */
  readonly details: string
}

interface Plot {
  readonly title: string
  readonly x: ReadonlyArray<number>
  readonly series: ReadonlyArray<{ readonly label: string; readonly values: ReadonlyArray<number | null> }>
}

const require = createRequire(import.meta.url)
const library = {
  script: require.resolve("uplot/dist/uPlot.iife.min.js"),
  style: require.resolve("uplot/dist/uPlot.min.css")
}
const colours = [
  "#1f77b4",
  "#d62728",
  "#2ca02c",
  "#ff7f0e",
  "#9467bd",
  "#8c564b",
  "#17becf",
  "#7f7f7f",
  "#bcbd22"
]

const style = `body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse } td, th { padding: .25rem .8rem; border-bottom: 1px solid #ddd; text-align: left }
.pass { color: #2a7a2a } .fail { color: #b00020; font-weight: 600 } pre { overflow-x: auto; background: #f6f6f6; padding: 1rem }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(30rem, 1fr)); gap: 1.5rem }`

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** JSON that may stand in a script. */
const inScript = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c")

/** JSON has no NaN. */
const known = (value: number): number | null => (Number.isFinite(value) ? value : null)

const plots = ({ bookingRunners, load, looks }: Measured): ReadonlyArray<Plot> => {
  const seconds = load.seconds.map(({ second }) => second)
  const begun = looks[0]?.atMs ?? 0
  const times = looks.map(({ atMs }) => Math.round((atMs - begun) / 100) / 10)
  const ofLooks = (pick: (look: (typeof looks)[number]) => number) => looks.map((look) => known(pick(look)))
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
    {
      title: "Answers a second",
      x: seconds,
      series: [
        { label: "answers", values: load.seconds.map(({ count }) => count) },
        { label: "errors", values: load.seconds.map(({ errors }) => errors) }
      ]
    },
    {
      title: "Latency from when a request was due, ms",
      x: seconds,
      series: (["p50", "p95", "p99"] as const).map((label) => ({
        label,
        values: load.seconds.map((second) => second[label])
      }))
    },
    {
      title: "Lag, ms",
      x: times,
      series: [
        { label: "projections", values: ofLooks((look) => look.projectionLagMs) },
        { label: "relays", values: ofLooks((look) => look.relayLagMs) },
        { label: "consumers", values: ofLooks((look) => look.consumerLagMs) }
      ]
    },
    {
      title: "Hit ratio of the cache so far, %",
      x: times,
      series: [
        {
          label: "hits",
          values: ofLooks((look) => (100 * look.cacheHits) / look.cacheReads)
        }
      ]
    },
    {
      title: "Commands a second, by runner",
      x: times,
      series: bookingRunners.map((label) => ({ label, values: rates((look) => look.commands[label] ?? 0) }))
    },
    {
      title: "Cores, by process",
      x: times,
      series: processes.map((label) => ({
        label,
        values: rates((look) => look.cpuSeconds[label] ?? Number.NaN)
      }))
    },
    {
      title: "Memory, MiB, by process",
      x: times,
      series: processes.map((label) => ({
        label,
        values: ofLooks((look) => look.memoryMiB[label] ?? Number.NaN)
      }))
    },
    {
      title: "Commands that wait",
      x: times,
      series: [{ label: "waiting", values: ofLooks((look) => look.waitingCommands) }]
    }
  ]
  return all.filter(({ series }) => series.some(({ values }) => values.some((value) => value !== null)))
}

const row = ({ measured, name, passed, target }: Objective): string =>
  `<tr><td>${escape(name)}</td><td>${escape(target)}</td><td>${escape(measured)}</td><td class="${passed === true || target === stated ? "pass" : "fail"}">${passed === undefined ? (target === stated ? "" : "not seen") : passed ? "pass" : "fail"}</td></tr>`

/** The page, with the plotting library in it. */
export const render = Effect.fn("HtmlReport.render")(function* (options: HtmlReportOptions) {
  const fs = yield* FileSystem.FileSystem
  const script = yield* fs.readFileString(library.script)
  const css = yield* fs.readFileString(library.style)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(options.title)}</title><style>${css}${style}</style></head>
<body><h1>${escape(options.title)}</h1><p>${escape(options.machine)}</p>
<table><tr><th>objective</th><th>target</th><th>measured</th><th></th></tr>${options.objectives.map(row).join("\n")}</table>
<div class="plots" id="plots"></div><pre>${escape(options.details)}</pre>
<script>${script}</script>
<script>
const colours = ${inScript(colours)}
for (const { title, x, series } of ${inScript(plots(options.measured))})
  new uPlot({ title, width: 560, height: 260, scales: { x: { time: false } },
    series: [{ label: "s" }, ...series.map(({ label }, i) => ({ label, stroke: colours[i % colours.length], width: 1.5 }))] },
    [x, ...series.map(({ values }) => values)], document.getElementById("plots"))
</script></body></html>
`
})
