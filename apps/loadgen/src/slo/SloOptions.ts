/** What `npm run slo` is told. */
import { levels } from "@onsale/contracts/ServiceLevel"
import { Option } from "effect"
import { type Command, Flag } from "effect/cli"
import { mixNames } from "../open/Mix.ts"

const flashOf = { buyers: 20_000, seats: 1_000 }
const defaultRunners = 3

export const flags = {
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
  buyers: Flag.Int("buyers").pipe(Flag.withDescription("of a flash"), Flag.withDefault(flashOf.buyers)),
  seats: Flag.Int("seats").pipe(Flag.withDescription("of a flash"), Flag.withDefault(flashOf.seats)),
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
  runners: Flag.Int("runners").pipe(
    Flag.withDescription("booking runners at L3"),
    Flag.withDefault(defaultRunners)
  ),
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

export type SloOptions = Command.Command.Config.Infer<typeof flags>

/** Why two of them cannot be done in one run, of which one would be left undone without a word. */
const conflict = (options: SloOptions): string | undefined => {
  const { buyers, flash, level, overload, profiles, rps, runners, scaling, seats, share } = options
  const runs = [
    ...(flash ? ["--flash"] : []),
    ...(Option.isSome(overload) ? ["--overload"] : []),
    ...(scaling ? ["--scaling"] : [])
  ]
  if (runs.length > 1) return `${runs.join(" and ")} are runs of their own: say one of them`
  if (!flash && (buyers !== flashOf.buyers || seats !== flashOf.seats))
    return "--buyers and --seats are of a --flash"
  if (flash && (Option.isSome(rps) || share !== 1))
    return "--flash is a crowd within one second: it takes no --rps and no --share"
  if (runners !== defaultRunners && level !== "L3" && !scaling)
    return `--runners ${runners}: of L3, not of ${level}`
  // It finds the rate of each number of runners, which `auto` says.
  if (scaling && Option.isSome(rps) && rps.value !== "auto")
    return `--scaling looks for the rate that each number of runners carries: it takes no --rps ${rps.value}`
  if (scaling && share !== 1)
    return `--scaling runs at the whole rate that it finds: it takes no --share ${share}`
  // Each number of runners has processes of the same names.
  return scaling && Option.isSome(profiles) ? "--scaling keeps no --profiles" : undefined
}

/** What is wrong with them, before anything is started for them; undefined where nothing is. */
export const misuse = (options: SloOptions): string | undefined => {
  const { buyers, connections, overload, rps, runners, seats, seconds, share, warmUpSeconds, workers } =
    options
  const counts = { buyers, seats, workers, connections, runners, seconds }
  const none = Object.entries(counts).find(([, count]) => count < 1)
  if (none !== undefined) return `--${none[0]} ${none[1]}: at least 1`
  if (warmUpSeconds < 0) return `--warm-up ${warmUpSeconds}: at least 0`
  if (!(share > 0 && share <= 1)) return `--share ${share}: more than 0, and 1 at most`
  if (Option.isSome(overload) && !(overload.value > 1)) return `--overload ${overload.value}: more than 1`
  if (Option.isSome(rps) && rps.value !== "auto" && !(Number(rps.value) > 0 && Number(rps.value) < Infinity))
    return `--rps ${rps.value}: a number of requests a second, or auto`
  return conflict(options)
}
