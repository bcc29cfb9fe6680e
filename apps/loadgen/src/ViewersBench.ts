/**
 * `npm run bench -- viewers`: thousands of viewers of one event's stream of availability on one process, while seats of
 * it are held and released: how soon they see it, what that costs, and that each of them knows the truth at the end.
 */
import { Console, Effect, FileSystem, Option, Schedule, Schema } from "effect"
import { HttpClient } from "effect/http"
import * as BigEvent from "./BigEvent.ts"
import { quantile } from "./ClosedLoop.ts"
import { mainThreadSeconds } from "./Costs.ts"
import * as Forked from "./Forked.ts"
import * as HoldDriver from "./HoldDriver.ts"
import { digestOf } from "./load/ViewerStates.ts"
import { type Answered, ViewersOpen, ViewersReady, ViewersReport } from "./load/Viewers.ts"
import * as PostgresServer from "./PostgresServer.ts"
import * as ServiceProcess from "./ServiceProcess.ts"
import { markdown } from "./Table.ts"

export interface ViewersOptions {
  readonly viewers: number
  readonly holds: number
  readonly seconds: number
  /** Without gzip, which browsers take. */
  readonly plain: boolean
  /** Processes of viewers. */
  readonly workers: number
}

class ViewersFailed extends Schema.TaggedError<ViewersFailed>()("ViewersFailed", {
  message: Schema.String
}) {}

const organiserKey = "bench-key"
/** A large arena. */
const leastSeats = 8_897
/** Of each process. */
const sampled = 25
/** What has not arrived by then was missed. */
const settling = Schedule.upTo(Schedule.spaced("1 second"), { duration: "30 seconds" })
const limits = { p95Ms: 1_000, residentMiB: 1_024 }

/** Of a line of /proc/<pid>/status, in MiB; NaN without /proc. */
const memoryMiB = Effect.fnUntraced(function* (pid: number, line: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(`/proc/${pid}/status`).pipe(
    Effect.map((text) => Number(new RegExp(`${line}:\\s+(\\d+)`).exec(text)?.[1]) / 1024),
    Effect.orElseSucceed(() => Number.NaN)
  )
})

