/** How busy the threads are that draw documents and sign passes, and how long that takes. */
import * as ReadMetrics from "@onsale/platform/ReadMetrics"
import { Effect, Exit, Metric, type Scope } from "effect"

const threads = Metric.gauge("onsale_press_threads", { description: "Threads that may draw tickets" })
const working = Metric.gauge("onsale_press_working", {
  description: "Documents and passes that are made now, each in a thread"
})
const waiting = Metric.gauge("onsale_press_waiting", {
  description: "Documents and passes that wait for a thread"
})
/** A page takes some milliseconds, a document of a thousand tickets some seconds. */
const duration = Metric.histogram("onsale_press_duration_ms", {
  description: "From a document or pass being given to a thread to its bytes, milliseconds, by outcome",
  boundaries: [5, 10, 25, 50, 100, 250, 1_000, 5_000, 30_000, 90_000]
})

/** What is going on, whenever somebody asks. */
export interface PressUse {
  readonly threads: number
  readonly working: () => number
  readonly waiting: () => number
}

/** Shows it while the scope is open; what is returned measures the making of one document or pass. */
export const make = Effect.fnUntraced(function* (
  use: PressUse
): Effect.fn.Return<<A, E>(making: Effect.Effect<A, E>) => Effect.Effect<A, E>, never, Scope.Scope> {
  yield* ReadMetrics.gauge(threads, () => use.threads)
  yield* ReadMetrics.gauge(working, use.working)
  yield* ReadMetrics.gauge(waiting, use.waiting)
  return (making) =>
    Effect.suspend(() => {
      const begunMs = performance.now()
      return Effect.onExit(making, (exit) =>
        Metric.update(
          Metric.withAttributes(duration, { outcome: Exit.isSuccess(exit) ? "made" : "failed" }),
          performance.now() - begunMs
        )
      )
    })
})
