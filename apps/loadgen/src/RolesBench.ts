/**
 * `npm run bench -- roles`: winning holds of one process against those of two, a gateway and a runner, over one
 * Postgres. The two sides take turns; where the cores are few, what a hold costs each process says more than the
 * ratio, since all of them and the load share the cores.
 */
import { Console, Effect, FileSystem, Option } from "effect"
import * as BigEvent from "./BigEvent.ts"
import { familySeconds } from "./Costs.ts"
import * as LoadProcess from "./LoadProcess.ts"
import * as PostgresServer from "./PostgresServer.ts"
import * as RoleProcess from "./RoleProcess.ts"
import * as ServiceProcess from "./ServiceProcess.ts"
import { markdown, spread } from "./Table.ts"
import * as WireCost from "./WireCost.ts"
import { distinct } from "./Workloads.ts"

export interface RolesOptions {
  readonly connections: number
  readonly seconds: number
  readonly rounds: number
  /** Where the gateway and the runner write profiles of their CPU as they end. */
  readonly profiles: Option.Option<string>
}

const organiserKey = "bench-key"
/** Twice what a process on a good core sells, so that no round runs dry. */
const seatsASecond = 30_000
/** As `npm start` has it. */
const nodeFlags = ["--max-semi-space-size=64"]

interface Side {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly processes: ReadonlyArray<{ readonly name: string; readonly pid: number }>
  /** Of the process that gathers commands, where it has a port for its metrics. */
  readonly operationsPort: number
}

const cpuOf = ({ processes }: Side) =>
  Effect.forEach(processes, ({ pid }) =>
    Effect.map(ServiceProcess.cpuSeconds(pid), (seconds) => seconds ?? Number.NaN)
  )

const messagesOf = ({ operationsPort }: Side) =>
  Effect.all({
    messages: RoleProcess.metric(operationsPort, "onsale_lane_message_ms_count"),
    commands: RoleProcess.metric(operationsPort, "onsale_lane_commands_total", 'outcome="sent"')
  })

const oneProcess = Effect.fnUntraced(function* (server: PostgresServer.PostgresServer) {
  const fs = yield* FileSystem.FileSystem
  const service = yield* ServiceProcess.start("apps/onsale/src/main.ts", ["start"], {
    PORT: "0",
    ONSALE_LEVEL: "L3",
    ONSALE_DATA_DIR: yield* fs.makeTempDirectoryScoped({ prefix: "onsale-bench-" }),
    ONSALE_DATABASE_URL: yield* server.database("bench_roles_one"),
    ONSALE_DEMO: "false",
    ONSALE_ORGANISER_KEY: organiserKey
  })
  const side: Side = {
    name: "one process",
    ...service,
    processes: [{ name: "one process", pid: service.pid }],
    operationsPort: service.port
  }
  return side
})

const twoProcesses = Effect.fnUntraced(function* (
  server: PostgresServer.PostgresServer,
  profiles: Option.Option<string>
) {
  const port = yield* RoleProcess.freePort
  const env = {
    ONSALE_DATABASE_URL: yield* server.database("bench_roles_two"),
    ONSALE_ORGANISER_KEY: organiserKey,
    // Nothing is paid.
    ONSALE_SANDBOX_URL: "http://127.0.0.1:9",
    ONSALE_SANDBOX_SECRET: "bench",
    ONSALE_SANDBOX_WEBHOOK_SECRET: "bench"
  }
  yield* RoleProcess.runOnce("apps/onsale/src/main.ts", ["migrate"], env)
  const flags = (role: string) => [
    ...nodeFlags,
    ...Option.match(profiles, {
      onNone: () => [],
      onSome: (dir) => ["--cpu-prof", `--cpu-prof-dir=${dir}`, `--cpu-prof-name=${role}.cpuprofile`]
    })
  ]
  const runner = yield* RoleProcess.start({
    script: "apps/runner/src/booking.ts",
    env: {
      ...env,
      ONSALE_RUNNER_HOST: "127.0.0.1",
      ONSALE_RUNNER_LISTEN: "127.0.0.1",
      ONSALE_RUNNER_PORT: String(yield* RoleProcess.freePort)
    },
    nodeFlags: flags("runner")
  })
  const gateway = yield* RoleProcess.start({
    script: "apps/gateway/src/main.ts",
    env: { ...env, PORT: String(port), ONSALE_HOST: "127.0.0.1" },
    nodeFlags: flags("gateway")
  })
  const side: Side = {
    name: "two processes",
    host: "127.0.0.1",
    port,
    processes: [
      { name: "gateway", pid: gateway.pid },
      { name: "runner", pid: runner.pid }
    ],
    operationsPort: gateway.operationsPort
  }
  return side
})

