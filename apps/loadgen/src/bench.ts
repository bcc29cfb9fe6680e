/** `npm run bench -- NAME`: benchmarks, as ratios of one run where there is another side. */
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import * as CheckoutBench from "./CheckoutBench.ts"
import * as FreshnessBench from "./FreshnessBench.ts"
import * as HoldsBench from "./HoldsBench.ts"
import * as InventoryBench from "./InventoryBench.ts"
import { machine, statement } from "./Machine.ts"
import * as ReadsBench from "./ReadsBench.ts"
import * as RolesBench from "./RolesBench.ts"
import * as TracingBench from "./TracingBench.ts"
import * as ViewersBench from "./ViewersBench.ts"

/** The checker found what must not be. */
class BenchFailed extends Schema.TaggedError<BenchFailed>()("BenchFailed", { message: Schema.String }) {}

const json = Flag.String("json").pipe(
  Flag.withDescription("Write the figures of every round to this file"),
  Flag.optional
)

const holds = Command.make(
  "holds",
  {
    connections: Flag.Int("connections").pipe(Flag.withDefault(128)),
    seconds: Flag.Int("seconds").pipe(Flag.withDescription("of a round"), Flag.withDefault(4)),
    rounds: Flag.Int("rounds").pipe(Flag.withDefault(5)),
    json
  },
  Effect.fn(function* ({ json, ...options }) {
    yield* Console.log(
      `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Node ${machine.node}; the load comes from the same machine\n`
    )
    const rounds = yield* HoldsBench.run(options)
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify({ machine, options, rounds }, null, 2))
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription("Winning holds of two free seats, against the same endpoint with a constant answer")
)

const roles = Command.make(
  "roles",
  {
    connections: Flag.Int("connections").pipe(Flag.withDefault(128)),
    seconds: Flag.Int("seconds").pipe(Flag.withDescription("of a round"), Flag.withDefault(4)),
    rounds: Flag.Int("rounds").pipe(Flag.withDefault(5)),
    profiles: Flag.String("profiles").pipe(
      Flag.withDescription(
        "a directory for profiles of the CPU of the gateway and the runner; they cost speed"
      ),
      Flag.optional
    ),
    json
  },
  Effect.fn(function* ({ json, ...options }) {
    yield* Console.log(`${yield* statement}\n`)
    const rounds = yield* RolesBench.run(options)
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify({ machine, options, rounds }, null, 2))
    }
  }, Effect.scoped)
).pipe(Command.withDescription("Winning holds of one process, against a gateway and a runner"))

const checkout = Command.make(
  "checkout",
  {
    connections: Flag.Int("connections").pipe(Flag.withDefault(64)),
    seconds: Flag.Int("seconds").pipe(Flag.withDescription("of a round"), Flag.withDefault(10)),
    rounds: Flag.Int("rounds").pipe(Flag.withDefault(3)),
    json
  },
  Effect.fn(function* ({ json, ...options }) {
    yield* Console.log(`${yield* statement}\n`)
    const rounds = yield* CheckoutBench.run(options)
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify({ machine, options, rounds }, null, 2))
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Purchases of holds of two seats, paid at the sandbox, from the request to the tickets"
  )
)

const viewers = Command.make(
  "viewers",
  {
    viewers: Flag.Int("viewers").pipe(Flag.withDefault(10_000)),
    holds: Flag.Int("holds").pipe(
      Flag.withDescription("a second, and as many releases"),
      Flag.withDefault(200)
    ),
    seconds: Flag.Int("seconds").pipe(Flag.withDefault(20)),
    plain: Flag.Boolean("plain").pipe(
      Flag.withDescription("without gzip, which browsers take"),
      Flag.withDefault(false)
    ),
    workers: Flag.Int("workers").pipe(Flag.withDescription("processes of viewers"), Flag.withDefault(2)),
    json
  },
  Effect.fn(function* ({ json, ...options }) {
    yield* Console.log(`${yield* statement}\n`)
    const figures = yield* ViewersBench.run(options)
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify({ machine, options, figures }, null, 2))
    }
  }, Effect.scoped)
).pipe(Command.withDescription("Viewers of an event's stream of availability while its seats are held"))

