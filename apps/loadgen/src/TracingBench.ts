/**
 * `npm run bench -- tracing`: the CPU that one process takes for a normal day's requests while a collector is told of
 * them, against the same process without one. All get the same arrivals at the same time, at a rate that they carry with
 * ease: what is compared is what a request costs, and whatever else the machine does makes it dearer for all of them.
 */
import { Console, Effect, FileSystem, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as BigEvent from "./BigEvent.ts"
import { mainThreadSeconds } from "./Costs.ts"
import { machine, statement } from "./Machine.ts"
import * as OpenLoop from "./open/OpenLoop.ts"
import * as PostgresServer from "./PostgresServer.ts"
import * as ServiceProcess from "./ServiceProcess.ts"
import * as SpanSink from "./SpanSink.ts"
import { markdown, spread } from "./Table.ts"

export interface TracingOptions {
  readonly requests: number
  readonly seconds: number
  readonly rounds: number
  /** A directory for a profile of each process' CPU; profiling costs, so that the figures are not to be quoted. */
  readonly profiles: Option.Option<string>
}

class TracingCosts extends Schema.TaggedError<TracingCosts>()("TracingCosts", { message: Schema.String }) {}

const organiserKey = "bench-key"
/** Of the CPU without it, what tracing may cost at the part that is traced by default. */
const allowed = 1.1
const seatsAnEvent = 2_000
const events = 20
const warmUpSeconds = 30
/** Who gives a hold up has its seats back within a run. */
const holdSeconds = 60

/** What is sent of the requests that bring no decision; undefined where nobody collects. */
const arms = [
  { name: "off", ratio: undefined },
  { name: "1%", ratio: 0.01 },
  { name: "100%", ratio: 1 }
] as const
type Arm = (typeof arms)[number]

/** What a round showed of one of them. */
interface Turn {
  readonly requests: number
  readonly bought: number
  readonly errorShare: number
  readonly lateShare: number
  readonly p95: number
  /** Milliseconds a request, of all threads: tickets and mails are among them. */
  readonly cpu: number
  /** Of it in the thread that answers, and makes and sends the spans. */
  readonly answeringCpu: number
  readonly spans: number
}

/** Spans wait up to two seconds until they are sent, and tickets are drawn beside the answering. */
const settled = Effect.fnUntraced(function* (pid: number) {
  const limitSeconds = 60
  const quietCores = 0.12
  for (let second = 0; second < limitSeconds; second++) {
    const before = (yield* ServiceProcess.cpuSeconds(pid)) ?? 0
    yield* Effect.sleep("2 seconds")
    if ((((yield* ServiceProcess.cpuSeconds(pid)) ?? 0) - before) / 2 < quietCores) return
  }
})

const startArm = Effect.fnUntraced(function* (
  { name, ratio }: Arm,
  postgres: PostgresServer.PostgresServer,
  profiles: Option.Option<string>
) {
  const fs = yield* FileSystem.FileSystem
  const sink = yield* SpanSink.make
  const service = yield* ServiceProcess.start(
    "apps/onsale/src/main.ts",
    ["start"],
    {
      PORT: "0",
      ONSALE_DATA_DIR: yield* fs.makeTempDirectoryScoped({ prefix: "onsale-bench-" }),
      ONSALE_DATABASE_URL: yield* postgres.database(`tracing_${ratio === undefined ? "off" : ratio * 100}`),
      ONSALE_DEMO: "false",
      ONSALE_ORGANISER_KEY: organiserKey,
      ONSALE_LOG: "json",
      ...(ratio === undefined
        ? {}
        : { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_TRACES_SAMPLER_ARG: String(ratio) })
    },
    Option.match(profiles, {
      onNone: () => [],
      onSome: (dir) => ["--cpu-prof", `--cpu-prof-dir=${dir}`, `--cpu-prof-name=tracing-${name}.cpuprofile`]
    })
  )
  const sale = yield* Effect.forEach(Array.from({ length: events }), () =>
    Effect.map(BigEvent.make(service, organiserKey, seatsAnEvent, 0, holdSeconds), (id) => ({
      id,
      seats: seatsAnEvent
    }))
  )
  return { name, service, sale, sink }
})

export const run = Effect.fn("TracingBench.run")(function* (options: TracingOptions) {
  const postgres = yield* PostgresServer.make(Option.none())
  const running = yield* Effect.forEach(arms, (arm) => startArm(arm, postgres, options.profiles))

  const turn = Effect.fnUntraced(function* (
    { sale, service, sink }: (typeof running)[number],
    seed: number,
    seconds: number
  ) {
    const { pid } = service
    const spansBefore = sink.counts.spans
    const before = (yield* ServiceProcess.cpuSeconds(pid)) ?? Number.NaN
    const answeringBefore = yield* mainThreadSeconds(pid)
    const result = yield* OpenLoop.run({
      host: service.host,
      ports: [service.port],
      connections: 64,
      workers: 1,
      seed,
      events: sale,
      warmUpSeconds: 0,
      seconds,
      load: { type: "mix", mix: "normal", requestsPerSecond: options.requests }
    })
    yield* settled(pid)
    const each = (cpuSeconds: number) => (cpuSeconds * 1e3) / Math.max(1, result.due)
    const figures: Turn = {
      requests: result.due,
      bought: result.orders["confirmed"] ?? 0,
      errorShare: result.errorShare,
      lateShare: result.lateShare,
      p95: result.all.p95,
      cpu: each(((yield* ServiceProcess.cpuSeconds(pid)) ?? Number.NaN) - before),
      answeringCpu: each((yield* mainThreadSeconds(pid)) - answeringBefore),
      spans: sink.counts.spans - spansBefore
    }
    return figures
  })

  const all = (seed: number, seconds: number) =>
    Effect.forEach(running, (arm) => turn(arm, seed, seconds), { concurrency: "unbounded" })

  // The first seconds of a process are its compiler's.
  yield* all(1, warmUpSeconds)
  const rounds: Array<ReadonlyArray<Turn>> = []
  for (let round = 0; round < options.rounds; round++) {
    const taken = yield* all(2 + round, options.seconds)
    rounds.push(taken)
    yield* Console.error(
      `round ${round + 1}: ${taken.map(({ cpu }, at) => `${running[at]!.name} ${cpu.toFixed(3)} ms/request`).join(", ")}`
    )
  }

  const of = (arm: number, pick: (turn: Turn) => number) => rounds.map((turns) => pick(turns[arm]!))
  const against = (arm: number, pick: (turn: Turn) => number) =>
    rounds.map((turns) => pick(turns[arm]!) / pick(turns[0]!))
  const row = (name: string, pick: (turn: Turn) => number, digits: number) => [
    name,
    ...arms.map((_, arm) => spread(of(arm, pick), digits))
  ]
  yield* Console.log(
    markdown(
      [
        `median [least, most] of ${options.rounds} rounds`,
        "nobody collects",
        "1% traced (default)",
        "all traced"
      ],
      [
        row("requests", (turn) => turn.requests, 0),
        row("orders confirmed", (turn) => turn.bought, 0),
        row("errors %", (turn) => turn.errorShare * 100, 2),
        row("p95 ms", (turn) => turn.p95, 1),
        row("spans sent a 1,000 requests", (turn) => (turn.spans * 1e3) / turn.requests, 0),
        row("CPU ms a request", (turn) => turn.cpu, 3),
        row("of it the thread that answers", (turn) => turn.answeringCpu, 3),
        [
          "CPU against nobody",
          ...arms.map((_, arm) =>
            spread(
              against(arm, (turn) => turn.cpu),
              3
            )
          )
        ],
        [
          "of it the thread that answers",
          ...arms.map((_, arm) =>
            spread(
              against(arm, (turn) => turn.answeringCpu),
              3
            )
          )
        ]
      ]
    )
  )
  // Of all rounds together: how many of those who come buy is chance, and a purchase costs as much as many reads.
  const whole = (arm: number, pick: (turn: Turn) => number) =>
    rounds.reduce((sum, turns) => sum + pick(turns[arm]!) * turns[arm]!.requests, 0) /
    rounds.reduce((sum, turns) => sum + turns[arm]!.requests, 0)
  const wholeRatio = (arm: number, pick: (turn: Turn) => number) => whole(arm, pick) / whole(0, pick)
  // Tickets are drawn beside it: of all threads together tracing would look cheaper than it is.
  const ratio = Math.max(
    wholeRatio(1, (turn) => turn.cpu),
    wholeRatio(1, (turn) => turn.answeringCpu)
  )
  const passes = ratio < allowed
  yield* Console.log(
    `\nTracing 1%: ${ratio.toFixed(3)} times the CPU without, under ${allowed} asked: ${passes ? "pass" : "FAIL"}`
  )
  return { rounds, ratio, passes }
})

export const command = Command.make(
  "tracing",
  {
    requests: Flag.Int("requests").pipe(
      Flag.withDescription("a second to each process, as of a normal day: 92.5% of them reads"),
      Flag.withDefault(100)
    ),
    seconds: Flag.Int("seconds").pipe(Flag.withDescription("of a round"), Flag.withDefault(12)),
    rounds: Flag.Int("rounds").pipe(Flag.withDefault(8)),
    profiles: Flag.String("profiles").pipe(
      Flag.withDescription("a directory for a profile of the CPU of each process; it costs speed"),
      Flag.optional
    ),
    json: Flag.String("json").pipe(
      Flag.withDescription("Write the figures of every round to this file"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ json, ...options }) {
    yield* Console.log(`${yield* statement}\n`)
    const { passes, ratio, rounds } = yield* run(options)
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify({ machine, options, rounds, ratio }, null, 2))
    }
    if (!passes)
      return yield* Effect.fail(
        new TracingCosts({ message: `tracing takes ${ratio.toFixed(3)} times the CPU` })
      )
  }, Effect.scoped)
).pipe(Command.withDescription("The CPU of a normal day's requests with a collector, against without"))
