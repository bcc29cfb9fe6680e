/** `npm run slo -- --level L1`: starts a level for real, runs the traffic of a day, and says which objectives hold. */
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { machine, statement } from "./Machine.ts"
import { mixNames } from "./open/Mix.ts"
import * as OpenLoop from "./open/OpenLoop.ts"
import { asked, levels } from "./slo/Level.ts"
import * as LevelProcesses from "./slo/LevelProcesses.ts"
import * as Objectives from "./slo/Objectives.ts"
import * as SloReport from "./slo/SloReport.ts"
import * as SloRun from "./slo/SloRun.ts"

/** An objective does not hold. */
class SloFailed extends Schema.TaggedError<SloFailed>()("SloFailed", { message: Schema.String }) {}

const ceilingSeconds = 2

const flags = {
  level: Flag.Literals("level", levels).pipe(Flag.withDefault("L0" as const)),
  rps: Flag.String("rps").pipe(
    Flag.withDescription(
      "requests a second, or `auto`: the most that this machine carries; the level's when left out"
    ),
    Flag.optional
  ),
  seconds: Flag.Int("seconds").pipe(Flag.withDefault(60)),
  warmUp: Flag.Int("warm-up").pipe(Flag.withDescription("seconds"), Flag.withDefault(15)),
  mix: Flag.Literals("mix", mixNames).pipe(Flag.withDefault("normal" as const)),
  workers: Flag.Int("workers").pipe(Flag.withDescription("threads that send"), Flag.withDefault(1)),
  connections: Flag.Int("connections").pipe(Flag.withDescription("at most"), Flag.withDefault(2_000)),
  runners: Flag.Int("runners").pipe(Flag.withDescription("booking runners at L3"), Flag.withDefault(3)),
  seed: Flag.Int("seed").pipe(Flag.withDefault(1)),
  json: Flag.String("json").pipe(Flag.withDescription("write all figures to this file"), Flag.optional)
}

Command.make(
  "slo",
  flags,
  Effect.fn(function* ({ json, level, mix, rps, runners, ...options }) {
    yield* Console.log(`${yield* statement}\n`)
    const ceiling = yield* OpenLoop.ceiling(options.workers, ceilingSeconds)
    yield* Console.error(`the generator alone: ${Math.round(ceiling)} requests a second`)
    const running = yield* LevelProcesses.start({ level, runners })
    const load = { ...options, warmUpSeconds: options.warmUp }
    const events = yield* SloRun.openSale(running)
    const isAuto = Option.contains(rps, "auto")
    const rate = isAuto
      ? yield* SloRun.capacity(running, events, mix, load)
      : Option.match(rps, { onNone: () => asked[level].requestsPerSecond, onSome: Number })
    if (!(rate > 0))
      return yield* new SloFailed({ message: "no rate at all is carried, or --rps is no number" })
    yield* Console.error(`${level} at ${rate} requests a second for ${options.seconds} s`)
    const before = process.cpuUsage()
    const begun = performance.now()
    const measured = yield* SloRun.measure(
      running,
      events,
      { type: "mix", mix, requestsPerSecond: rate },
      load
    )
    const used = process.cpuUsage(before)
    const generatorCores = (used.user + used.system) / 1e3 / (performance.now() - begun)
    const objectives = Objectives.judge(level, measured, rate)
    yield* Console.log(
      [
        `# ${level}: ${mix} day, ${rate} requests a second, ${options.seconds} s\n`,
        SloReport.table(objectives),
        "",
        SloReport.latencies(measured.load),
        "",
        SloReport.generator(measured.load, ceiling),
        SloReport.cores(measured.looks, generatorCores, machine.cores),
        SloReport.queues(measured.looks),
        SloReport.answers(measured.load),
        "",
        SloReport.memory(measured.looks),
        "",
        SloReport.audit(measured.audit)
      ].join("\n")
    )
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(
        json.value,
        JSON.stringify({ machine, level, mix, rate, ceiling, options, objectives, measured }, null, 2)
      )
    }
    const failed = objectives.filter(({ passed }) => passed === false)
    if (failed.length > 0)
      return yield* new SloFailed({ message: `does not hold: ${failed.map(({ name }) => name).join("; ")}` })
  }, Effect.scoped)
).pipe(
  Command.withDescription("The objectives of a level under the traffic of a day"),
  Command.run({ version: "1" }),
  Effect.provide([NodeServices.layer, NodeHttpClient.layerUndici]),
  NodeRuntime.runMain
)
