/** One HTML file that needs nothing else: the table, and how rate, latency, lag and load went over time. */
import { Effect, FileSystem } from "effect"
import { createRequire } from "node:module"
import { type Objective, stated } from "./Objectives.ts"
import type { Plot } from "./Plots.ts"

export interface HtmlReportOptions {
  readonly title: string
  /** Of the machine, for people. */
  readonly machine: string
  readonly objectives: ReadonlyArray<Objective>
  readonly plots: ReadonlyArray<Plot>
  /** What the run printed below its table. */
  readonly details: string
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

const row = ({ measured, name, passed, target }: Objective): string =>
  `<tr><td>${escape(name)}</td><td>${escape(target)}</td><td>${escape(measured)}</td><td class="${passed === true || target === stated ? "pass" : "fail"}">${passed === undefined ? (target === stated ? "" : "not seen") : passed ? "pass" : "fail"}</td></tr>`

const table = (objectives: ReadonlyArray<Objective>): string =>
  objectives.length === 0
    ? ""
    : `<table><tr><th>objective</th><th>target</th><th>measured</th><th></th></tr>${objectives.map(row).join("\n")}</table>`

/** The page, with the plotting library in it. */
export const render = Effect.fn("HtmlReport.render")(function* (options: HtmlReportOptions) {
  const fs = yield* FileSystem.FileSystem
  const script = yield* fs.readFileString(library.script)
  const css = yield* fs.readFileString(library.style)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(options.title)}</title><style>${css}${style}</style></head>
<body><h1>${escape(options.title)}</h1><p>${escape(options.machine)}</p>
${table(options.objectives)}
<div class="plots" id="plots"></div><pre>${escape(options.details)}</pre>
<script>${script}</script>
<script>
const colours = ${inScript(colours)}
for (const { title, along, x, series } of ${inScript(options.plots)})
  new uPlot({ title, width: 560, height: 260, scales: { x: { time: false } },
    series: [{ label: along }, ...series.map(({ label }, i) => ({ label, stroke: colours[i % colours.length], width: 1.5 }))] },
    [x, ...series.map(({ values }) => values)], document.getElementById("plots"))
</script></body></html>
`
})
