/** One round: a contender, a workload, what came of it and what it cost. */
import { Effect } from "effect"
import * as Checker from "./Checker.ts"
import type { Contender, OnSale } from "./contenders/Contender.ts"
import { familySeconds } from "./Costs.ts"
import type { LoadReport } from "./load/Load.ts"
import type { LoadProcess } from "./LoadProcess.ts"
import type { PostgresServer } from "./PostgresServer.ts"
import { cpuSeconds } from "./ServiceProcess.ts"
import { endless, type Workload } from "./Workloads.ts"

/** What rounds are taken with. */
export interface Bench {
  readonly load: LoadProcess
  readonly connections: number
  readonly postgres: PostgresServer
  /** Where there is one and it is on this machine. */
  readonly redisPid: number | undefined
}

export interface Figures {
  readonly winsPerSecond: number
  readonly refusalsPerSecond: number
  readonly won: number
  readonly refused: number
  readonly other: number
  readonly seconds: number
  /** Milliseconds, of answers that were won. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  /** Microseconds a winning hold, refusals and all; NaN where it cannot be read. */
  readonly serverCpu: number
  readonly postgresCpu: number
  readonly redisCpu: number
  /** Of Postgres, a winning hold; NaN where it was not counted. */
  readonly transactions: number
  /** Cores. */
  readonly clientCores: number
  readonly ranDry: boolean
  readonly findings: Checker.Findings | undefined
}

/** CPU seconds of the server, of Postgres and of Redis. */
const costs = Effect.fnUntraced(function* (bench: Bench, pid: number) {
  return {
    server: (yield* cpuSeconds(pid)) ?? Number.NaN,
    postgres: bench.postgres.pid === undefined ? Number.NaN : yield* familySeconds(bench.postgres.pid),
    redis: bench.redisPid === undefined ? Number.NaN : ((yield* cpuSeconds(bench.redisPid)) ?? Number.NaN)
  }
})

/** Runs a job and measures what it costs the server and the stores. */
export const measure = Effect.fnUntraced(function* (
  bench: Bench,
  pid: number,
  run: Effect.Effect<LoadReport>
) {
  const before = yield* costs(bench, pid)
  const report = yield* run
  const after = yield* costs(bench, pid)
  const a = (seconds: number) => (seconds * 1e6) / Math.max(1, report.won)
  return {
    report,
    serverCpu: a(after.server - before.server),
    postgresCpu: a(after.postgres - before.postgres),
    redisCpu: a(after.redis - before.redis)
  }
})

const check = Effect.fnUntraced(function* (onSale: OnSale, workload: Workload, { wins }: LoadReport) {
  if (workload.quantity > 0) {
    const stored = yield* onSale.placeClaims
    // Where the database cannot be read, the answers alone are checked.
    return Checker.places(
      wins.holds,
      workload.quantity,
      workload.capacity,
      stored ?? wins.holds.map((hold) => ({ hold, quantity: workload.quantity }))
    )
  }
  const stored = yield* onSale.seatClaims
  return stored === undefined
    ? Checker.answersOnly(wins.holds, wins.seats)
    : Checker.seats(wins.holds, wins.seats, stored)
})

/**
 * Puts an event on sale, runs the load, lets the contender rest, checks what it sold. `number` is from 0.
 * Counting transactions takes 11 s where the contender stays connected.
 */
export const round = Effect.fn("Rounds.round")(function* (
  bench: Bench,
  contender: Contender,
  workload: Workload,
  number: number,
  countTransactions: boolean
) {
  const { database, kind } = contender
  const transactions =
    countTransactions && database !== undefined && kind !== "limit"
      ? bench.postgres.transactions(database)
      : Effect.succeed(Number.NaN)
  const before = yield* transactions
  const onSale = yield* contender.open(workload.seats, workload.capacity)
  const { report, ...cost } = yield* measure(
    bench,
    contender.pid,
    bench.load.run({
      host: contender.host,
      port: contender.port,
      connections: bench.connections,
      seconds: workload.seconds,
      plan: workload.plan(onSale.eventId, contender.host, kind === "limit" ? endless : workload.seats, number)
    })
  )
  yield* contender.rest
  const after = yield* transactions
  const figures: Figures = {
    winsPerSecond: report.won / report.seconds,
    refusalsPerSecond: report.refused / report.seconds,
    won: report.won,
    refused: report.refused,
    other: report.other,
    seconds: report.seconds,
    ...report.latency,
    ...cost,
    transactions: (after - before) / Math.max(1, report.won),
    clientCores: report.clientCores,
    ranDry: report.ranDry,
    findings: kind === "limit" ? undefined : yield* check(onSale, workload, report)
  }
  return figures
})
