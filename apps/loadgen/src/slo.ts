/** `npm run slo -- --level L1`: starts a level for real, runs the traffic of a day, and says which objectives hold. */
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Option, Runtime, Schema } from "effect"
import { Command } from "effect/cli"
import { machine, statement } from "./Machine.ts"
import * as OpenLoop from "./open/OpenLoop.ts"
import * as Capacity from "./slo/Capacity.ts"
import * as FlashRun from "./slo/FlashRun.ts"
import { asked } from "@onsale/contracts/ServiceLevel"
import * as LevelProcesses from "./slo/LevelProcesses.ts"
import type { Measured } from "./slo/Measured.ts"
import * as Objectives from "./slo/Objectives.ts"
import * as Outcome from "./slo/Outcome.ts"
import * as OverloadRun from "./slo/OverloadRun.ts"
import * as Profiles from "./slo/Profiles.ts"
import * as Plots from "./slo/Plots.ts"
import * as ScalingRun from "./slo/ScalingRun.ts"
import { flags, misuse, type SloOptions } from "./slo/SloOptions.ts"
import * as SloReport from "./slo/SloReport.ts"
import * as SoakRun from "./slo/SoakRun.ts"
import * as SloRun from "./slo/SloRun.ts"

/** An objective does not hold, or nothing could be asked. */
class SloFailed extends Schema.TaggedError<SloFailed>()("SloFailed", { message: Schema.String }) {
  /** Told below, without a stack: it is an answer and no accident. */
  override readonly [Runtime.errorReported] = false
}

const ceilingSeconds = 2
/** Of the processes before a crowd comes: their first seconds are their compiler's. */
const flashWarmUpRate = 100
/** The whole flash, from the first buyer to the last ticket. */
const flashSeconds = 60

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
  options: SloOptions,
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
  const outcome: Outcome.Outcome = {
    title: `${options.level}: ${buyers} buyers in one second for ${seats} seats`,
    objectives: FlashRun.judge({ buyers, seats }, measured),
    details: details(measured, ceiling),
    measured,
    plots: Plots.ofMeasured(measured),
    figures: measured
  }
  return outcome
})

/** The rate to run at: as said, the level's, or found by a search. */
const rateOf = Effect.fnUntraced(function* (
  level: LevelProcesses.RunningLevel,
  options: SloOptions,
  /** Where more than the level is asked for is looked for. */
  most?: number
) {
  const found = Option.contains(options.rps, "auto")
    ? yield* Effect.flatMap(SloRun.openSale(level, SloRun.eventsFor(0, 0)), (events) =>
        SloRun.capacity(level, events, options.mix, options, most)
      )
    : undefined
  const whole =
    found?.requestsPerSecond ??
    Option.match(options.rps, { onNone: () => asked[options.level].requestsPerSecond, onSome: Number })
  const rate = Math.round(whole * options.share)
  if (!(rate > 0)) return yield* new SloFailed({ message: "no rate is carried" })
  return { rate, found }
})

/** What is wrong with a rate that was found, before all else that is said of it. */
const doubts = (found: Capacity.Found | undefined): ReadonlyArray<string> => {
  const doubt = found === undefined ? undefined : Capacity.doubt(found)
  return doubt === undefined ? [] : [doubt, ""]
}

/** Keys of orders count for ever: no run has the seed of those that looked for the rate. */
const ownSeeds = 1_000
/** How often a rate that was found is lowered, and by how much, until it is carried for the whole time. */
const lowerings = 3
const lowered = 0.9

