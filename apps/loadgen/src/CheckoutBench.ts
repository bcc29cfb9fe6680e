/**
 * `npm run bench -- checkout`: orders for holds of two seats each, with a payment that is authorised and captured at the
 * sandbox provider (a process of its own, with a durable ledger), from the request to the answer with its tickets.
 */
import { Console, Effect, FileSystem, Option } from "effect"
import * as BigEvent from "./BigEvent.ts"
import { familySeconds, mainThreadSeconds } from "./Costs.ts"
import * as LoadProcess from "./LoadProcess.ts"
import * as PostgresServer from "./PostgresServer.ts"
import * as ServiceProcess from "./ServiceProcess.ts"
import { markdown, spread } from "./Table.ts"

export interface CheckoutOptions {
  /** Orders in flight. */
  readonly connections: number
  readonly seconds: number
  readonly rounds: number
}

const organiserKey = "bench-key"
/** More than any machine buys in a second. */
const mostASecond = 500
const warmUpSeconds = 15

interface Round {
  readonly bought: number
  readonly other: number
  readonly checkoutsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  /** Milliseconds of CPU a checkout. */
  readonly serverCpu: number
  /** Of it in the thread that answers; the rest is mostly the drawing of tickets, at a lower priority. */
  readonly answeringCpu: number
  readonly sandboxCpu: number
  readonly postgresCpu: number
  /** Rows of the journals a checkout: each is one transaction. */
  readonly bookingRows: number
  readonly paymentRows: number
  readonly inventoryRows: number
  readonly clientCores: number
}

export const run = Effect.fn("CheckoutBench.run")(function* (options: CheckoutOptions) {
  const fs = yield* FileSystem.FileSystem
  const postgres = yield* PostgresServer.make(Option.none())
  const load = yield* LoadProcess.start()
  const url = yield* postgres.database("checkout")
  const service = yield* ServiceProcess.start("apps/onsale/src/main.ts", ["start"], {
    PORT: "0",
    ONSALE_DATA_DIR: yield* fs.makeTempDirectoryScoped({ prefix: "onsale-bench-" }),
    ONSALE_DATABASE_URL: url,
    ONSALE_DEMO: "false",
    ONSALE_ORGANISER_KEY: organiserKey
  })

  const rowsOf = postgres.query(url, async (sql) => {
    const [rows] = await sql<Array<{ booking: number; payments: number; inventory: number }>>`SELECT
      (SELECT count(*) FROM booking.journal)::int AS booking,
      (SELECT count(*) FROM payments.journal)::int AS payments,
      (SELECT count(*) FROM inventory.journal)::int AS inventory`
    return rows ?? { booking: Number.NaN, payments: Number.NaN, inventory: Number.NaN }
  })
  const costs = Effect.gen(function* () {
    const server = (yield* ServiceProcess.cpuSeconds(service.pid)) ?? Number.NaN
    return {
      server,
      answering: yield* mainThreadSeconds(service.pid),
      // The only process that it has started.
      sandbox: (yield* familySeconds(service.pid)) - server,
      postgres: postgres.pid === undefined ? Number.NaN : yield* familySeconds(postgres.pid)
    }
  })
  const { host, port } = service
  const drive = { host, port, connections: options.connections }

  const round = Effect.fnUntraced(function* (seconds: number) {
    const seats = 2 * mostASecond * seconds
    const eventId = yield* BigEvent.make(service, organiserKey, seats)
    const held = yield* load.run({ ...drive, seconds: 60, plan: { _tag: "Pairs", eventId, host, seats } })
    const rowsBefore = yield* rowsOf
    const before = yield* costs
    const report = yield* load.run({
      ...drive,
      seconds,
      plan: { _tag: "Buy", eventId, host, holds: held.wins.holds, method: "tok_ok" }
    })
    const after = yield* costs
    const rows = yield* rowsOf
    const each = (value: number) => value / Math.max(1, report.won)
    const figures: Round = {
      bought: report.won,
      other: report.other + report.refused,
      checkoutsPerSecond: report.won / report.seconds,
      ...report.latency,
      serverCpu: each((after.server - before.server) * 1e3),
      answeringCpu: each((after.answering - before.answering) * 1e3),
      sandboxCpu: each((after.sandbox - before.sandbox) * 1e3),
      postgresCpu: each((after.postgres - before.postgres) * 1e3),
      bookingRows: each(rows.booking - rowsBefore.booking),
      paymentRows: each(rows.payments - rowsBefore.payments),
      inventoryRows: each(rows.inventory - rowsBefore.inventory),
      clientCores: report.clientCores
    }
    return figures
  })

  // The first seconds of a process are its compiler's.
  yield* round(warmUpSeconds)
  const rounds: Array<Round> = []
  for (let i = 0; i < options.rounds; i++) {
    const figures = yield* round(options.seconds)
    rounds.push(figures)
    yield* Console.error(
      `round ${i + 1}: ${Math.round(figures.checkoutsPerSecond)} checkouts/s, p95 ${Math.round(figures.p95)} ms`
    )
  }
  const row = (name: string, pick: (figures: Round) => number, digits: number) => [
    name,
    spread(rounds.map(pick), digits)
  ]
  yield* Console.log(
    markdown(
      ["checkout, two seats", `median [least, most] of ${rounds.length} rounds`],
      [
        row("checkouts/s", (r) => r.checkoutsPerSecond, 0),
        row("checkouts/s a core of the thread that answers", (r) => 1e3 / r.answeringCpu, 0),
        row("p50 ms", (r) => r.p50, 1),
        row("p95 ms", (r) => r.p95, 1),
        row("p99 ms", (r) => r.p99, 1),
        row("bought", (r) => r.bought, 0),
        row("answered otherwise", (r) => r.other, 0),
        row("server CPU ms/checkout", (r) => r.serverCpu, 2),
        row("of it the thread that answers", (r) => r.answeringCpu, 2),
        row("Postgres CPU ms/checkout", (r) => r.postgresCpu, 2),
        row("sandbox CPU ms/checkout", (r) => r.sandboxCpu, 2),
        row("transactions of the order", (r) => r.bookingRows, 2),
        row("transactions of the payment", (r) => r.paymentRows, 2),
        row("batches of the inventory", (r) => r.inventoryRows, 2),
        row("cores of the load", (r) => r.clientCores, 2)
      ]
    )
  )
  yield* Console.log(
    "\nTransactions are rows of the journals; what follows them later (projections, mail) comes in batches, beside them."
  )
  return rounds
})
