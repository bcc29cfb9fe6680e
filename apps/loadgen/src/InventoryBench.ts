/**
 * `npm run bench -- inventory`: our inventory against what other ticketing systems do, and against the
 * limits of the HTTP layer, on one Postgres and one Redis. All take turns, round by round, so that a change
 * of the machine's speed hits all of them; what counts are the ratios of rounds that belong together.
 */
import { Console, Effect, Option, Schema } from "effect"
import type { Contender } from "./contenders/Contender.ts"
import * as OursContender from "./contenders/OursContender.ts"
import * as PeerContender from "./contenders/PeerContender.ts"
import * as InventoryReport from "./InventoryReport.ts"
import * as LoadProcess from "./LoadProcess.ts"
import * as Machine from "./Machine.ts"
import { type Design, designs } from "./peers/Designs.ts"
import * as PostgresServer from "./PostgresServer.ts"
import * as RedisServer from "./RedisServer.ts"
import { type Bench, type Figures, round } from "./Rounds.ts"
import * as SizesBench from "./SizesBench.ts"
import { type Workload, workloads } from "./Workloads.ts"

export class UnknownName extends Schema.TaggedError<UnknownName>()("UnknownName", {
  message: Schema.String
}) {}

export interface InventoryOptions {
  readonly workloads: ReadonlyArray<string>
  /** Levels; the last is the one the others are compared with. */
  readonly ours: ReadonlyArray<string>
  readonly peers: ReadonlyArray<string>
  readonly connections: number
  readonly seconds: number
  readonly rounds: number
  readonly buyers: number
  /** Connections to Postgres of each peer; its own choice where none. */
  readonly pool: Option.Option<number>
  /** Peers plan as the server does when nobody sets anything. */
  readonly untuned: boolean
  readonly databaseUrl: Option.Option<string>
  readonly redisUrl: Option.Option<string>
}

export const allWorkloads: ReadonlyArray<string> = [...Object.keys(workloads), "sizes"]
export const allPeers: ReadonlyArray<string> = Object.keys(designs)
export const allLevels: ReadonlyArray<string> = Object.keys(OursContender.levels)

const warmUpSeconds = 2
/** So few that they are gone at once, with all buyers still asking. */
const sellOutCapacity = 100
const sellOutSeconds = 1

interface Setting {
  readonly bench: Bench
  readonly options: InventoryOptions
  readonly postgres: PostgresServer.PostgresServer
  readonly redis: Option.Option<RedisServer.RedisServer>
}

/** Designs that take part in a workload. */
const entrants = ({ options, redis }: Setting, workload: Workload) =>
  options.peers.flatMap((name): ReadonlyArray<readonly [string, Design]> => {
    const design = designs[name]
    const sells = workload.quantity > 0 ? design?.places : design?.seats
    if (design === undefined || sells === undefined) return []
    // Nobody gets in its way there, so that it would sell nothing twice.
    if (design.naive && workload.name === "distinct") return []
    return design.needsRedis && Option.isNone(redis) ? [] : [[name, design]]
  })

/** Who of those that were asked for cannot take part without Redis. */
const needRedis = ({ ours, peers }: InventoryOptions): ReadonlyArray<string> => [
  ...ours.filter((name) => OursContender.levels[name]?.needsRedis),
  ...peers.filter((name) => designs[name]?.needsRedis)
]

const startAll = Effect.fnUntraced(function* (setting: Setting, workload: Workload) {
  const { options, postgres, redis } = setting
  const all: Array<Contender> = [yield* PeerContender.rawHttp(), yield* OursContender.constant(postgres)]
  for (const name of options.ours) {
    const level = OursContender.levels[name]
    if (level !== undefined && !(level.needsRedis && Option.isNone(redis)))
      all.push(yield* OursContender.level(name, level, postgres, redis))
  }
  for (const [name, design] of entrants(setting, workload)) {
    const ownPool = workload.quantity > 0 ? design.placePool : design.seatPool
    const pool = Option.getOrElse(options.pool, () => ownPool)
    all.push(yield* PeerContender.peer(name, design, { pool, untuned: options.untuned }, postgres, redis))
  }
  return all
})

/** Lets the compilers of all processes work, and sells an area out, which no round does. */
const warmUp = Effect.fnUntraced(function* (setting: Setting, contender: Contender, workload: Workload) {
  const run = (what: Workload, seconds: number) =>
    round(setting.bench, contender, { ...what, seconds }, 0, false)
  return workload.quantity === 0
    ? [yield* run(workloads.distinct({ seconds: warmUpSeconds, buyers: 0 }), warmUpSeconds)]
    : [
        yield* run(workload, warmUpSeconds),
        yield* run({ ...workload, capacity: sellOutCapacity }, sellOutSeconds)
      ]
})

