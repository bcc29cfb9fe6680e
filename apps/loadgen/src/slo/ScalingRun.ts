/** What a level carries with one booking runner, with two, and so on; each a cluster of its own. */
import { Console, Effect, Option } from "effect"
import type { MixName } from "../open/Mix.ts"
import { markdown } from "../Table.ts"
import * as Capacity from "./Capacity.ts"
import * as LevelProcesses from "./LevelProcesses.ts"
import * as Measured from "./Measured.ts"
import * as SloRun from "./SloRun.ts"
import * as Watch from "./Watch.ts"

const asked = 100_000

export interface Step {
  readonly runners: number
  readonly requestsPerSecond: number
  /** Of all processes but the generator, at that rate. */
  readonly cores: number
  /** What is wrong with the rate, where something is known to be. */
  readonly doubt?: string | undefined
}

/** Requests a second that a core carries. */
const aCore = ({ cores, requestsPerSecond }: Step) => requestsPerSecond / cores

/** Cores that all processes but the generator used. */
export const serverCores = (looks: Measured.Measured["looks"]): number =>
  Object.entries(Measured.coresByProcess(looks)).reduce(
    (sum, [name, cores]) => (name === Watch.generator.name || !Number.isFinite(cores) ? sum : sum + cores),
    0
  )

/** Named as what it is: nobody has run so many. */
export const estimate = (step: Step): string =>
  `Estimate, not measured: at ${aCore(step).toFixed(0)} requests a second a core, ${asked} a second would need ${Math.ceil(asked / aCore(step))} cores for all processes but the generator, if every part scales as it did here.`

export const table = (steps: ReadonlyArray<Step>): string =>
  markdown(
    ["booking runners", "requests a second", "cores", "a core"],
    steps.map((step) => [
      String(step.runners),
      String(step.requestsPerSecond),
      step.cores.toFixed(2),
      aCore(step).toFixed(0)
    ])
  )

/** The capacity with 1 to `most` booking runners. */
export const run = Effect.fn("ScalingRun.run")(function* (
  most: number,
  mix: MixName,
  options: SloRun.LoadOptions
) {
  const steps: Array<Step> = []
  for (let runners = 1; runners <= most; runners++) {
    yield* Console.error(`${runners} booking runners`)
    const step = yield* Effect.scoped(
      Effect.gen(function* () {
        const level = yield* LevelProcesses.start({
          level: "L3",
          runners,
          single: false,
          profiles: Option.none()
        })
        const events = yield* SloRun.openSale(level, SloRun.eventsFor(0, 0))
        const { requestsPerSecond, ...found } = yield* SloRun.capacity(level, events, mix, options)
        const watched = yield* Effect.scoped(
          Effect.gen(function* () {
            const watch = yield* Watch.make(level)
            yield* watch.during(
              SloRun.drive(
                level,
                events,
                { type: "mix", mix, requestsPerSecond },
                { ...options, seed: options.seed + 500 }
              )
            )
            return watch.looks
          })
        )
        return {
          runners,
          requestsPerSecond,
          cores: serverCores(watched),
          doubt: Capacity.doubt({ requestsPerSecond, ...found })
        }
      })
    )
    steps.push(step)
  }
  return steps
})