const freshness = Command.make(
  "freshness",
  {
    requests: Flag.Int("requests").pipe(
      Flag.withDescription("a second in all, nine in ten of them reads"),
      Flag.withDefault(1_000)
    ),
    seconds: Flag.Int("seconds").pipe(Flag.withDefault(20)),
    json
  },
  Effect.fn(function* ({ json, ...options }) {
    yield* Console.log(`${yield* statement}\n`)
    const figures = yield* FreshnessBench.run(options)
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify({ machine, options, figures }, null, 2))
    }
  }, Effect.scoped)
).pipe(Command.withDescription("How long after its answer a change shows to readers"))

/** A flag of names with commas between them. */
const names = (name: string, known: ReadonlyArray<string>, byDefault: ReadonlyArray<string>) =>
  Flag.String(name).pipe(
    Flag.withDescription(`of ${known.join(",")}`),
    Flag.map((text) => text.split(",").filter((part) => part !== "")),
    Flag.withDefault(byDefault)
  )

/** Fails where the checker found what must not be, or did not find what must be found. */
const judged = Effect.fnUntraced(function* (options: InventoryBench.InventoryOptions) {
  const result = yield* InventoryBench.run(options)
  return result.wrong.length === 0
    ? result
    : yield* Effect.fail(new BenchFailed({ message: result.wrong.join("\n") }))
})

const inventory = Command.make(
  "inventory",
  {
    workloads: names("workload", InventoryBench.allWorkloads, InventoryBench.allWorkloads),
    ours: names("ours", InventoryBench.allLevels, InventoryBench.allLevels),
    peers: names("peers", InventoryBench.allPeers, InventoryBench.allPeers),
    connections: Flag.Int("connections").pipe(Flag.withDefault(128)),
    seconds: Flag.Int("seconds").pipe(Flag.withDescription("of a round"), Flag.withDefault(4)),
    rounds: Flag.Int("rounds").pipe(Flag.withDefault(3)),
    buyers: Flag.Int("buyers").pipe(Flag.withDescription("in the rush"), Flag.withDefault(50_000)),
    pool: Flag.Int("pool").pipe(Flag.withDescription("connections to Postgres of each peer"), Flag.optional),
    untuned: Flag.Boolean("untuned").pipe(
      Flag.withDescription("peers without our settings for the planner, as most run"),
      Flag.withDefault(false)
    ),
    databaseUrl: Flag.String("database-url").pipe(
      Flag.withDescription(
        "a Postgres to use, whose user may create databases; one is started when left out"
      ),
      Flag.optional
    ),
    redisUrl: Flag.String("redis-url").pipe(
      Flag.withDescription("a Redis to use AND EMPTY; redis-server is started when left out"),
      Flag.optional
    ),
    json
  },
  Effect.fn(function* ({ json, ...options }) {
    const result = yield* judged(options)
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify({ ...result, options }, null, 2))
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Our inventory against other ticketing systems' designs and the limits of the HTTP layer"
  )
)

const bestScript = fileURLToPath(
  new URL("../../../packages/testing/src/bestAvailableBench.ts", import.meta.url)
)

const best = Command.make(
  "best",
  {
    chart: Flag.String("chart").pipe(
      Flag.withDescription("a seats.io chart; our own arena of 8,897 seats when left out"),
      Flag.optional
    ),
    json
  },
  Effect.fn(function* ({ chart, json }) {
    yield* Console.log(`${yield* statement}\n`)
    const flag = (name: string, value: Option.Option<string>) =>
      Option.isSome(value) ? [`--${name}`, value.value] : []
    // A process of its own: the load may not import what it measures.
    const child = yield* ChildProcess.make(
      process.execPath,
      [bestScript, ...flag("chart", chart), ...flag("json", json)],
      {
        extendEnv: true,
        stdout: "inherit",
        stderr: "inherit"
      }
    )
    const ended = yield* child.exitCode
    if (ended !== 0) return yield* Effect.fail(new BenchFailed({ message: `it ended with ${ended}` }))
  }, Effect.scoped)
).pipe(Command.withDescription("Decisions on the best available seats, by how full the arena is"))

/** In a process of its own: the load may not import what it measures. */
const inProcess = Effect.fn(function* (
  script: string,
  args: ReadonlyArray<string>,
  json: Option.Option<string>
) {
  yield* Console.log(`${yield* statement}\n`)
  const child = yield* ChildProcess.make(
    process.execPath,
    [script, ...args, ...(Option.isSome(json) ? ["--json", json.value] : [])],
    { extendEnv: true, stdout: "inherit", stderr: "inherit" }
  )
  const ended = yield* child.exitCode
  if (ended !== 0) return yield* Effect.fail(new BenchFailed({ message: `it ended with ${ended}` }))
}, Effect.scoped)

