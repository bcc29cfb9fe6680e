/**
 * `npm run chaos -- --seed N [--seeds M] [--rounds R]`: a cluster in containers is hurt by a seeded schedule while
 * buyers buy. Needs a container engine and the images (`infra/ci/engine.sh`, `infra/ci/images.sh`).
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as Chaos from "./cluster/Chaos.ts"
import * as ClusterWorld from "./cluster/ClusterWorld.ts"

class Breached extends Schema.TaggedError<Breached>()("Breached", { message: Schema.String }) {}

const size = { gateways: 2, booking: 3, payment: 2, notification: 1 }

const chaos = Command.make(
  "chaos",
  {
    seed: Flag.Int("seed").pipe(Flag.withDescription("The first seed"), Flag.withDefault(1)),
    seeds: Flag.Int("seeds").pipe(Flag.withDescription("How many, one after another"), Flag.withDefault(1)),
    rounds: Flag.Int("rounds").pipe(Flag.withDescription("Rounds of faults a seed"), Flag.withDefault(4))
  },
  Effect.fn(function* ({ rounds, seed, seeds }) {
    yield* Console.log("starting the cluster")
    const world = yield* ClusterWorld.start(size)
    const breaches: Array<string> = []
    for (let i = 0; i < seeds; i++) {
      const report = yield* Chaos.run(world, { seed: seed + i, rounds, say: (line) => Console.log(line) })
      breaches.push(...report.breaches.map((breach) => `seed ${report.seed}: ${breach}`))
      yield* Effect.forEach(report.breaches, (breach) => Console.log(`  ${breach}`))
    }
    if (breaches.length > 0) return yield* new Breached({ message: `${breaches.length} breaches` })
    yield* Console.log(`${seeds} seeds, no breach`)
  }, Effect.scoped)
).pipe(Command.withDescription("Hurt a cluster by a seeded schedule while buyers buy"))

Command.run(chaos, { version: "0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
