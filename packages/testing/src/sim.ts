/**
 * `npm run sim -- --seeds N --seed S`: more seeds of the inventory's simulation than the tests run.
 * `npm run sim -- purchases …`: more random purchases than the tests make.
 * `npm run sim -- mails …`: purchases while the processes that send their mails are killed.
 * `npm run sim -- balance …`: how evenly events load the runners of a cluster.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Clock, Console, Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as InventorySimulation from "./InventorySimulation.ts"

/** A seed broke a rule. */
class SeedFailed extends Schema.TaggedError<SeedFailed>()("SeedFailed", { message: Schema.String }) {}

const seedsAtOnce = 500

const sim = Command.make(
  "sim",
  {
    seeds: Flag.Int("seeds").pipe(Flag.withDescription("How many seeds to run"), Flag.withDefault(10_000)),
    seed: Flag.Int("seed").pipe(Flag.withDescription("The first of them"), Flag.withDefault(1)),
    trace: Flag.Boolean("trace").pipe(
      Flag.withDescription("Run the first seed alone and print what happens"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ seed, seeds, trace }) {
    if (trace) return yield* Console.log(InventorySimulation.report({ seed }))
    const startedMs = yield* Clock.currentTimeMillis
    const total = { rows: 0, commands: 0, refusals: 0, owners: 0, crashes: 0, conflicts: 0 }
    for (let done = 0; done < seeds; ) {
      const count = Math.min(seedsAtOnce, seeds - done)
      const failed = InventorySimulation.search({ seed: seed + done, seeds: count }, ({ counts }) => {
        total.rows += counts.rows
        total.commands += counts.commands
        total.refusals += counts.refusals
        total.owners += counts.owners
        total.crashes += counts.crashes
        total.conflicts += counts.conflicts
      })
      if (failed !== undefined) {
        yield* Console.log(InventorySimulation.report({ seed: failed.seed }))
        return yield* new SeedFailed({
          message: `seed ${failed.seed}: ${failed.breach} (again: npm run sim -- --trace --seed ${failed.seed})`
        })
      }
      done += count
      const seconds = ((yield* Clock.currentTimeMillis) - startedMs) / 1_000
      yield* Console.log(`${done} of ${seeds} seeds, ${Math.round(seconds)} s`)
      // Lets Ctrl-C through.
      yield* Effect.sleep(0)
    }
    yield* Console.log(
      `no breach: ${total.commands} commands (${total.refusals} refused) in ${total.rows} rows, ` +
        `${total.owners} owners, ${total.crashes} crashes, ${total.conflicts} stale commits turned away`
    )
  })
).pipe(
  Command.withDescription("A seeded simulation of the inventory under crashes, freezes and lost messages")
)

const purchases = Command.make(
  "purchases",
  {
    purchases: Flag.Int("purchases").pipe(Flag.withDescription("How many to make"), Flag.withDefault(10_000)),
    faults: Flag.Finite("faults").pipe(
      Flag.withDescription("The part of the providers' money calls that is struck"),
      Flag.withDefault(0.2)
    ),
    failFirst: Flag.Finite("fail-first").pipe(
      Flag.withDescription(
        "Instead of all other faults, the part of the calls to the first provider that fails; how many sales get through is measured"
      ),
      Flag.optional
    ),
    providers: Flag.Int("providers").pipe(Flag.withDescription("1 or 2"), Flag.withDefault(2)),
    seed: Flag.Int("seed").pipe(Flag.withDescription("Of all that is drawn"), Flag.withDefault(1)),
    concurrency: Flag.Int("concurrency").pipe(
      Flag.withDescription("Purchases at the same time"),
      Flag.withDefault(48)
    ),
    crashes: Flag.Int("crashes").pipe(
      Flag.withDescription("How often our process is killed"),
      Flag.withDefault(10)
    ),
    speed: Flag.Finite("speed").pipe(
      Flag.withDescription("How much faster than the true one the clock runs"),
      Flag.withDefault(4)
    )
  },
  Effect.fn(function* (flags) {
    // A second's worth of modules that the simulation of the inventory does not need.
    const { runPurchases } = yield* Effect.promise(() => import("./money/PurchasesRun.ts"))
    yield* runPurchases(flags)
  })
).pipe(
  Command.withDescription(
    "Random purchases over a real Postgres and sandbox providers that fail, with lost webhooks and a process that is killed; in the end all books must agree"
  )
)

const balance = Command.make(
  "balance",
  {
    runners: Flag.String("runners").pipe(
      Flag.withDescription("Numbers of runners"),
      Flag.withDefault("3,8,16,32,64")
    ),
    shards: Flag.Int("shards").pipe(Flag.withDescription("Of the group"), Flag.withDefault(300)),
    events: Flag.Int("events").pipe(Flag.withDefault(10_000)),
    zipf: Flag.Finite("zipf").pipe(Flag.withDescription("The exponent"), Flag.withDefault(1)),
    seed: Flag.Int("seed").pipe(Flag.withDescription("Of the first draw"), Flag.withDefault(1)),
    draws: Flag.Int("draws").pipe(
      Flag.withDescription("Each with events and runners of its own"),
      Flag.withDefault(11)
    )
  },
  Effect.fn(function* (flags) {
    const { runBalance } = yield* Effect.promise(() => import("./balance/BalanceRun.ts"))
    yield* runBalance(flags)
  })
).pipe(
  Command.withDescription("How evenly events load the runners of a cluster, by the library's own shards")
)

const mails = Command.make(
  "mails",
  {
    purchases: Flag.Int("purchases").pipe(Flag.withDefault(5_000)),
    kills: Flag.Int("kills").pipe(
      Flag.withDescription("How often a process is killed"),
      Flag.withDefault(20)
    ),
    runners: Flag.Int("runners").pipe(
      Flag.withDescription("Processes at the same time"),
      Flag.withDefault(2)
    ),
    seed: Flag.Int("seed").pipe(Flag.withDescription("Of all that is drawn"), Flag.withDefault(1))
  },
  Effect.fn(function* (flags) {
    const { runMails } = yield* Effect.promise(() => import("./mails/MailsRun.ts"))
    yield* runMails(flags)
  })
).pipe(
  Command.withDescription(
    "Purchases while notification runners are killed at random, over a real Postgres and a mail server that counts"
  )
)

sim.pipe(
  Command.withSubcommands([purchases, mails, balance]),
  Command.run({ version: "1" }),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
