/** Runs the open loop over threads and puts together what they saw. */
import { Effect, Schema } from "effect"
import { Worker } from "node:worker_threads"
import type { Assignment, RequestKind, Second, WorkerReport } from "./Assignment.ts"
import { requestKinds } from "./Assignment.ts"
import { nowMs } from "./Client.ts"
import * as Latencies from "./Latencies.ts"
import * as SeatLedger from "./SeatLedger.ts"

export class LoadFailed extends Schema.TaggedError<LoadFailed>()("LoadFailed", { message: Schema.String }) {}

export interface OpenLoopOptions extends Omit<Assignment, "beginMs"> {
  readonly workers: number
}

/** Milliseconds. */
export interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

export interface LoadResult {
  readonly due: number
  readonly answeredPerSecond: number
  /** From 0 to 1. */
  readonly errorShare: number
  readonly readShare: number
  /** Of requests that this side sent late; above 0.01 the figures are also its own. */
  readonly lateShare: number
  readonly worstLagMs: number
  readonly all: Quantiles
  readonly kinds: Readonly<Record<RequestKind, Quantiles>>
  readonly statuses: Readonly<Record<string, number>>
  readonly orders: Readonly<Record<string, number>>
  readonly wrong: number
  readonly examples: ReadonlyArray<string>
  /** Seats that two buyers were told are theirs at a time. */
  readonly soldTwice: ReadonlyArray<string>
  readonly seatsBought: number
  readonly flash: {
    readonly held: Quantiles
    readonly bought: Quantiles
    readonly refused: Quantiles
    /** Of those who were told that there is none, the slowest; milliseconds. */
    readonly slowestRefusalMs: number
    readonly unanswered: number
  }
  /** By the second of the answer, from the beginning of the warm-up. */
  readonly seconds: ReadonlyArray<Quantiles & { readonly second: number; readonly errors: number }>
}

/** All threads are up by then. */
const headStartMs = 1_000

const quantiles = (of: Latencies.Latencies): Quantiles => ({
  count: of.count(),
  p50: of.percentile(50),
  p95: of.percentile(95),
  p99: of.percentile(99)
})

const merged = (all: ReadonlyArray<string>): Latencies.Latencies => {
  const sum = Latencies.make()
  for (const one of all) sum.add(one)
  return sum
}

/** A thread, ended with the scope; `take` gets what it tells. Done with its first message that `take` answers. */
const thread = <A>(script: string, data: unknown, take: (message: unknown) => A | undefined) =>
  Effect.gen(function* () {
    const worker = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Worker(new URL(script, import.meta.url), {
            workerData: data,
            resourceLimits: { maxYoungGenerationSizeMb: 64 }
          })
      ),
      (worker) => Effect.promise(() => worker.terminate())
    )
    return yield* Effect.callback<A, LoadFailed>((resume) => {
      worker.on("message", (message: unknown) => {
        const result = take(message)
        if (result !== undefined) resume(Effect.succeed(result))
      })
      worker.on("error", (cause: Error) =>
        resume(Effect.fail(new LoadFailed({ message: `${script}: ${cause.stack ?? cause.message}` })))
      )
      worker.on("exit", (code) =>
        resume(Effect.fail(new LoadFailed({ message: `${script} ended with ${code}` })))
      )
    })
  })

const sumOf = (reports: ReadonlyArray<WorkerReport>, pick: (report: WorkerReport) => number) =>
  reports.reduce((sum, report) => sum + pick(report), 0)

const counted = (all: ReadonlyArray<Readonly<Record<string, number>>>) => {
  const sums: Record<string, number> = {}
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
  return sums
}

