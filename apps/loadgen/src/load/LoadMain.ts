/** The process that makes the load, so that what it costs can be told from what it measures. */
import { Effect, Schema } from "effect"
import * as ClosedLoop from "../ClosedLoop.ts"
import { Job, LoadReady, type LoadReport } from "./Load.ts"
import * as Traffic from "./Traffic.ts"

const run = Effect.fnUntraced(function* (message: unknown) {
  const { plan, ...job } = yield* Schema.decodeUnknownEffect(Job)(message)
  const traffic = Traffic.make(plan)
  const right = plan._tag === "Read" ? plan.status : 201
  const before = process.cpuUsage()
  const result = yield* ClosedLoop.run({ ...job, ...traffic, keepBodies: plan._tag !== "Read" })
  const used = process.cpuUsage(before)
  const count = (status: number) => result.byStatus.get(status) ?? 0
  const answered = Array.from(result.byStatus.values()).reduce((sum, n) => sum + n, 0)
  const latencies = result.latencies.get(right) ?? new Float64Array()
  const report: LoadReport = {
    seconds: result.seconds,
    won: count(right),
    refused: count(409),
    released: count(204),
    other: answered - count(right) - count(409) - count(204) + result.broken,
    latency: {
      p50: ClosedLoop.quantile(latencies, 0.5),
      p95: ClosedLoop.quantile(latencies, 0.95),
      p99: ClosedLoop.quantile(latencies, 0.99)
    },
    ranDry: result.ranDry,
    clientCores: (used.user + used.system) / 1e6 / result.seconds,
    wins: { holds: traffic.wins.holds, seats: Int32Array.from(traffic.wins.seats) }
  }
  return report
})

process.on("disconnect", () => process.exit(0))
process.on("message", (message) => {
  // What dies ends the process, and the benchmark says so.
  void Effect.runPromise(run(message)).then((report) => process.send?.(report))
})
process.send?.(LoadReady.make({}))
