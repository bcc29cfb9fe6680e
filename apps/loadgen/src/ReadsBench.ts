/**
 * `npm run bench -- reads`: what is read most of an arena of 8,897 seats that is partly sold, against raw `node:http`
 * with the same bytes under the same headers. The two take turns, so that a change of the machine's speed hits both.
 */
import { EventPage, EventSeatMap } from "@onsale/contracts/catalog/Event"
import { Availability } from "@onsale/contracts/http/EventsApi"
import { type EventId, indexIn } from "@onsale/contracts/Ids"
import { Console, Effect, FileSystem, Option, Schema } from "effect"
import { get, type IncomingHttpHeaders } from "node:http"
import { mainThreadSeconds } from "./Costs.ts"
import * as Forked from "./Forked.ts"
import * as LoadProcess from "./LoadProcess.ts"
import * as PostgresServer from "./PostgresServer.ts"
import { Done, type Page, Ready, Serve } from "./reads/Pages.ts"
import * as ServiceProcess from "./ServiceProcess.ts"
import { markdown, spread } from "./Table.ts"

export interface ReadsOptions {
  readonly connections: number
  /** Of a turn. */
  readonly seconds: number
  readonly rounds: number
  /** Where ours writes a profile of its CPU; that costs speed. */
  readonly profiles: Option.Option<string>
  /** Names of workloads; all when empty. */
  readonly only: ReadonlyArray<string>
}

const seatsOfTheArena = 8_897
/** As many as the event allows. */
const seatsAHold = 6
/** Of the seats: those that are held, and of them those that are bought as well. */
const heldPart = 0.5
const boughtHolds = 20
const warmUpSeconds = 2

interface Workload {
  readonly name: string
  readonly path: string
  readonly accepts: string
  readonly had: boolean
  /** What it is to reach of raw `node:http`. */
  readonly target: number
}

const workloadsOf = (eventId: EventId, version: number): ReadonlyArray<Workload> => {
  const event = `/api/v1/events/${eventId}`
  const seatMap = `${event}/seatmap?version=${version}`
  const read = (name: string, path: string, target: number, accepts = "", had = false): Workload => ({
    name,
    path,
    accepts,
    had,
    target
  })
  return [
    read("availability", `${event}/availability`, 0.8),
    read("availability-gzip", `${event}/availability`, 0.5, "gzip"),
    read("availability-304", `${event}/availability`, 0.9, "", true),
    read("event", event, 0.5),
    read("event-304", event, 0.5, "", true),
    read("events", "/api/v1/events", 0.5),
    read("seatmap", seatMap, 0.5),
    read("seatmap-gzip", seatMap, 0.5, "gzip")
  ]
}

interface Answer {
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array<ArrayBuffer>
}

const fetchFrom = (service: ServiceProcess.Service, path: string, headers: Record<string, string> = {}) =>
  Effect.callback<Answer>((resume) => {
    get({ host: service.host, port: service.port, path, headers }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () =>
        resume(Effect.succeed({ headers: response.headers, body: Buffer.concat(chunks) }))
      )
    }).on("error", (error) => resume(Effect.die(error)))
  })

const json = Effect.fnUntraced(function* <A, I>(
  service: ServiceProcess.Service,
  path: string,
  schema: Schema.Codec<A, I>
) {
  const { body } = yield* fetchFrom(service, `/api/v1${path}`)
  return yield* Schema.decodeEffect(Schema.fromJsonString(schema))(Buffer.from(body).toString()).pipe(
    Effect.orDie
  )
})

/** An event of the demo season in the arena, and the seats of it that anybody may hold. */
const arena = Effect.fnUntraced(function* (service: ServiceProcess.Service) {
  const { events } = yield* json(service, "/events?limit=100", EventPage)
  for (const { id, status } of events) {
    if (status !== "on_sale") continue
    const { seats } = yield* json(service, `/events/${id}/availability`, Availability)
    if (seats.total !== seatsOfTheArena) continue
    const map = yield* json(service, `/events/${id}/seatmap`, EventSeatMap)
    const free = map.sections.flatMap((section) =>
      section.rows.flatMap((row) =>
        row.seats.flatMap((seat) =>
          seat.tier === null || seat.accessible || seat.companion ? [] : [indexIn(id, "seat", seat.id)]
        )
      )
    )
    return { id, version: map.version, free }
  }
  return yield* Effect.die(new Error("the demo season has no arena on sale"))
})

