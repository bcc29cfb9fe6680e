/**
 * What a hold costs in events of different sizes that are free, half taken and nearly sold out: it must
 * not grow. Few connections hold a pair of seats and give it back, so that an event stays as full as it is.
 */
import { Effect } from "effect"
import type { Contender } from "./contenders/Contender.ts"
import { Plan, randomAt } from "./load/Traffic.ts"
import { type Bench, measure } from "./Rounds.ts"
import { markdown, spread } from "./Table.ts"

const sizes = [1_000, 10_000, 100_000] as const
const fills = [0, 0.5, 0.95] as const
/** Of 1,000 seats at 95% there are 25 free pairs, and each connection needs one of its own. */
const connections = 16
const seatsAFill = 100
const fillLimitSeconds = 120
/** Nine cells are compared within a fifth of each other: more and shorter rounds, that noise hits alike. */
const manyMore = 4
/** What any of them may cost, as a multiple of the first. */
const limit = 1.2

export const about = `what a hold and its release cost in events of different size and fill; ${connections} connections`

/** Pairs of neighbours in an order that depends on the seed alone, as seats one after another. */
const shuffledPairs = (seats: number, seed: number): Int32Array<ArrayBuffer> => {
  const order = Int32Array.from({ length: seats >> 1 }, (_, pair) => pair)
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(randomAt(seed, i) * (i + 1))
    const held = order[i]!
    order[i] = order[j]!
    order[j] = held
  }
  return Int32Array.from({ length: order.length * 2 }, (_, i) => 2 * order[i >> 1]! + (i & 1))
}

interface Cell {
  readonly seats: number
  readonly taken: number
  readonly plan: Plan
}

export interface SizeRow {
  readonly seats: number
  readonly taken: number
  readonly rounds: ReadonlyArray<{
    readonly holdsPerSecond: number
    readonly p50: number
    readonly p99: number
    readonly serverCpu: number
    readonly postgresCpu: number
    readonly other: number
    readonly refused: number
  }>
}

const makeCell = Effect.fnUntraced(function* (
  bench: Bench,
  contender: Contender,
  seats: number,
  taken: number
) {
  const { eventId } = yield* contender.open(seats, 0)
  const order = shuffledPairs(seats, seats)
  // Whole hundreds are taken in one hold each, the rest in one smaller.
  const takenSeats = 2 * Math.round((seats * taken) / 2)
  if (takenSeats > 0) {
    const report = yield* bench.load.run({
      host: contender.host,
      port: contender.port,
      connections: 8,
      seconds: fillLimitSeconds,
      plan: Plan.cases.Fill.make({
        eventId,
        host: contender.host,
        seats: order.slice(0, takenSeats),
        aHold: seatsAFill
      })
    })
    if (report.wins.seats.length !== takenSeats)
      return yield* Effect.die(
        new Error(`only ${report.wins.seats.length} of ${takenSeats} seats were taken`)
      )
  }
  const cell: Cell = {
    seats,
    taken,
    plan: Plan.cases.Cycles.make({
      eventId,
      host: contender.host,
      free: order.slice(takenSeats),
      connections
    })
  }
  return cell
})

/** Rounds over all sizes and fills in turn, on one running contender. */
export const run = Effect.fn("SizesBench.run")(function* (
  bench: Bench,
  contender: Contender,
  benchRounds: number,
  benchSeconds: number
) {
  const rounds = benchRounds * manyMore
  const seconds = benchSeconds / manyMore
  const cells: Array<Cell> = []
  for (const seats of sizes)
    for (const taken of fills) cells.push(yield* makeCell(bench, contender, seats, taken))
  const once = Effect.fnUntraced(function* (cell: Cell) {
    const { report, ...cost } = yield* measure(
      bench,
      contender.pid,
      bench.load.run({ host: contender.host, port: contender.port, connections, seconds, plan: cell.plan })
    )
    const { p50, p99 } = report.latency
    return {
      holdsPerSecond: report.won / report.seconds,
      p50,
      p99,
      serverCpu: cost.serverCpu,
      postgresCpu: cost.postgresCpu,
      other: report.other,
      refused: report.refused
    }
  })
  // The first seconds of a process are its compiler's.
  for (const cell of cells) yield* once(cell)
  const taken: Array<Array<SizeRow["rounds"][number]>> = cells.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < cells.length; i++) {
      const at = (i + round) % cells.length
      taken[at]!.push(yield* once(cells[at]!))
    }
  return cells.map((cell, i): SizeRow => ({ seats: cell.seats, taken: cell.taken, rounds: taken[i]! }))
})

/** How the server's CPU a hold compares with the first row's, round by round. */
const growth = (row: SizeRow, first: SizeRow): ReadonlyArray<number> =>
  row.rounds.map(({ serverCpu }, i) => serverCpu / (first.rounds[i]?.serverCpu ?? Number.NaN))

export const table = (rows: ReadonlyArray<SizeRow>): string => {
  const [first] = rows
  return markdown(
    [
      "seats",
      "taken",
      "holds/s",
      "p50 ms",
      "p99 ms",
      "server CPU µs",
      "Postgres CPU µs",
      "refused",
      "other",
      "CPU ÷ first"
    ],
    rows.map((row) => {
      const show = (pick: (r: SizeRow["rounds"][number]) => number, digits = 0) =>
        spread(row.rounds.map(pick), digits)
      return [
        String(row.seats),
        `${Math.round(row.taken * 100)}%`,
        show((r) => r.holdsPerSecond),
        show((r) => r.p50, 2),
        show((r) => r.p99, 2),
        show((r) => r.serverCpu),
        show((r) => r.postgresCpu),
        show((r) => r.refused),
        show((r) => r.other),
        first === undefined ? "" : spread(growth(row, first), 2)
      ]
    })
  )
}

/** Whether the largest of the medians of growth is within the limit. */
export const verdict = (rows: ReadonlyArray<SizeRow>): string => {
  const [first] = rows
  if (first === undefined) return "no level of ours was asked for"
  const worst = Math.max(
    ...rows.map((row) => {
      const sorted = [...growth(row, first)].sort((a, b) => a - b)
      return sorted[sorted.length >> 1] ?? Number.NaN
    })
  )
  return `the dearest hold costs ${worst.toFixed(2)} of the first row's (at most ${limit}): ${worst <= limit ? "does not grow" : "GROWS"}`
}
