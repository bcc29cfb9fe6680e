/** Starts a level for real: its processes, Postgres, Redis, the payment provider and somebody who takes the mail. */
import { Effect, FileSystem, Option } from "effect"
import { familySeconds } from "../Costs.ts"
import * as PostgresServer from "../PostgresServer.ts"
import * as RedisServer from "../RedisServer.ts"
import * as RoleProcess from "../RoleProcess.ts"
import * as ServiceProcess from "../ServiceProcess.ts"
import { ServiceFailed } from "../ServiceProcess.ts"
import type { Level } from "@onsale/contracts/ServiceLevel"
import * as MailSink from "./MailSink.ts"
import * as SandboxProvider from "./SandboxProvider.ts"

export interface LevelProcess {
  readonly name: string
  readonly pid: number
  /** Of its `/metrics`, where it has any. */
  readonly operationsPort: number | undefined
  /** With the processes that it started, as Postgres has one a connection. */
  readonly family: boolean
}

export interface RunningLevel {
  readonly level: Level
  readonly host: string
  /** Of the gateways. */
  readonly ports: ReadonlyArray<number>
  readonly organiserKey: string
  readonly processes: ReadonlyArray<LevelProcess>
  readonly bookingRunners: ReadonlyArray<string>
  readonly postgres: PostgresServer.PostgresServer
  readonly databaseUrl: string
  readonly redisUrl: string | undefined
  /** Of the payment provider, for the audit. */
  readonly ledger: string
}

export interface LevelOptions {
  readonly level: Level
  /** Booking runners at L3; there is one at L2. */
  readonly runners: number
  /** All roles in one process, as `npm start` has them, also at L2 and L3. */
  readonly single: boolean
  /** A directory for a profile of the CPU of each Node process of ours; it costs speed. */
  readonly profiles: Option.Option<string>
}

export const organiserKey = "slo-key-of-this-machine"
const host = "127.0.0.1"
const nodeFlags = ["--max-semi-space-size=64"]

/** All buyers come from one address, which is no customer's. */
const unlimited = {
  ONSALE_RATE_LIMIT_READS: "0",
  ONSALE_RATE_LIMIT_HOLDS: "0",
  ONSALE_RATE_LIMIT_ORDERS: "0",
  ONSALE_RATE_LIMIT_ORGANISER: "0",
  ONSALE_DEMO: "false",
  ONSALE_ORGANISER_KEY: organiserKey
}
/** Of each process of a cluster, so that all of them fit into the 100 connections of the embedded Postgres. */
const clusterPool = "6"

const redisOf = Effect.gen(function* () {
  const redis = yield* RedisServer.make(Option.none())
  if (Option.isNone(redis))
    return yield* new ServiceFailed({ message: "there is no redis-server on the PATH" })
  return redis.value
})
const ofRedis = ({ pid }: RedisServer.RedisServer): ReadonlyArray<LevelProcess> =>
  pid === undefined ? [] : [{ name: "redis", pid, operationsPort: undefined, family: false }]
const ofPostgres = ({ pid }: PostgresServer.PostgresServer): ReadonlyArray<LevelProcess> =>
  pid === undefined ? [] : [{ name: "postgres", pid, operationsPort: undefined, family: true }]

const profiling = (profiles: Option.Option<string>, name: string): ReadonlyArray<string> =>
  Option.match(profiles, {
    onNone: () => [],
    onSome: (dir) => ["--cpu-prof", `--cpu-prof-dir=${dir}`, `--cpu-prof-name=${name}.cpuprofile`]
  })

const single = Effect.fnUntraced(function* ({ level, profiles }: LevelOptions) {
  const fs = yield* FileSystem.FileSystem
  const postgres = yield* PostgresServer.make(Option.none())
  const databaseUrl = yield* postgres.database("slo")
  const redis = level === "L1" ? yield* redisOf : undefined
  const provider = yield* Effect.flatMap(RoleProcess.freePort, (port) =>
    Effect.map(SandboxProvider.start(port), (started) => ({ ...started, port }))
  )
  const service = yield* ServiceProcess.start(
    "apps/onsale/src/main.ts",
    ["start"],
    {
      ...unlimited,
      PORT: String(provider.port),
      // One process has the inventory of L3 for both.
      ONSALE_LEVEL: level === "L2" ? "L3" : level,
      ONSALE_DATA_DIR: yield* fs.makeTempDirectoryScoped({ prefix: "onsale-slo-" }),
      ONSALE_DATABASE_URL: databaseUrl,
      ONSALE_SMTP_URL: (yield* MailSink.make).url,
      ONSALE_SANDBOX_URL: provider.url,
      ONSALE_SANDBOX_SECRET: SandboxProvider.secret,
      ONSALE_SANDBOX_WEBHOOK_SECRET: SandboxProvider.webhookSecret,
      // Events leave by Redis where there is one.
      ...(redis === undefined ? {} : { ONSALE_REDIS_URL: redis.url, ONSALE_EVENT_BUS: "redis" })
    },
    profiling(profiles, "onsale")
  )
  const running: RunningLevel = {
    level,
    host,
    ports: [service.port],
    organiserKey,
    processes: [
      { name: "onsale", pid: service.pid, operationsPort: service.port, family: false },
      { name: "provider", pid: provider.pid, operationsPort: undefined, family: false },
      ...ofPostgres(postgres),
      ...(redis === undefined ? [] : ofRedis(redis))
    ],
    bookingRunners: [],
    postgres,
    databaseUrl,
    redisUrl: redis?.url,
    ledger: provider.ledger
  }
  return running
})

