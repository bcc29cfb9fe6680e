/** `npm run bench -- holds` and `-- inventory`: benchmarks as ratios, each from one run. */
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as HoldsBench from "./HoldsBench.ts"
import * as InventoryBench from "./InventoryBench.ts"
import { machine } from "./Machine.ts"

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

/** A flag of names with commas between them. */
const names = (name: string, known: ReadonlyArray<string>, byDefault: ReadonlyArray<string>) =>
  Flag.String(name).pipe(
    Flag.withDescription(`of ${known.join(",")}`),
    Flag.map((text) => text.split(",").filter((part) => part !== "")),
    Flag.withDefault(byDefault)
  )

const inventory = Command.make(
  "inventory",
  {
    workloads: names("workload", InventoryBench.allWorkloads, InventoryBench.allWorkloads),
    ours: names("ours", InventoryBench.allLevels, ["L3"]),
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
    const result = yield* InventoryBench.run(options)
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify({ ...result, options }, null, 2))
    }
    if (result.wrong.length > 0)
      return yield* Effect.fail(new BenchFailed({ message: result.wrong.join("\n") }))
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Our inventory against other ticketing systems' designs and the limits of the HTTP layer"
  )
)

Command.make("bench").pipe(
  Command.withDescription("Benchmarks; every figure is a ratio of one run, with its spread"),
  Command.withSubcommands([holds, inventory]),
  Command.run({ version: "1" }),
  Effect.provide([NodeServices.layer, NodeHttpClient.layerUndici]),
  NodeRuntime.runMain
)
