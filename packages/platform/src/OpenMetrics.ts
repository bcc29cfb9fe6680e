/**
 * Metrics as OpenMetrics 1.0: Prometheus' text, and the exemplars of histograms that it has no place for. Names are the
 * same in both. A counter whose name does not end in `_total` may not be called one here, and is of an unknown type.
 */
import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import * as DurationSeries from "./DurationSeries.ts"

export const contentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

/** Prometheus asks for it first of all, where it can take it. */
export const isWanted = (accept: string | undefined): boolean =>
  accept !== undefined && /application\/openmetrics-text(?![^,]*;\s*q=0(\.0*)?\s*(,|$))/.test(accept)

const total = "_total"

const familyLine = (line: string): string => {
  const [, word = "", name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
  // Of a counter the family's name is without what its sample's ends in.
  const family = name.endsWith(total) ? name.slice(0, -total.length) : name
  // OpenMetrics escapes quotes too.
  if (word === "HELP") return `# HELP ${family} ${rest.replaceAll('"', '\\"')}`
  return `# TYPE ${family} ${rest === "counter" && family === name ? "unknown" : rest}`
}

/** Lines of buckets, as Prometheus' text has them, with their exemplars. */
const withExemplars = (registry: Metric.MetricRegistry, snapshot: ReadonlyArray<Metric.Metric.Snapshot>) => {
  const found = new Map<string, DurationSeries.Exemplar>()
  for (const metric of snapshot) {
    if (metric.type !== "Histogram") continue
    const labels = metric.attributes ?? {}
    const text = Object.entries(labels)
      .map(([name, value]) => `${name}="${value}",`)
      .join("")
    DurationSeries.exemplars(registry, metric.id, labels).forEach((exemplar, i) => {
      if (exemplar === undefined) return
      const le = metric.state.buckets[i]?.[0] ?? "+Inf"
      found.set(`${metric.id}_bucket{${text}le="${le}"} `, exemplar)
    })
  }
  return (line: string): string => {
    const exemplar = found.get(line.slice(0, line.lastIndexOf(" ") + 1))
    return exemplar === undefined
      ? line
      : `${line} # {trace_id="${exemplar.traceId}"} ${exemplar.value} ${(exemplar.atMs / 1e3).toFixed(3)}`
  }
}

/** All metrics of the registry. */
export const format: Effect.Effect<string> = Effect.gen(function* () {
  const text = yield* PrometheusMetrics.format()
  const line = withExemplars(yield* Metric.MetricRegistry, yield* Metric.snapshot)
  const lines = text.split("\n").filter((one) => one !== "")
  return [...lines.map((one) => (one.startsWith("#") ? familyLine(one) : line(one))), "# EOF", ""].join("\n")
})
