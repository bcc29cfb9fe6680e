/** `npm run slo -- --level L1`: starts a level for real, runs the traffic of a day, and says which objectives hold. */
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { machine, statement } from "./Machine.ts"
import { mixNames } from "./open/Mix.ts"
import * as OpenLoop from "./open/OpenLoop.ts"
import * as FlashRun from "./slo/FlashRun.ts"
import * as HtmlReport from "./slo/HtmlReport.ts"
import { asked, levels } from "@onsale/contracts/ServiceLevel"
import * as LevelProcesses from "./slo/LevelProcesses.ts"
import type { Measured } from "./slo/Measured.ts"
import * as Objectives from "./slo/Objectives.ts"
import * as OverloadRun from "./slo/OverloadRun.ts"
import * as Profiles from "./slo/Profiles.ts"
import type { ProfileSummary } from "./slo/ProfileSummary.ts"
import * as ScalingRun from "./slo/ScalingRun.ts"
import * as SloReport from "./slo/SloReport.ts"
import * as SoakRun from "./slo/SoakRun.ts"
import * as SloRun from "./slo/SloRun.ts"

/** An objective does not hold, or nothing could be asked. */
class SloFailed extends Schema.TaggedError<SloFailed>()("SloFailed", { message: Schema.String }) {}

const ceilingSeconds = 2
/** Of the processes before a crowd comes: their first seconds are their compiler's. */
const flashWarmUpRate = 100
/** The whole flash, from the first buyer to the last ticket. */
const flashSeconds = 60

const flags = {
  level: Flag.Literals("level", levels).pipe(Flag.withDefault("L0" as const)),
  single: Flag.Boolean("single").pipe(
    Flag.withDescription("all roles in one process, as `npm start`, also at L3"),
    Flag.withDefault(false)
  ),
  rps: Flag.String("rps").pipe(
    Flag.withDescription(
      "requests a second, or `auto`: the most that this machine carries; the level's when left out"
    ),
    Flag.optional
  ),
  share: Flag.Finite("share").pipe(
    Flag.withDescription("of the rate that --rps says or finds, such as 0.7 for a soak"),
    Flag.withDefault(1)
  ),
  seconds: Flag.Int("seconds").pipe(Flag.withDefault(60)),
  warmUpSeconds: Flag.Int("warm-up").pipe(Flag.withDescription("seconds"), Flag.withDefault(15)),
  mix: Flag.Literals("mix", mixNames).pipe(Flag.withDefault("normal" as const)),
  flash: Flag.Boolean("flash").pipe(
    Flag.withDescription("a crowd within one second, one seat each"),
    Flag.withDefault(false)
  ),
  buyers: Flag.Int("buyers").pipe(Flag.withDescription("of a flash"), Flag.withDefault(20_000)),
  seats: Flag.Int("seats").pipe(Flag.withDescription("of a flash"), Flag.withDefault(1_000)),
  overload: Flag.Finite("overload").pipe(
    Flag.withDescription("then so many times that rate, such as 3"),
    Flag.optional
  ),
  scaling: Flag.Boolean("scaling").pipe(
    Flag.withDescription("L3 with 1 to --runners booking runners"),
    Flag.withDefault(false)
  ),
  workers: Flag.Int("workers").pipe(Flag.withDescription("threads that send"), Flag.withDefault(1)),
  connections: Flag.Int("connections").pipe(Flag.withDescription("at most"), Flag.withDefault(2_000)),
  runners: Flag.Int("runners").pipe(Flag.withDescription("booking runners at L3"), Flag.withDefault(3)),
  profiles: Flag.String("profiles").pipe(
    Flag.withDescription("a directory for a profile of the CPU of each process; it costs speed"),
    Flag.optional
  ),
  seed: Flag.Int("seed").pipe(Flag.withDefault(1)),
  json: Flag.String("json").pipe(Flag.withDescription("write all figures to this file"), Flag.optional),
  html: Flag.String("html").pipe(
    Flag.withDescription("write a report with plots to this file"),
    Flag.optional
  )
}

interface Outcome {
  readonly title: string
  readonly objectives: ReadonlyArray<Objectives.Objective>
  readonly details: string
  /** Where processes were watched. */
  readonly measured: Measured | undefined
  readonly figures: unknown
}

