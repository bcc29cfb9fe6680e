/**
 * `npm run bench -- notifications`: mails with their tickets, from the fact in the journal to the mail server.
 *
 * Three things are measured, each on a runner of its own: a backlog (how many a second, and what one costs), a steady
 * sale (how long after its fact a mail is there), and a sale while the first of two mail servers fails half of the time.
 */
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import * as Migrations from "@onsale/platform/Migrations"
import * as Sql from "@onsale/platform/Sql"
import { Clock, Console, Duration, Effect, FileSystem, Option, type Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { SqlClient } from "effect/sql"
import * as MailRunner from "./mails/MailRunner.ts"
import * as MailSale from "./mails/MailSale.ts"
import { pollUntil } from "./Poll.ts"
import * as ScratchPostgres from "./ScratchPostgres.ts"
import { Dice } from "./simulation/World.ts"
import * as Smtp from "./SmtpFixture.ts"

interface Figures {
  readonly what: string
  readonly mails: number
  readonly deliveredPercent: number
  readonly perSecond: number | null
  readonly cpuMsPerMail: number
  readonly ageP50Ms: number | null
  readonly ageP95Ms: number | null
  readonly repeats: number
  readonly deadLetters: number
}

/** What is not there by then is not delivered. */
const waitLimit = Duration.minutes(5)

/** Ticks of the kernel's account of a process: 100 a second everywhere. */
const tickMs = 10

const cpuMs = Effect.fnUntraced(function* (pid: number) {
  const fs = yield* FileSystem.FileSystem
  const stat = yield* fs.readFileString(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * tickMs
})

const quantile = (values: ReadonlyArray<number>, q: number): number | null =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * q) - 1)] ?? null

const idOf = (orderId: string) => `<${orderId}.confirmed@onsale.example>`

/** How the first server fails: no, in the ways that servers have, and sometimes it does not say. */
const failures: ReadonlyArray<Smtp.Behaviour> = [
  { code: 421 },
  { code: 451 },
  { code: 451, at: "recipient" },
  "cut",
  "cut",
  "vanish"
]

/** Sells so many orders, so many a second or all before the runner starts, and waits for their mails. */
const measure = Effect.fnUntraced(function* (options: {
  readonly what: string
  readonly database: Redacted.Redacted<string>
  readonly orders: number
  /** Null: all of them are there when the runner starts. */
  readonly ordersPerSecond: number | null
  /** Servers that a runner has; the first fails this part of its mails. */
  readonly servers: number
  readonly failing: number
  readonly dice: Dice
}) {
  const { dice, failing, orders } = options
  const servers = yield* Effect.forEach(Array.from({ length: options.servers }), () =>
    Smtp.make({ keepsRaw: false })
  )
  const [first] = servers
  if (first !== undefined && failing > 0) {
    first.otherwise = () => (dice.chance(failing) ? dice.pick(failures) : "take")
  }
  const smtpUrls = servers.map(({ url }) => url)
  const received = () => servers.flatMap((server) => server.received)
  const start = MailRunner.start({ database: options.database, smtpUrls })
  const sale = yield* MailSale.open
  const soldMs = new Map<string, number>()
  const sell = Effect.fnUntraced(function* (count: number) {
    for (const orderId of yield* sale.sell(count)) soldMs.set(idOf(orderId), yield* Clock.currentTimeMillis)
  })

  let startedMs: number
  let cpuBefore: number
  let runner: MailRunner.MailRunner
  if (options.ordersPerSecond === null) {
    yield* sell(orders)
    runner = yield* start
    startedMs = yield* Clock.currentTimeMillis
    cpuBefore = yield* cpuMs(runner.pid)
  } else {
    runner = yield* start
    startedMs = yield* Clock.currentTimeMillis
    cpuBefore = yield* cpuMs(runner.pid)
    for (let second = 0; soldMs.size < orders; second++) {
      const leftMs = startedMs + second * 1_000 - (yield* Clock.currentTimeMillis)
      yield* Effect.sleep(Duration.millis(Math.max(0, leftMs)))
      yield* sell(Math.min(options.ordersPerSecond, orders - soldMs.size))
    }
  }
  const there = Effect.sync(() => new Set(received().map(({ messageId }) => messageId)).size)
  yield* pollUntil(there, (count) => count >= orders, { deadline: waitLimit, every: "20 millis" }).pipe(
    Effect.catchTag("PollTimeout", () => Effect.void)
  )
  const cpu = (yield* cpuMs(runner.pid)) - cpuBefore
  const firstAtMs = new Map<string, number>()
  for (const { atMs, messageId } of received()) {
    firstAtMs.set(messageId, Math.min(atMs, firstAtMs.get(messageId) ?? atMs))
  }
  const lastMs = Math.max(...firstAtMs.values())
  const ages =
    options.ordersPerSecond === null
      ? []
      : [...firstAtMs].map(([id, atMs]) => Math.max(0, atMs - (soldMs.get(id) ?? atMs)))
  const sql = yield* SqlClient.SqlClient
  const [dead] = yield* sql<{ readonly n: number }>`SELECT count(*)::int AS n FROM notifications.jobs
    WHERE failed_at IS NOT NULL`
  yield* runner.kill9
  const figures: Figures = {
    what: options.what,
    mails: orders,
    deliveredPercent: (firstAtMs.size / orders) * 100,
    perSecond: options.ordersPerSecond === null ? (firstAtMs.size / (lastMs - startedMs)) * 1_000 : null,
    cpuMsPerMail: cpu / firstAtMs.size,
    ageP50Ms: quantile(ages, 0.5),
    ageP95Ms: quantile(ages, 0.95),
    repeats: received().length - firstAtMs.size,
    deadLetters: dead?.n ?? 0
  }
  return figures
}, Effect.scoped)