const quietLimitSeconds = 60
const quietCores = 0.1

/** Waits until the tickets of the orders are drawn, which is done beside the answering. */
const quiet = Effect.fnUntraced(function* (pid: number) {
  for (let second = 0; second < quietLimitSeconds; second++) {
    const before = (yield* ServiceProcess.cpuSeconds(pid)) ?? 0
    yield* Effect.sleep("1 second")
    if (((yield* ServiceProcess.cpuSeconds(pid)) ?? 0) - before < quietCores) return
  }
  yield* Console.error("the service is still busy: the figures will be lower than they should be")
})

const record = (headers: IncomingHttpHeaders, without: ReadonlySet<string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      without.has(name) || typeof value !== "string" ? [] : [[name, value] as const]
    )
  )
/** Node writes these by itself, on both sides. */
const ofNode = new Set(["date", "connection", "keep-alive"])
const ofABody = new Set([...ofNode, "content-type", "content-length", "content-encoding"])

/** What ours answers; asked again until it has the encoding. */
const pageOf = Effect.fnUntraced(function* (service: ServiceProcess.Service, workload: Workload) {
  const { accepts, path } = workload
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = yield* fetchFrom(service, path, accepts === "" ? {} : { "accept-encoding": accepts })
    if ((answer.headers["content-encoding"] ?? "") !== accepts) {
      yield* Effect.sleep("50 millis")
      continue
    }
    const page: Page = {
      path,
      accepts,
      etag: answer.headers.etag ?? "",
      headers: record(answer.headers, ofNode),
      validators: record(answer.headers, ofABody),
      body: answer.body
    }
    return page
  }
  return yield* Effect.die(new Error(`${path} was never answered in ${accepts}`))
})

interface Turn {
  readonly readsPerSecond: number
  /** Microseconds a read of the thread that answers. */
  readonly serverCpu: number
  readonly p50: number
  readonly p99: number
  readonly other: number
  readonly clientCores: number
}

export interface Row {
  readonly workload: Workload
  readonly bytes: number
  readonly ours: ReadonlyArray<Turn>
  readonly raw: ReadonlyArray<Turn>
}

const ratios = ({ ours, raw }: Row, pick: (turn: Turn) => number): ReadonlyArray<number> =>
  ours.map((turn, i) => pick(turn) / pick(raw[i]!))
const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const rate = (turn: Turn) => turn.readsPerSecond

const table = (rows: ReadonlyArray<Row>): string =>
  markdown(
    [
      "read",
      "bytes",
      "ours/s",
      "raw node:http/s",
      "ours ÷ raw",
      "target",
      "server CPU µs",
      "raw CPU µs",
      "raw CPU ÷ ours",
      "p99 ms",
      "the client could do/s",
      "other"
    ],
    rows.map((row) => {
      const { bytes, ours, raw, workload } = row
      const byRate = ratios(row, rate)
      return [
        workload.name,
        String(bytes),
        spread(ours.map(rate), 0),
        spread(raw.map(rate), 0),
        spread(byRate, 2),
        `${workload.target} ${median(byRate) >= workload.target ? "reached" : "MISSED"}`,
        spread(
          ours.map((turn) => turn.serverCpu),
          0
        ),
        spread(
          raw.map((turn) => turn.serverCpu),
          0
        ),
        spread(
          ratios(row, (turn) => 1 / turn.serverCpu),
          2
        ),
        spread(
          ours.map((turn) => turn.p99),
          1
        ),
        spread(
          raw.map((turn) => turn.readsPerSecond / turn.clientCores),
          0
        ),
        String(ours.reduce((sum, turn) => sum + turn.other, 0))
      ]
    })
  )

