/** Rate, errors and durations of RPC calls, by their names; how long a stream lasts is not told. */
import * as DurationSeries from "@onsale/platform/DurationSeries"
import { Cause, Effect, Exit, Metric, Option, Predicate } from "effect"
import { boundaries } from "../HttpMetrics.ts"

const family: DurationSeries.Family = {
  count: {
    name: "onsale_rpc_calls_total",
    description: "Calls over RPC, by name and how they ended: ok, or the tag of their error"
  },
  duration: { name: "onsale_rpc_call_duration_seconds", description: "Of calls over RPC, by name" },
  boundaries
}

/** "died" is a defect of ours, "interrupted" a client who left. */
const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "ok"
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  if (Predicate.hasProperty(error, "_tag")) return String(error._tag)
  return Cause.hasDies(exit.cause) ? "died" : "interrupted"
}

/** Counts a call when it ends. Names and errors are those of the contract, so they are few. */
export const make = Effect.gen(function* () {
  const context = yield* Effect.context<never>()
  const series = DurationSeries.make(context, yield* Metric.MetricRegistry, family)
  yield* Effect.addFinalizer(() => Effect.sync(series.remove))
  const counters = new Map<string, { value: number }>()
  const durations = new Map<string, (seconds: number, traceId: string | undefined) => void>()

  const count = (rpc: string, outcome: string): void => {
    const key = `${rpc} ${outcome}`
    let counter = counters.get(key)
    if (counter === undefined) counters.set(key, (counter = series.counter({ rpc, outcome })))
    counter.value++
  }
  const took = (rpc: string, seconds: number): void => {
    let record = durations.get(rpc)
    if (record === undefined) durations.set(rpc, (record = series.histogram({ rpc })))
    record(seconds, undefined)
  }

  return <A, E, R>(rpc: string, lasts: boolean, call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const startedMs = performance.now()
      return Effect.onExit(call, (exit) =>
        Effect.sync(() => {
          count(rpc, outcomeOf(exit))
          if (!lasts) took(rpc, (performance.now() - startedMs) / 1e3)
        })
      )
    })
})
