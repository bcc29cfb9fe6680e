/** Looks at the processes of a level while it is under load: what they use, how far they are behind. */
import { Effect, Fiber, FileSystem, Schedule } from "effect"
import { HttpClient } from "effect/http"
import { Redis } from "ioredis"
import { Worker } from "node:worker_threads"
import { nowMs } from "../open/Client.ts"
import * as Latencies from "../open/Latencies.ts"
import { cpuOf, type LevelProcess, type RunningLevel } from "./LevelProcesses.ts"
import * as MetricsText from "./MetricsText.ts"

export interface Look {
  readonly atMs: number
  /** Seconds of CPU so far, by process. */
  readonly cpuSeconds: Readonly<Record<string, number>>
  /** Resident memory, by process. Of Postgres its first process, which has the shared memory. */
  readonly memoryMiB: Readonly<Record<string, number>>
  /** Of the slowest projection; of the slowest relay to the bus; of the slowest consumer of it. Milliseconds. */
  readonly projectionLagMs: number
  readonly relayLagMs: number
  readonly consumerLagMs: number
  readonly deadLetters: number
  readonly cacheHits: number
  readonly cacheReads: number
  /** Reads of events and availability that came to the gateways, whoever answered them. */
  readonly eventReads: number
  readonly waitingCommands: number
  /** Notices and messages that are due and not sent, as they were within the last seconds. */
  readonly waitingJobs: number
  readonly breakersOpen: number
  /** Of the provider, by call and outcome, so far. */
  readonly calls: Readonly<Record<string, number>>
  /** Commands decided so far, by process. */
  readonly commands: Readonly<Record<string, number>>
  readonly evictedKeys: number
  /** Of all cores of the machine, by whomever; NaN without /proc. */
  readonly machineSeconds: number
}

/** This process, whose threads make the load. */
export const generator: LevelProcess = {
  name: "the generator",
  pid: process.pid,
  operationsPort: undefined,
  family: false
}

/** Of the copies of a gateway those that a cache stands behind. */
const eventCopies = ["boards", "details", "lists", "seat_maps"]

const everyMs = 1_000
/** Of Postgres, which is under load as well. */
const looksAJobsLook = 5

const memoryOf = Effect.fnUntraced(function* (pid: number) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(`/proc/${pid}/status`).pipe(
    Effect.map((text) => Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? Number.NaN) / 1_024),
    Effect.orElseSucceed(() => Number.NaN)
  )
})

/** user, nice, system, and what interrupts took, in ticks of a hundredth of a second. */
const busyFields = [1, 2, 3, 6, 7]

const machineSeconds = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString("/proc/stat").pipe(
    Effect.map((text) => {
      const fields = text.slice(0, text.indexOf("\n")).split(/ +/)
      return busyFields.reduce((sum, index) => sum + Number(fields[index]) / 100, 0)
    }),
    Effect.orElseSucceed(() => Number.NaN)
  )
})

/** None of a process that does not answer in time: what is busy is looked at again. */
const metricsOf = Effect.fnUntraced(function* (port: number | undefined) {
  if (port === undefined) return []
  const client = yield* HttpClient.HttpClient
  return yield* client.get(`http://127.0.0.1:${port}/metrics`).pipe(
    Effect.flatMap((response) => response.text),
    Effect.timeout("5 seconds"),
    Effect.map(MetricsText.parse),
    Effect.orElseSucceed((): ReadonlyArray<MetricsText.Sample> => [])
  )
})

const probe = Effect.fnUntraced(function* (url: string) {
  const redis = yield* Effect.acquireRelease(
    Effect.sync(() => new Redis(url)),
    (redis) => Effect.sync(() => redis.disconnect())
  )
  const latencies = Latencies.make()
  const worker = yield* Effect.acquireRelease(
    Effect.sync(() => new Worker(new URL("./RedisProbe.ts", import.meta.url), { workerData: url })),
    (worker) => Effect.promise(() => worker.terminate())
  )
  worker.on("message", latencies.record)
  worker.on("error", (cause) => {
    throw cause
  })
  const evicted = Effect.map(
    Effect.promise(() => redis.info("stats")),
    (text) => Number(/evicted_keys:(\d+)/.exec(text)?.[1] ?? 0)
  )
  return { latencies, evicted }
})