export const run = Effect.fn("ReadsBench.run")(function* (options: ReadsOptions) {
  const fs = yield* FileSystem.FileSystem
  const postgres = yield* PostgresServer.make(Option.none())
  const load = yield* LoadProcess.start()
  const { forked, ready } = yield* Forked.start(new URL("./reads/RawReads.ts", import.meta.url), [], Ready)
  const service = yield* ServiceProcess.start(
    "apps/onsale/src/main.ts",
    ["start"],
    {
      PORT: "0",
      ONSALE_DATA_DIR: yield* fs.makeTempDirectoryScoped({ prefix: "onsale-bench-" }),
      ONSALE_DATABASE_URL: yield* postgres.database("reads")
    },
    Option.match(options.profiles, {
      onNone: () => [],
      onSome: (directory) => ["--cpu-prof", `--cpu-prof-dir=${directory}`]
    })
  )
  const { host, port } = service
  const drive = { host, port, connections: options.connections, seconds: 60 }

  const { free, id: eventId, version } = yield* arena(service)
  const seats = Int32Array.from(free.slice(0, Math.floor(free.length * heldPart)))
  const { wins } = yield* load.run({
    ...drive,
    plan: { _tag: "Fill", eventId, host, seats, aHold: seatsAHold }
  })
  const holds = wins.holds.slice(0, boughtHolds)
  const bought = yield* load.run({ ...drive, plan: { _tag: "Buy", eventId, host, holds, method: "tok_ok" } })
  yield* Console.log(
    `${seatsOfTheArena} seats, of which ${wins.holds.length * seatsAHold} are held or sold (${bought.won * seatsAHold} sold); ${options.connections} connections, turns of ${options.seconds} s`
  )
  yield* quiet(service.pid)

  const workloads = workloadsOf(eventId, version).filter(
    ({ name }) => options.only.length === 0 || options.only.includes(name)
  )
  const pages = yield* Effect.forEach(workloads, (workload) => pageOf(service, workload))
  yield* forked.ask(Serve.make({ pages }), Done).pipe(Effect.orDie)

  const turn = Effect.fnUntraced(function* (
    at: { readonly port: number; readonly pid: number },
    { accepts, had, path }: Workload,
    page: Page,
    seconds: number
  ) {
    const before = yield* mainThreadSeconds(at.pid)
    const report = yield* load.run({
      host,
      port: at.port,
      connections: options.connections,
      seconds,
      plan: {
        _tag: "Read",
        host,
        path,
        headers: `${accepts === "" ? "" : `accept-encoding: ${accepts}\r\n`}${had ? `if-none-match: ${page.etag}\r\n` : ""}`,
        status: had ? 304 : 200
      }
    })
    const after = yield* mainThreadSeconds(at.pid)
    const { clientCores, latency, other, won } = report
    const figures: Turn = {
      readsPerSecond: won / report.seconds,
      serverCpu: ((after - before) * 1e6) / Math.max(1, won),
      p50: latency.p50,
      p99: latency.p99,
      other,
      clientCores
    }
    return figures
  })

  const raw = { port: ready.port, pid: forked.pid }
  const rows: Array<Row> = []
  for (const [i, workload] of workloads.entries()) {
    const page = pages[i]!
    const sides = [service, raw]
    // The first seconds of a process are its compiler's.
    for (const side of sides) yield* turn(side, workload, page, warmUpSeconds)
    const turns: [Array<Turn>, Array<Turn>] = [[], []]
    for (let round = 0; round < options.rounds; round++) {
      for (const first of [0, 1]) {
        const at = (first + round) % 2
        turns[at]!.push(yield* turn(sides[at]!, workload, page, options.seconds))
      }
    }
    const row: Row = {
      workload,
      bytes: workload.had ? 0 : page.body.byteLength,
      ours: turns[0],
      raw: turns[1]
    }
    rows.push(row)
    yield* Console.error(`${workload.name}: ${spread(ratios(row, rate), 2)} of raw node:http`)
  }
  yield* Console.log(`\n${table(rows)}`)
  yield* Console.log(
    `\nMedian [least, most] of ${options.rounds} turns each. "The client could do" is its rate against raw node:http by the part of a core that it took.`
  )
  return rows
})