const searchScript = fileURLToPath(new URL("../../../packages/testing/src/searchBench.ts", import.meta.url))

const search = Command.make(
  "search",
  {
    events: Flag.Int("events").pipe(Flag.withDefault(1_000_000)),
    clients: Flag.Int("clients").pipe(Flag.withDescription("searches at a time"), Flag.withDefault(16)),
    seconds: Flag.Int("seconds").pipe(Flag.withDefault(30)),
    json
  },
  ({ clients, events, json, seconds }) =>
    inProcess(
      searchScript,
      ["--size", `${events}`, "--clients", `${clients}`, "--seconds", `${seconds}`],
      json
    )
).pipe(
  Command.withDescription(
    "Searches in a generated catalogue: how long they take, and how many of the judged ones find what was meant"
  )
)

const notificationScript = fileURLToPath(
  new URL("../../../packages/testing/src/notificationBench.ts", import.meta.url)
)
const ticketsScript = fileURLToPath(new URL("../../../packages/testing/src/ticketsBench.ts", import.meta.url))

const notifications = Command.make(
  "notifications",
  {
    orders: Flag.Int("orders").pipe(Flag.withDescription("of each part"), Flag.withDefault(1_000)),
    rate: Flag.Int("rate").pipe(
      Flag.withDescription("orders a second of a steady sale"),
      Flag.withDefault(20)
    ),
    json
  },
  ({ json, orders, rate }) =>
    inProcess(notificationScript, ["--orders", `${orders}`, "--rate", `${rate}`], json)
).pipe(
  Command.withDescription(
    "Mails with their tickets: how many a second, what one costs, how old they get, and what is delivered while one of two servers fails half of the time"
  )
)

const tickets = Command.make(
  "tickets",
  {
    documents: Flag.Int("documents").pipe(Flag.withDescription("of each size"), Flag.withDefault(120)),
    json
  },
  ({ documents, json }) => inProcess(ticketsScript, ["--documents", `${documents}`], json)
).pipe(Command.withDescription("Documents of tickets: how many a core draws in a second"))

const reads = Command.make(
  "reads",
  {
    connections: Flag.Int("connections").pipe(Flag.withDefault(64)),
    seconds: Flag.Int("seconds").pipe(Flag.withDescription("of a turn"), Flag.withDefault(3)),
    rounds: Flag.Int("rounds").pipe(Flag.withDefault(5)),
    only: Flag.String("only").pipe(
      Flag.withDescription("names of reads with commas between them, such as availability,event-304"),
      Flag.map((text) => text.split(",").filter((name) => name !== "")),
      Flag.withDefault([])
    ),
    profiles: Flag.String("profiles").pipe(
      Flag.withDescription("a directory for a profile of the CPU of the server; it costs speed"),
      Flag.optional
    ),
    json
  },
  Effect.fn(function* ({ json, ...options }) {
    yield* Console.log(`${yield* statement}\n`)
    const rows = yield* ReadsBench.run(options)
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify({ machine, options, rows }, null, 2))
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription("Reads of an arena that is partly sold, against raw node:http with the same bytes")
)

/** What is run when nothing is said: all levels and all peers at every workload. */
const everything: InventoryBench.InventoryOptions = {
  workloads: InventoryBench.allWorkloads,
  ours: InventoryBench.allLevels,
  peers: InventoryBench.allPeers,
  connections: 128,
  seconds: 3,
  rounds: 3,
  buyers: 50_000,
  pool: Option.none(),
  untuned: false,
  databaseUrl: Option.none(),
  redisUrl: Option.none()
}

Command.make("bench", {}, () => judged(everything).pipe(Effect.scoped)).pipe(
  Command.withDescription(
    "Benchmarks; every figure is a ratio of one run, with its spread. Without a subcommand: inventory, whole"
  ),
  Command.withSubcommands([
    holds,
    roles,
    inventory,
    best,
    checkout,
    reads,
    search,
    notifications,
    tickets,
    viewers,
    freshness,
    TracingBench.command
  ]),
  Command.run({ version: "1" }),
  Effect.provide([NodeServices.layer, NodeHttpClient.layerUndici]),
  NodeRuntime.runMain
)