type Options = Command.Command.Config.Infer<typeof flags>

const details = (measured: Measured, ceiling: number): string =>
  [
    SloReport.latencies(measured.load),
    "",
    SloReport.generator(measured.load, ceiling),
    SloReport.cores(measured.looks, machine.cores),
    SloReport.bound(measured.looks, machine.cores),
    SloReport.queues(measured.looks),
    SloReport.answers(measured.load),
    "",
    SloReport.memory(measured.looks),
    "",
    SloReport.audit(measured.audit)
  ].join("\n")

const flash = Effect.fnUntraced(function* (
  level: LevelProcesses.RunningLevel,
  options: Options,
  ceiling: number
) {
  const { buyers, seats } = options
  const rehearsal = yield* SloRun.openSale(level, SloRun.eventsFor(0, 0))
  yield* SloRun.drive(
    level,
    rehearsal,
    { type: "mix", mix: "onsale", requestsPerSecond: flashWarmUpRate },
    {
      ...options,
      warmUpSeconds: 0,
      seconds: options.warmUpSeconds,
      seed: options.seed + 500
    }
  )
  const events = yield* SloRun.openSale(level, 1, seats)
  const measured = yield* SloRun.measure(
    level,
    events,
    { type: "flash", buyers },
    {
      ...options,
      warmUpSeconds: 0,
      seconds: flashSeconds
    }
  )
  const outcome: Outcome = {
    title: `${options.level}: ${buyers} buyers in one second for ${seats} seats`,
    objectives: FlashRun.judge({ buyers, seats }, measured),
    details: details(measured, ceiling),
    measured,
    figures: measured
  }
  return outcome
})

/** The rate to run at: as said, the level's, or found. */
const rateOf = Effect.fnUntraced(function* (level: LevelProcesses.RunningLevel, options: Options) {
  const found = Option.contains(options.rps, "auto")
    ? yield* Effect.flatMap(SloRun.openSale(level, SloRun.eventsFor(0, 0)), (events) =>
        SloRun.capacity(level, events, options.mix, options)
      )
    : Option.match(options.rps, { onNone: () => asked[options.level].requestsPerSecond, onSome: Number })
  const rate = Math.round(found * options.share)
  if (!(rate > 0)) return yield* new SloFailed({ message: "no rate is carried, or --rps is no number" })
  return rate
})

/** Keys of orders count for ever: no run has the seed of those that looked for the rate. */
const ownSeeds = 1_000
/** How often a rate that was found is lowered, and by how much, until it is carried for the whole time. */
const lowerings = 3
const lowered = 0.9

const day = Effect.fnUntraced(function* (
  level: LevelProcesses.RunningLevel,
  options: Options,
  ceiling: number
) {
  const { mix, seconds } = options
  const at = Effect.fnUntraced(function* (rate: number, seed: number) {
    yield* Console.error(`${options.level} at ${rate} requests a second for ${seconds} s`)
    const events = yield* SloRun.openSale(level, SloRun.eventsFor(rate, seconds + options.warmUpSeconds))
    return yield* SloRun.measure(
      level,
      events,
      { type: "mix", mix, requestsPerSecond: rate },
      { ...options, seed }
    )
  })
  let rate = yield* rateOf(level, options)
  let measured = yield* at(rate, options.seed + ownSeeds)
  // What is carried for some seconds is not carried for as long as one likes.
  for (let i = 1; i <= lowerings && Option.contains(options.rps, "auto"); i++) {
    if (SloRun.carries(level, rate, seconds, measured.load)) break
    rate = Math.round(rate * lowered)
    measured = yield* at(rate, options.seed + ownSeeds + i)
  }
  const step = {
    runners: options.runners,
    requestsPerSecond: measured.load.answeredPerSecond,
    cores: ScalingRun.serverCores(measured.looks)
  }
  const outcome: Outcome = {
    title: `${options.level}: ${mix === "normal" ? "a normal day" : "an on-sale"}, ${rate} requests a second, ${seconds} s`,
    objectives: [
      ...Objectives.judge(options.level, measured, rate, options.share),
      ...(seconds < SoakRun.leastSeconds ? [] : SoakRun.judge(measured))
    ],
    details: [
      details(measured, ceiling),
      ...(options.level === "L3" ? ["", ScalingRun.estimate(step)] : [])
    ].join("\n"),
    measured,
    figures: { rate, measured }
  }
  return outcome
})

