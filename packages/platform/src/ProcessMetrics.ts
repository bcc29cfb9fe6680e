/**
 * What the process itself uses, by the names that Prometheus' clients have for it, and how long its one thread keeps
 * others waiting. All of it is read when somebody asks.
 */
import { Effect, Layer, Metric } from "effect"
import { monitorEventLoopDelay, performance } from "node:perf_hooks"
import * as ReadMetrics from "./ReadMetrics.ts"

/** How long a look at the event loop lasts; a scrape sees the last whole one, whoever else scrapes. */
const lookEveryMs = 10_000
const resolutionMs = 10

const gauges = (lag: (quantile: number) => number, utilization: () => number) =>
  [
    ["process_resident_memory_bytes", "Memory that the process has in use", () => process.memoryUsage.rss()],
    ["process_start_time_seconds", "When the process started", () => performance.timeOrigin / 1e3],
    [
      "nodejs_heap_size_used_bytes",
      "Of the heap of JavaScript, what is used",
      () => process.memoryUsage().heapUsed
    ],
    ["nodejs_external_memory_bytes", "Memory of buffers and the like", () => process.memoryUsage().external],
    ["onsale_event_loop_utilization", "Share of the last seconds in which the thread worked", utilization],
    [
      "onsale_event_loop_lag_seconds",
      "By how much timers were late, of the last seconds",
      () => lag(50),
      "0.5"
    ],
    [
      "onsale_event_loop_lag_seconds",
      "By how much timers were late, of the last seconds",
      () => lag(99),
      "0.99"
    ],
    [
      "onsale_event_loop_lag_seconds",
      "By how much timers were late, of the last seconds",
      () => lag(100),
      "1"
    ]
  ] as const

const cpu = Metric.counter("process_cpu_seconds_total", {
  description: "Seconds of CPU, of the program and of the system for it",
  incremental: true
})

const cpuSeconds = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1e6
}

/** Shown for as long as the layer lives. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const delay = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
        histogram.enable()
        return histogram
      }),
      (histogram) => Effect.sync(() => histogram.disable())
    )
    const lags = new Map<number, number>()
    let before = performance.eventLoopUtilization()
    let utilization = 0
    const look = Effect.sync(() => {
      for (const quantile of [50, 99, 100])
        lags.set(quantile, Math.max(0, delay.percentile(quantile) / 1e9 - resolutionMs / 1e3))
      delay.reset()
      const now = performance.eventLoopUtilization()
      utilization = performance.eventLoopUtilization(now, before).utilization
      before = now
    })
    for (const [name, description, value, quantile] of gauges(
      (quantile) => lags.get(quantile) ?? 0,
      () => utilization
    )) {
      const metric = Metric.gauge(name, { description })
      yield* ReadMetrics.gauge(
        quantile === undefined ? metric : Metric.withAttributes(metric, { quantile }),
        value
      )
    }
    yield* ReadMetrics.counter(cpu, cpuSeconds)
    yield* look.pipe(Effect.delay(lookEveryMs), Effect.forever, Effect.forkScoped)
  })
)