/** As docker-compose.yml has them: at L2 one of each role, at L3 two and more. */
const cluster = Effect.fnUntraced(function* ({ level, profiles, runners }: LevelOptions) {
  const counts =
    level === "L2" ? { gateway: 1, booking: 1, others: 1 } : { gateway: 2, booking: runners, others: 2 }
  const postgres = yield* PostgresServer.make(Option.none())
  const redis = yield* redisOf
  const ports = yield* Effect.forEach(Array.from({ length: counts.gateway }), () => RoleProcess.freePort)
  const provider = yield* SandboxProvider.start(ports[0] ?? 0)
  const databaseUrl = yield* postgres.database("slo")
  const env = {
    ...unlimited,
    ONSALE_DATABASE_URL: databaseUrl,
    ONSALE_DATABASE_POOL: clusterPool,
    ONSALE_REDIS_URL: redis.url,
    ONSALE_EVENT_BUS: "redis",
    ONSALE_TOKEN_KEYS: "slo-key-of-customers-tokens-of-this-machine",
    ONSALE_SMTP_URL: (yield* MailSink.make).url,
    ONSALE_SANDBOX_URL: provider.url,
    ONSALE_SANDBOX_SECRET: SandboxProvider.secret,
    ONSALE_SANDBOX_WEBHOOK_SECRET: SandboxProvider.webhookSecret
  }
  yield* RoleProcess.runOnce("apps/onsale/src/main.ts", ["migrate"], env)
  const start = Effect.fnUntraced(function* (
    name: string,
    script: string,
    more: Readonly<Record<string, string>>
  ) {
    const started = yield* RoleProcess.start({
      script,
      env: { ...env, ...more },
      nodeFlags: [...nodeFlags, ...profiling(profiles, name)]
    })
    const process: LevelProcess = { name, ...started, family: false }
    return process
  })
  const runner = (role: string, n: number) =>
    Effect.flatMap(RoleProcess.freePort, (port) =>
      start(`${role}-${n + 1}`, `apps/runner/src/${role}.ts`, {
        ONSALE_RUNNER_HOST: host,
        ONSALE_RUNNER_LISTEN: host,
        ONSALE_RUNNER_PORT: String(port)
      })
    )
  // One after another: each takes seconds of a core until it is ready.
  const each = (role: string, count: number) =>
    Effect.forEach(
      Array.from({ length: count }, (_, n) => n),
      (n) => runner(role, n)
    )
  const booking = yield* each("booking", counts.booking)
  const payment = yield* each("payment", counts.others)
  const notification = yield* each("notification", counts.others)
  const gateways = yield* Effect.forEach(ports, (port, n) =>
    start(`gateway-${n + 1}`, "apps/gateway/src/main.ts", { PORT: String(port), ONSALE_HOST: host })
  )
  const running: RunningLevel = {
    level,
    host,
    ports,
    organiserKey,
    processes: [
      ...gateways,
      ...booking,
      ...payment,
      ...notification,
      { name: "provider", pid: provider.pid, operationsPort: undefined, family: false },
      ...ofPostgres(postgres),
      ...ofRedis(redis)
    ],
    bookingRunners: booking.map(({ name }) => name),
    postgres,
    databaseUrl,
    redisUrl: redis.url,
    ledger: provider.ledger
  }
  return running
})

/** Ready to sell; all of it is gone with the scope. */
export const start = Effect.fn("LevelProcesses.start")((options: LevelOptions) =>
  options.single || options.level === "L0" || options.level === "L1" ? single(options) : cluster(options)
)

/** Seconds of CPU so far. */
export const cpuOf = ({ family, pid }: LevelProcess) =>
  family ? familySeconds(pid) : Effect.map(ServiceProcess.cpuSeconds(pid), (seconds) => seconds ?? Number.NaN)