const waitingJobs = (level: RunningLevel) =>
  level.postgres
    .query(
      level.databaseUrl,
      (sql) => sql<Array<{ count: number }>>`SELECT count(*)::int AS count FROM notifications.jobs
        WHERE done_at IS NULL AND failed_at IS NULL AND run_at <= clock_timestamp()`
    )
    .pipe(Effect.map(([row]) => row?.count ?? Number.NaN))

const one = Effect.fnUntraced(function* (level: RunningLevel, evictedKeys: number, jobs: number) {
  const all = yield* Effect.forEach(
    [...level.processes, generator],
    (process) =>
      Effect.all({
        name: Effect.succeed(process.name),
        cpu: cpuOf(process),
        memory: memoryOf(process.pid),
        samples: metricsOf(process.operationsPort)
      }),
    { concurrency: 8 }
  )
  const samples = all.flatMap((process) => process.samples)
  const by = (pick: (process: (typeof all)[number]) => number) =>
    Object.fromEntries(all.map((process) => [process.name, pick(process)]))
  const calls: Record<string, number> = {}
  for (const { labels, name, value } of samples)
    if (name === "onsale_payment_provider_calls") {
      const key = `${labels["call"]} ${labels["outcome"]}`
      calls[key] = (calls[key] ?? 0) + value
    }
  const hits = (outcome: string) => MetricsText.sum(samples, "onsale_cache_requests_total", { outcome })
  const look: Look = {
    atMs: nowMs(),
    cpuSeconds: by(({ cpu }) => cpu),
    memoryMiB: by(({ memory }) => memory),
    projectionLagMs: MetricsText.highest(samples, "onsale_projection_lag_ms") ?? 0,
    relayLagMs: MetricsText.highest(samples, "onsale_relay_lag_ms") ?? 0,
    consumerLagMs: MetricsText.highest(samples, "onsale_bus_lag_ms") ?? 0,
    deadLetters: MetricsText.sum(samples, "onsale_bus_dead_letters"),
    cacheHits: hits("hit") + hits("joined"),
    cacheReads: MetricsText.sum(samples, "onsale_cache_requests_total"),
    eventReads: eventCopies.reduce(
      (sum, copies) => sum + MetricsText.sum(samples, "onsale_copies_reads_total", { copies }),
      0
    ),
    waitingCommands: MetricsText.sum(samples, "onsale_lane_waiting_commands"),
    waitingJobs: jobs,
    breakersOpen: MetricsText.sum(samples, "onsale_payment_breaker_open"),
    calls,
    commands: by(({ samples }) => MetricsText.sum(samples, "onsale_inventory_commands_total")),
    evictedKeys,
    machineSeconds: yield* machineSeconds
  }
  return look
})

export interface Watched {
  readonly looks: Array<Look>
  readonly redis: Latencies.Latencies | undefined
}

/**
 * Repeats a look each second until the scope ends. One that fails ends what is run `during` it: what was measured without
 * being looked at is no result.
 */
export const keep = (look: Effect.Effect<void>) =>
  Effect.map(
    Effect.forkScoped(Effect.repeat(look, Schedule.fixed(everyMs))),
    (fiber) =>
      <A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
        Effect.raceFirst(
          run,
          Effect.andThen(Fiber.join(fiber), Effect.die(new Error("nobody looks at the level any more")))
        )
  )

/** A look each second until the scope ends; the load belongs into `during`. */
export const make = Effect.fn("Watch.make")(function* (level: RunningLevel) {
  const redis = level.redisUrl === undefined ? undefined : yield* probe(level.redisUrl)
  const watched: Watched = { looks: [], redis: redis?.latencies }
  let jobs = 0
  const look = Effect.gen(function* () {
    const evicted = redis === undefined ? 0 : yield* redis.evicted
    if (watched.looks.length % looksAJobsLook === 0) jobs = yield* waitingJobs(level)
    watched.looks.push(yield* one(level, evicted, jobs))
  })
  yield* look
  const context = yield* Effect.context<FileSystem.FileSystem | HttpClient.HttpClient>()
  const during = yield* keep(Effect.provideContext(look, context))
  return { ...watched, during, look }
})