const overload = Effect.fnUntraced(function* (
  level: LevelProcesses.RunningLevel,
  options: Options,
  times: number
) {
  const rate = yield* rateOf(level, options)
  const { audit, objectives, over, peak } = yield* OverloadRun.run(level, options.mix, rate, times, options)
  const outcome: Outcome = {
    title: `${options.level}: ${rate} requests a second, then ${times} times as many`,
    objectives,
    details: [SloReport.answers(peak), "", SloReport.answers(over), "", SloReport.audit(audit)].join("\n"),
    measured: undefined,
    figures: { peak, over, audit }
  }
  return outcome
})

const scaling = Effect.fnUntraced(function* (options: Options) {
  const steps = yield* ScalingRun.run(options.runners, options.mix, options)
  const last = steps.at(-1)
  const outcome: Outcome = {
    title: `L3 with 1 to ${options.runners} booking runners on ${machine.cores} cores`,
    objectives: [],
    details: [ScalingRun.table(steps), "", ...(last === undefined ? [] : [ScalingRun.estimate(last)])].join(
      "\n"
    ),
    measured: undefined,
    figures: steps
  }
  return outcome
})

const report = Effect.fnUntraced(function* (
  outcome: Outcome,
  profiles: ReadonlyArray<ProfileSummary>,
  about: string,
  { html, json }: Options
) {
  const { figures, measured, objectives, title } = outcome
  const details =
    profiles.length === 0
      ? outcome.details
      : [outcome.details, "", Profiles.bound(profiles), "", Profiles.table(profiles)].join("\n")
  yield* Console.log(
    `# ${title}\n\n${objectives.length > 0 ? `${SloReport.table(objectives)}\n\n` : ""}${details}`
  )
  const fs = yield* FileSystem.FileSystem
  if (Option.isSome(json))
    yield* fs.writeFileString(
      json.value,
      JSON.stringify({ machine, title, objectives, figures, profiles }, null, 2)
    )
  if (Option.isSome(html) && measured !== undefined)
    yield* fs.writeFileString(
      html.value,
      yield* HtmlReport.render({ title, machine: about, objectives, measured, details })
    )
})

Command.make(
  "slo",
  flags,
  Effect.fn(function* (options) {
    const about = yield* statement
    yield* Console.log(`${about}\n`)
    const ceiling = yield* OpenLoop.ceiling(options.workers, ceilingSeconds)
    yield* Console.error(`the generator alone: ${Math.round(ceiling)} requests a second`)
    const outcome = options.scaling
      ? yield* scaling(options)
      : yield* Effect.scoped(
          Effect.flatMap(LevelProcesses.start(options), (level) =>
            options.flash
              ? flash(level, options, ceiling)
              : Option.match(options.overload, {
                  onNone: () => day(level, options, ceiling),
                  onSome: (times) => overload(level, options, times)
                })
          )
        )
    // They are there once the processes have ended.
    const profiles = Option.isNone(options.profiles)
      ? []
      : yield* Profiles.read(options.profiles.value, outcome.measured?.looks).pipe(
          // One that was cut off does not cost the report.
          Effect.catch((cause) =>
            Effect.as(Console.error(`the profiles cannot be read: ${String(cause)}`), [])
          )
        )
    yield* report(outcome, profiles, about, options)
    const named = (objectives: Outcome["objectives"]) => objectives.map(({ name }) => name).join("; ")
    const failed = outcome.objectives.filter(({ passed }) => passed === false)
    // What was not seen has not held.
    const unseen = outcome.objectives.filter(
      ({ passed, target }) => passed === undefined && target !== Objectives.stated
    )
    if (failed.length > 0) return yield* new SloFailed({ message: `does not hold: ${named(failed)}` })
    if (unseen.length > 0) return yield* new SloFailed({ message: `was not seen: ${named(unseen)}` })
  }, Effect.scoped)
).pipe(
  Command.withDescription("The objectives of a level under the traffic of a day"),
  Command.run({ version: "1" }),
  Effect.provide([NodeServices.layer, NodeHttpClient.layerUndici]),
  NodeRuntime.runMain
)