const together = (
  reports: ReadonlyArray<WorkerReport>,
  seconds: ReadonlyArray<Second>,
  lengthSeconds: number
): LoadResult => {
  const kinds = Object.fromEntries(
    requestKinds.map((kind) => [kind, quantiles(merged(reports.map(({ latencies }) => latencies[kind])))])
  ) as Record<RequestKind, Quantiles>
  const due = sumOf(reports, (report) => report.due)
  const told = reports.flatMap((report) => report.told)
  const share = (count: number) => (due === 0 ? 0 : count / due)
  const bySecond = Map.groupBy(seconds, ({ second }) => second)
  const refused = merged(reports.map(({ flash }) => flash.refused))
  return {
    due,
    answeredPerSecond: sumOf(reports, ({ answered }) => answered) / lengthSeconds,
    errorShare: share(sumOf(reports, ({ errors }) => errors)),
    readShare: share(sumOf(reports, ({ reads }) => reads)),
    lateShare: share(sumOf(reports, ({ late }) => late)),
    worstLagMs: Math.max(0, ...reports.map(({ worstLagMs }) => worstLagMs)),
    all: quantiles(merged(reports.flatMap(({ latencies }) => Object.values(latencies)))),
    kinds,
    statuses: counted(reports.map(({ statuses }) => statuses)),
    orders: counted(reports.map(({ orders }) => orders)),
    wrong: sumOf(reports, ({ wrong }) => wrong),
    examples: reports.flatMap(({ examples }) => examples),
    soldTwice: SeatLedger.soldTwice(told),
    seatsBought: told.reduce(
      (sum, { seats, untilMs }) => (untilMs === Infinity ? sum + seats.length : sum),
      0
    ),
    flash: {
      held: quantiles(merged(reports.map(({ flash }) => flash.held))),
      bought: quantiles(merged(reports.map(({ flash }) => flash.bought))),
      refused: quantiles(refused),
      slowestRefusalMs: refused.percentile(100),
      unanswered: sumOf(reports, ({ flash }) => flash.unanswered)
    },
    seconds: [...bySecond.entries()]
      .sort(([a], [b]) => a - b)
      .map(([second, all]) => ({
        second,
        errors: all.reduce((sum, { errors }) => sum + errors, 0),
        ...quantiles(merged(all.map(({ latencies }) => latencies)))
      }))
  }
}

/** Fails where a thread does. */
export const run = Effect.fn("OpenLoop.run")(function* ({ workers, ...options }: OpenLoopOptions) {
  const beginMs = nowMs() + headStartMs
  const seconds: Array<Second> = []
  const part = <A extends Assignment["load"]>(load: A, worker: number): Assignment["load"] =>
    load.type === "mix"
      ? { ...load, requestsPerSecond: load.requestsPerSecond / workers }
      : load.type === "flash"
        ? { ...load, buyers: Math.floor(load.buyers / workers) + (worker < load.buyers % workers ? 1 : 0) }
        : load
  const reports = yield* Effect.forEach(
    Array.from({ length: workers }, (_, worker) => worker),
    (worker) => {
      const assignment: Assignment = {
        ...options,
        beginMs,
        connections: Math.ceil(options.connections / workers),
        seed: options.seed * 1_000 + worker,
        load: part(options.load, worker)
      }
      return thread("./OpenWorker.ts", assignment, (message) => {
        const said = message as Second | WorkerReport
        if (said.type === "report") return said
        seconds.push(said)
        return undefined
      })
    },
    { concurrency: "unbounded" }
  )
  return together(reports, seconds, options.seconds)
}, Effect.scoped)

/** Requests a second that this side can do, against a server that does nothing; it shares the cores with it. */
export const ceiling = Effect.fn("OpenLoop.ceiling")(function* (workers: number, seconds: number) {
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => new Worker(new URL("./ConstantServer.ts", import.meta.url))),
    (worker) => Effect.promise(() => worker.terminate())
  )
  const port = yield* Effect.callback<number, LoadFailed>((resume) => {
    server.once("message", (port: number) => resume(Effect.succeed(port)))
    server.once("error", (cause: Error) => resume(Effect.fail(new LoadFailed({ message: cause.message }))))
  })
  const { answeredPerSecond } = yield* run({
    host: "127.0.0.1",
    ports: [port],
    connections: 64,
    workers,
    seed: 1,
    events: [],
    warmUpSeconds: 0.5,
    seconds,
    load: { type: "ceiling" }
  })
  return answeredPerSecond
}, Effect.scoped)