export const run = Effect.fn("ViewersBench.run")(function* (options: ViewersOptions) {
  const fs = yield* FileSystem.FileSystem
  const client = yield* HttpClient.HttpClient
  const postgres = yield* PostgresServer.make(Option.none())
  const service = yield* ServiceProcess.start("apps/onsale/src/main.ts", ["start"], {
    PORT: "0",
    ONSALE_DATA_DIR: yield* fs.makeTempDirectoryScoped({ prefix: "onsale-bench-" }),
    ONSALE_DATABASE_URL: yield* postgres.database("bench_viewers"),
    ONSALE_DEMO: "false",
    ONSALE_ORGANISER_KEY: organiserKey,
    ONSALE_VIEWERS: String(options.viewers + 100)
  })
  const { host, pid, port } = service
  const seats = Math.max(leastSeats, HoldDriver.seatsFor(options.holds, options.seconds))
  const eventId = yield* BigEvent.make(service, organiserKey, seats)
  const path = `/api/v1/events/${eventId}/availability`
  const before = yield* memoryMiB(pid, "VmRSS")

  const workers = yield* Effect.forEach(Array.from({ length: options.workers }), () =>
    Forked.start(new URL("./load/ViewersMain.ts", import.meta.url), [], ViewersReady)
  )
  const opened = yield* Effect.forEach(
    workers,
    ({ forked }, i) =>
      forked.ask(
        {
          _tag: "Open",
          host,
          port,
          path: `${path}/stream`,
          viewers: Math.floor((options.viewers + i) / options.workers),
          gzip: !options.plain,
          sampled
        },
        ViewersOpen
      ),
    { concurrency: "unbounded" }
  )
  const there = opened.reduce((sum, { opened }) => sum + opened, 0)
  const idle = yield* memoryMiB(pid, "VmRSS")
  yield* Console.error(
    `${there} viewers are there; ${Math.round(before)} MiB before them, ${Math.round(idle)} with them`
  )

  const cpuBefore = yield* mainThreadSeconds(pid)
  const begun = performance.now()
  const driven = yield* HoldDriver.drive({
    host,
    port,
    eventId,
    holdsPerSecond: options.holds,
    seconds: options.seconds,
    connections: 64
  })
  const seconds = (performance.now() - begun) / 1e3
  const cores = ((yield* mainThreadSeconds(pid)) - cpuBefore) / seconds
  const peak = yield* memoryMiB(pid, "VmHWM")
  const truth = yield* client.get(`http://${host}:${port}${path}`).pipe(
    Effect.flatMap((response) => response.text),
    Effect.map(digestOf)
  )
  const report = (answered: ReadonlyArray<Answered>) =>
    Effect.forEach(workers, ({ forked }) => forked.ask({ _tag: "Report", answered }, ViewersReport), {
      concurrency: "unbounded"
    })
  const knowing = (reports: ReadonlyArray<ViewersReport>) =>
    reports
      .flatMap(({ states }) => states)
      .reduce((all, state) => (state.digest === truth ? all + state.viewers : all), 0)
  // Nothing happens any more, but the last change has to arrive.
  yield* report([]).pipe(
    Effect.map(knowing),
    Effect.repeat({ schedule: settling, until: (right) => right === there })
  )
  const reports = yield* report(driven.answered)

  const sum = (pick: (report: ViewersReport) => number) => reports.reduce((all, one) => all + pick(one), 0)
  const latencies = Float64Array.from(reports.flatMap(({ latencies }) => Array.from(latencies))).sort()
  const right = knowing(reports)
  const figures = {
    viewers: there,
    holdsPerSecond: driven.holds / options.seconds,
    releasesPerSecond: driven.releases / options.seconds,
    skipped: driven.skipped,
    other: driven.other,
    p50: quantile(latencies, 0.5),
    p95: quantile(latencies, 0.95),
    p99: quantile(latencies, 0.99),
    unseen: sum(({ unseen }) => unseen),
    messagesAViewerASecond: sum(({ messages }) => messages) / there / seconds,
    kilobytesAMessage: sum(({ bytes }) => bytes) / sum(({ messages }) => messages) / 1e3,
    megabytesASecond: sum(({ bytes }) => bytes) / seconds / 1e6,
    dropped: sum(({ dropped }) => dropped),
    ended: sum(({ ended }) => ended),
    right,
    residentMiB: { before, idle, peak },
    serverCores: cores,
    viewerCores: sum(({ cores }) => cores)
  }
  const round = (value: number, digits = 0) => value.toFixed(digits)
  yield* Console.log(
    markdown(
      ["viewers of one event", "measured", "judged"],
      [
        ["viewers", `${there}`, `${options.viewers}`],
        [
          "holds/s, releases/s",
          `${round(figures.holdsPerSecond)}, ${round(figures.releasesPerSecond)}`,
          `${options.holds}`
        ],
        [
          "left out for want of a connection, answered otherwise",
          `${driven.skipped}, ${driven.other}`,
          "0, 0"
        ],
        ["answer to arrival, p50 ms", round(figures.p50), ""],
        ["p95 ms", round(figures.p95), `< ${limits.p95Ms}`],
        ["p99 ms", round(figures.p99), ""],
        [`of ${latencies.length}, not told by themselves`, `${figures.unseen}`, ""],
        ["messages a viewer a second", round(figures.messagesAViewerASecond, 2), "<= 10"],
        ["kB a message", round(figures.kilobytesAMessage, 1), ""],
        ["MB/s in all", round(figures.megabytesASecond), ""],
        ["snapshots after the first, connections ended", `${figures.dropped}, ${figures.ended}`, ""],
        ["viewers that know what GET availability shows", `${right}`, `${there}`],
        [
          "resident MiB before, with viewers, at most",
          `${round(before)}, ${round(idle)}, ${round(peak)}`,
          `< ${limits.residentMiB}`
        ],
        [
          "cores of the server's thread, of the viewers",
          `${round(cores, 2)}, ${round(figures.viewerCores, 2)}`,
          ""
        ]
      ]
    )
  )
  const wrong = [
    ...(there < options.viewers ? [`only ${there} viewers were let in`] : []),
    ...(right < there ? [`${there - right} viewers do not know what shows`] : []),
    ...(figures.p95 < limits.p95Ms ? [] : [`p95 is ${round(figures.p95)} ms`]),
    ...(peak < limits.residentMiB ? [] : [`${round(peak)} MiB are resident`])
  ]
  if (wrong.length > 0) return yield* new ViewersFailed({ message: wrong.join("\n") })
  return figures
})