const day = Effect.fnUntraced(function* (
  level: LevelProcesses.RunningLevel,
  options: SloOptions,
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
  const { found, rate: first } = yield* rateOf(level, options)
  let rate = first
  let measured = yield* at(rate, options.seed + ownSeeds)
  // What is carried for some seconds is not carried for as long as one likes.
  for (let i = 1; i <= lowerings && Option.contains(options.rps, "auto"); i++) {
    if (SloRun.carries(options.level, rate, seconds, measured.load)) break
    rate = Math.round(rate * lowered)
    measured = yield* at(rate, options.seed + ownSeeds + i)
  }
  const step = {
    runners: options.runners,
    requestsPerSecond: measured.load.answeredPerSecond,
    cores: ScalingRun.serverCores(measured.looks)
  }
  const outcome: Outcome.Outcome = {
    title: `${options.level}: ${mix === "normal" ? "a normal day" : "an on-sale"}, ${rate} requests a second, ${seconds} s`,
    objectives: [
      ...Objectives.judge(options.level, measured, rate, options.share),
      ...(seconds < SoakRun.leastSeconds ? [] : SoakRun.judge(measured))
    ],
    details: [
      ...doubts(found),
      details(measured, ceiling),
      ...(options.level === "L3" ? ["", ScalingRun.estimate(step)] : [])
    ].join("\n"),
    measured,
    plots: Plots.ofMeasured(measured),
    figures: { rate, found, measured }
  }
  return outcome
})

/** What can be too much for any level on any machine. */
const mostOfOverload = asked.L3.requestsPerSecond

const overload = Effect.fnUntraced(function* (
  level: LevelProcesses.RunningLevel,
  options: SloOptions,
  times: number
) {
  const { found, rate } = yield* rateOf(level, options, mostOfOverload)
  const { audit, runs } = yield* OverloadRun.run(level, options.mix, rate, times, options)
  const [first, middle, over] = runs
  const outcome: Outcome.Outcome = {
    title: `${options.level}: ${rate} requests a second, then ${times} times as many`,
    objectives: OverloadRun.judge({
      level: options.level,
      times,
      seconds: options.seconds,
      found,
      first: first.load,
      middle: middle.load,
      over: over.load,
      audit
    }),
    details: [
      ...doubts(found),
      ...runs.flatMap(({ load, requestsPerSecond }) => [
        `At ${requestsPerSecond} a second:`,
        "",
        SloReport.latencies(load),
        "",
        SloReport.answers(load),
        ""
      ]),
      SloReport.audit(audit)
    ].join("\n"),
    measured: undefined,
    plots: runs.flatMap(({ load, requestsPerSecond }) =>
      Plots.ofLoad(load, `At ${requestsPerSecond} a second: `)
    ),
    figures: { rate, found, runs, audit }
  }
  return outcome
})

const scaling = Effect.fnUntraced(function* (options: SloOptions) {
  const steps = yield* ScalingRun.run(options.runners, options.mix, options)
  const last = steps.at(-1)
  const outcome: Outcome.Outcome = {
    title: `L3 with 1 to ${options.runners} booking runners on ${machine.cores} cores`,
    objectives: [],
    details: [
      ScalingRun.table(steps),
      "",
      ...steps.flatMap(({ doubt, runners }) => (doubt === undefined ? [] : [`${runners}: ${doubt}`, ""])),
      ...(last === undefined ? [] : [ScalingRun.estimate(last)])
    ].join("\n"),
    measured: undefined,
    plots: Plots.ofSteps(steps),
    figures: steps
  }
  return outcome
})

Command.make(
  "slo",
  flags,
  Effect.fn(
    function* (options) {
      const wrong = misuse(options)
      if (wrong !== undefined) return yield* new SloFailed({ message: wrong })
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
      yield* Outcome.report(outcome, profiles, about, options)
      const named = (objectives: Outcome.Outcome["objectives"]) =>
        objectives.map(({ name }) => name).join("; ")
      const failed = outcome.objectives.filter(({ passed }) => passed === false)
      // What was not seen has not held.
      const unseen = outcome.objectives.filter(
        ({ passed, target }) => passed === undefined && target !== Objectives.stated
      )
      if (failed.length > 0) return yield* new SloFailed({ message: `does not hold: ${named(failed)}` })
      if (unseen.length > 0) return yield* new SloFailed({ message: `was not seen: ${named(unseen)}` })
    },
    Effect.scoped,
    Effect.tapErrorTag("SloFailed", ({ message }) => Console.error(message))
  )
).pipe(
  Command.withDescription("The objectives of a level under the traffic of a day"),
  Command.run({ version: "1" }),
  Effect.provide([NodeServices.layer, NodeHttpClient.layerUndici]),
  NodeRuntime.runMain
)