const round = Effect.fnUntraced(function* (
  side: Side,
  load: LoadProcess.LoadProcess,
  postgresPid: number | undefined,
  { connections, seconds }: Pick<RolesOptions, "connections" | "seconds">
) {
  const workload = distinct({ seconds, buyers: 0 })
  const seats = Math.ceil(seconds * seatsASecond)
  const eventId = yield* BigEvent.make(side, organiserKey, seats)
  const postgres = postgresPid === undefined ? Effect.succeed(Number.NaN) : familySeconds(postgresPid)
  const before = yield* Effect.all({ cpu: cpuOf(side), postgres, sent: messagesOf(side) })
  const report = yield* load.run({
    host: side.host,
    port: side.port,
    connections,
    seconds,
    plan: workload.plan(eventId, side.host, seats, 0)
  })
  const after = yield* Effect.all({ cpu: cpuOf(side), postgres, sent: messagesOf(side) })
  const a = (cpuSeconds: number) => (cpuSeconds * 1e6) / Math.max(1, report.won)
  return {
    winsPerSecond: report.won / report.seconds,
    won: report.won,
    notWon: report.refused + report.other,
    p50: report.latency.p50,
    p99: report.latency.p99,
    /** Microseconds a winning hold, in the order of the side's processes. */
    cpuMicros: side.processes.map((_, i) => a((after.cpu[i] ?? 0) - (before.cpu[i] ?? 0))),
    postgresMicros: a(after.postgres - before.postgres),
    loadMicros: a(report.clientCores * report.seconds),
    commandsAMessage:
      (after.sent.commands - before.sent.commands) / (after.sent.messages - before.sent.messages),
    ranDry: report.ranDry
  }
})

type Figures = Effect.Success<ReturnType<typeof round>>

const line = (side: Side, all: ReadonlyArray<Figures>): ReadonlyArray<string> => {
  const of = (pick: (figures: Figures) => number, digits = 0) => spread(all.map(pick), digits)
  return [
    side.name,
    of(({ winsPerSecond }) => winsPerSecond),
    of(({ notWon }) => notWon),
    of(({ p50 }) => p50, 1),
    of(({ p99 }) => p99, 1),
    side.processes.map(({ name }, i) => `${name} ${of(({ cpuMicros }) => cpuMicros[i] ?? 0)}`).join(", "),
    of(({ postgresMicros }) => postgresMicros),
    of(({ loadMicros }) => loadMicros),
    of(({ commandsAMessage }) => commandsAMessage)
  ]
}

export const run = Effect.fn("RolesBench.run")(function* (options: RolesOptions) {
  const wire = yield* WireCost.measure
  yield* Console.log(WireCost.table(wire))
  yield* Console.log(`\none command more in a message: ${WireCost.aCommand(wire).toFixed(2)} µs in all\n`)
  const server = yield* PostgresServer.make(Option.none())
  const load = yield* LoadProcess.start()
  const one = yield* oneProcess(server)
  const two = yield* twoProcesses(server, options.profiles)
  const take = (side: Side, seconds: number) =>
    round(side, load, server.pid, { connections: options.connections, seconds })
  // The first seconds of a process are its compiler's.
  yield* take(one, 3)
  yield* take(two, 3)
  const rounds: Array<{ readonly one: Figures; readonly two: Figures; readonly ratio: number }> = []
  for (let i = 0; i < options.rounds; i++) {
    const ofOne = yield* take(one, options.seconds)
    const ofTwo = yield* take(two, options.seconds)
    const ratio = ofTwo.winsPerSecond / ofOne.winsPerSecond
    rounds.push({ one: ofOne, two: ofTwo, ratio })
    yield* Console.error(
      `round ${i + 1}: one process ${Math.round(ofOne.winsPerSecond)} holds/s, two ${Math.round(ofTwo.winsPerSecond)}, ratio ${ratio.toFixed(2)}`
    )
  }
  yield* Console.log(
    markdown(
      [
        "",
        "won/s",
        "not won",
        "p50 ms",
        "p99 ms",
        "CPU µs/hold",
        "Postgres µs",
        "load µs",
        "commands/message"
      ],
      [
        line(
          one,
          rounds.map((each) => each.one)
        ),
        line(
          two,
          rounds.map((each) => each.two)
        )
      ]
    )
  )
  yield* Console.log(
    `\nratio two / one: ${spread(
      rounds.map(({ ratio }) => ratio),
      2
    )} (median [least, most] of ${rounds.length} rounds)`
  )
  if (rounds.some((each) => each.one.ranDry || each.two.ranDry))
    yield* Console.log("a round ran out of seats before its time was over")
  return rounds
})