const columns = [
  "what",
  "mails",
  "delivered",
  "mails/s",
  "CPU ms/mail",
  "age p50",
  "age p95",
  "repeats",
  "dead"
]
const row = (f: Figures): ReadonlyArray<string> => [
  f.what,
  String(f.mails),
  `${f.deliveredPercent.toFixed(2)}%`,
  f.perSecond?.toFixed(0) ?? "",
  f.cpuMsPerMail.toFixed(1),
  f.ageP50Ms === null ? "" : `${f.ageP50Ms} ms`,
  f.ageP95Ms === null ? "" : `${f.ageP95Ms} ms`,
  String(f.repeats),
  String(f.deadLetters)
]

const table = (figures: ReadonlyArray<Figures>): ReadonlyArray<string> => {
  const rows = [columns, ...figures.map(row)]
  const widths = columns.map((_, i) => Math.max(...rows.map((cells) => cells[i]?.length ?? 0)))
  return rows.map((cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")
  )
}

Command.make(
  "notifications",
  {
    orders: Flag.Int("orders").pipe(Flag.withDefault(1_000)),
    rate: Flag.Int("rate").pipe(
      Flag.withDescription("orders a second of a steady sale"),
      Flag.withDefault(20)
    ),
    seed: Flag.Int("seed").pipe(Flag.withDefault(1)),
    json: Flag.String("json").pipe(Flag.optional)
  },
  Effect.fn(
    function* ({ json, orders, rate, seed }) {
      const database = yield* ScratchPostgres.start
      const dice = new Dice(seed)
      const common = { database, orders, dice }
      const figures = yield* Effect.gen(function* () {
        yield* Migrations.run
        return [
          yield* measure({ ...common, what: "backlog", ordersPerSecond: null, servers: 1, failing: 0 }),
          yield* measure({ ...common, what: "steady sale", ordersPerSecond: rate, servers: 1, failing: 0 }),
          yield* measure({
            ...common,
            what: "one of two fails half",
            ordersPerSecond: rate,
            servers: 2,
            failing: 0.5
          })
        ]
      }).pipe(Effect.provide(Sql.layerUrl(database)))
      for (const line of table(figures)) yield* Console.log(line)
      if (Option.isSome(json)) {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(json.value, JSON.stringify(figures, null, 2))
      }
    },
    Effect.scoped,
    Effect.provide(NodeHttpClient.layerUndici)
  )
).pipe(Command.run({ version: "1" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