const runWorkload = Effect.fnUntraced(function* (setting: Setting, workload: Workload) {
  const all = yield* startAll(setting, workload)
  const rows: Array<InventoryReport.Row & { readonly rounds: Array<Figures> }> = []
  for (const contender of all)
    rows.push({ contender, warmUp: yield* warmUp(setting, contender, workload), rounds: [] })
  const last = setting.options.rounds - 1
  for (let n = 0; n <= last; n++)
    for (let i = 0; i < all.length; i++) {
      const at = (i + n) % all.length
      const contender = all[at]!
      const figures = yield* round(setting.bench, contender, workload, n, n === last)
      rows[at]!.rounds.push(figures)
      yield* Console.error(
        `  ${workload.name}, round ${n + 1}, ${contender.name}: ${Math.round(figures.winsPerSecond)} won/s, ${Math.round(figures.refusalsPerSecond)} refused/s, p99 ${figures.p99.toFixed(1)} ms`
      )
    }
  return rows.map(({ contender: { name, label, seenIn, kind, trustsRedis }, ...row }) => ({
    contender: { name, label, seenIn, kind, trustsRedis },
    ...row
  }))
}, Effect.scoped)

const runSizes = Effect.fnUntraced(function* ({ bench, options, postgres, redis }: Setting) {
  const name = options.ours.at(-1) ?? ""
  const level = OursContender.levels[name]
  if (level === undefined) return []
  const contender = yield* OursContender.level(name, level, postgres, redis)
  return yield* SizesBench.run(bench, contender, options.rounds, options.seconds)
}, Effect.scoped)

const ensureKnown = (what: string, given: ReadonlyArray<string>, known: ReadonlyArray<string>) => {
  const wrong = given.find((name) => !known.includes(name))
  return wrong === undefined
    ? Effect.void
    : Effect.fail(new UnknownName({ message: `there is no ${what} ${wrong}; there are ${known.join(", ")}` }))
}

/** Runs what was asked for and prints a table for each workload; all figures are in what it answers. */
export const run = Effect.fn("InventoryBench.run")(function* (options: InventoryOptions) {
  yield* ensureKnown("workload", options.workloads, allWorkloads)
  yield* ensureKnown("peer", options.peers, allPeers)
  yield* ensureKnown("level", options.ours, allLevels)
  const statement = yield* Machine.statement
  const postgres = yield* PostgresServer.make(options.databaseUrl)
  const redis = yield* RedisServer.make(options.redisUrl)
  const setting: Setting = {
    options,
    postgres,
    redis,
    bench: {
      load: yield* LoadProcess.start(),
      connections: options.connections,
      postgres,
      redisPid: Option.getOrUndefined(redis)?.pid
    }
  }
  yield* Console.log(
    [
      statement,
      `Postgres ${postgres.version} (${postgres.settings}); ${Option.isSome(redis) ? "Redis keeps nothing on disk" : `skipped, no redis-server: ${needRedis(options).join(", ")}`}.`,
      `${options.connections} connections, closed loop; ${options.rounds} rounds in turn; values are median [least, most].`
    ].join("\n")
  )
  const results: Array<{
    readonly workload: string
    readonly about: string
    readonly rows: ReadonlyArray<InventoryReport.Row> | ReadonlyArray<SizesBench.SizeRow>
  }> = []
  const wrong: Array<string> = []
  for (const name of options.workloads) {
    const make = Object.entries(workloads).find(([known]) => known === name)?.[1]
    if (make === undefined) {
      const rows = yield* runSizes(setting)
      results.push({ workload: name, about: SizesBench.about, rows })
      yield* Console.log(
        `\n## ${name}: ${SizesBench.about}\n\n${SizesBench.table(rows)}\n\n${SizesBench.verdict(rows)}`
      )
      continue
    }
    const workload = make(options)
    const rows = yield* runWorkload(setting, workload)
    results.push({ workload: name, about: workload.about, rows })
    const surprises = InventoryReport.surprises(rows)
    wrong.push(...surprises)
    yield* Console.log(
      [
        `\n## ${name}: ${workload.about}\n`,
        InventoryReport.table(rows, workload.compares),
        "",
        ...InventoryReport.notes(rows, workload.compares, LoadProcess.busyCores),
        ...surprises
      ].join("\n")
    )
  }
  return {
    machine: Machine.machine,
    statement,
    postgres: { version: postgres.version, settings: postgres.settings },
    results,
    wrong
  }
})
