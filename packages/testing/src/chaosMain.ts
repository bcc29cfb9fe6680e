/**
 * `npm run chaos -- --seed N [--seeds M] [--rounds R] [--fault kill:booking-2:3000 …] [--logs DIRECTORY]`: a cluster in containers is hurt by a seeded schedule while
 * buyers buy. Needs a container engine and the images (`infra/ci/engine.sh`, `infra/ci/images.sh`).
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as Chaos from "./cluster/Chaos.ts"
import * as ClusterWorld from "./cluster/ClusterWorld.ts"
import * as Faults from "./cluster/Faults.ts"

class Breached extends Schema.TaggedError<Breached>()("Breached", { message: Schema.String }) {}

const size = { gateways: 2, booking: 3, payment: 2, notification: 1 }

const keepLogs = Effect.fnUntraced(function* (world: ClusterWorld.ClusterWorld, directory: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(directory, { recursive: true })
  yield* Effect.forEach(
    [...Faults.victims(world).values(), world.postgres, world.redis, world.sandbox],
    ({ logs, name }) => Effect.flatMap(logs, (text) => fs.writeFileString(`${directory}/${name}.log`, text)),
    { discard: true }
  )
})

const chaos = Command.make(
  "chaos",
  {
    seed: Flag.Int("seed").pipe(Flag.withDescription("The first seed"), Flag.withDefault(1)),
    seeds: Flag.Int("seeds").pipe(Flag.withDescription("How many, one after another"), Flag.withDefault(1)),
    rounds: Flag.Int("rounds").pipe(Flag.withDescription("Rounds of faults a seed"), Flag.withDefault(4)),
    faults: Flag.String("fault").pipe(
      Flag.withDescription(
        "A round of faults instead, as kill|freeze|cut|restart:machine:milliseconds, with commas between"
      ),
      Flag.atLeast(0)
    ),
    logs: Flag.String("logs").pipe(
      Flag.withDescription("A directory for what the machines said"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ faults, logs, rounds, seed, seeds }) {
    const wanted = yield* Effect.forEach(faults, (round) =>
      Effect.forEach(round.split(","), (text) => {
        const fault = Faults.parse(text)
        return fault === undefined
          ? Effect.fail(new Breached({ message: `${text} is no fault` }))
          : Effect.succeed(fault)
      })
    )
    yield* Console.log("starting the cluster")
    const world = yield* ClusterWorld.start(size)
    if (Option.isSome(logs)) yield* Effect.addFinalizer(() => Effect.ignore(keepLogs(world, logs.value)))
    const breaches: Array<string> = []
    for (let i = 0; i < seeds; i++) {
      const report = yield* Chaos.run(world, {
        seed: seed + i,
        rounds,
        ...(wanted.length === 0 ? {} : { faults: wanted }),
        say: (line) => Console.log(line)
      })
      breaches.push(...report.breaches.map((breach) => `seed ${report.seed}: ${breach}`))
      yield* Effect.forEach(report.breaches, (breach) => Console.log(`  ${breach}`))
    }
    if (breaches.length > 0) return yield* new Breached({ message: `${breaches.length} breaches` })
    yield* Console.log(`${seeds} seeds, no breach`)
  }, Effect.scoped)
).pipe(Command.withDescription("Hurt a cluster by a seeded schedule while buyers buy"))

Command.run(chaos, { version: "0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
