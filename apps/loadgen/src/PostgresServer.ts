/** The Postgres that all sides share, each with a database of its own. */
import { Duration, Effect, FileSystem, Option, Schedule, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import postgres from "postgres"
import { parentOf } from "./Costs.ts"

export class PostgresFailed extends Schema.TaggedError<PostgresFailed>()("PostgresFailed", {
  message: Schema.String
}) {}

export interface PostgresServer {
  /** Makes a database, or empties the one of that name; its URL. */
  readonly database: (name: string) => Effect.Effect<string>
  /**
   * Transactions of a database so far, committed or not, once all connections to it have told: at once
   * where none is left, else after the time in which an idle one does.
   */
  readonly transactions: (name: string) => Effect.Effect<number>
  /** Runs queries on a database. */
  readonly query: <A>(url: string, run: (sql: postgres.Sql) => Promise<A>) => Effect.Effect<A>
  /** Of the server, where it runs on this machine. */
  readonly pid: number | undefined
  readonly version: string
  /** What durability and the figures depend on, for people. */
  readonly settings: string
}

const root = fileURLToPath(new URL("../../../", import.meta.url))
const readyLimit = Duration.minutes(1)

/** One of our own, durable, for as long as the scope; its URL. */
const embedded = Effect.fnUntraced(function* () {
  const fs = yield* FileSystem.FileSystem
  const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-bench-postgres-" })
  const handle = yield* ChildProcess.make(process.execPath, [`${root}apps/onsale/src/postgres.ts`], {
    cwd: root,
    extendEnv: true,
    env: { ONSALE_DATA_DIR: dataDir },
    stderr: "inherit",
    forceKillAfter: "20 seconds"
  })
  const found = yield* handle.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.map((line) => /^Postgres is at (\S+)/.exec(line)?.[1]),
    Stream.filter((url) => url !== undefined),
    Stream.runHead,
    Effect.timeout(readyLimit)
  )
  return yield* Option.match(found, {
    onNone: () => Effect.fail(new PostgresFailed({ message: "Postgres ended before it was ready" })),
    onSome: Effect.succeed
  })
})

/** Postgres' PGSTAT_IDLE_INTERVAL is 10 s. */
const idleTells = Schedule.upTo(Schedule.spaced("50 millis"), { duration: "11 seconds" })

/** Connects to the server at `url`, or starts one. */
export const make = Effect.fn("PostgresServer.make")(function* (given: Option.Option<string>) {
  const url = yield* Option.match(given, { onNone: () => embedded(), onSome: Effect.succeed })
  const connect = (to: string, max: number) =>
    Effect.acquireRelease(
      Effect.sync(() => postgres(to, { max, onnotice: () => {} })),
      (sql) => Effect.promise(() => sql.end({ timeout: 5 }))
    )
  const admin = yield* connect(url, 1)
  const [about] = yield* Effect.promise(
    () => admin<Array<{ version: string; settings: string; backend: number }>>`
      SELECT current_setting('server_version') AS version, pg_backend_pid() AS backend,
        (SELECT string_agg(name || '=' || setting || coalesce(unit, ''), ', ' ORDER BY name) FROM pg_settings
         WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers', 'max_wal_size')
        ) AS settings`
  )
  const urlOf = (name: string) => {
    const of = new URL(url)
    of.pathname = `/${name}`
    return of.href
  }
  const server: PostgresServer = {
    database: (name) =>
      Effect.promise(async () => {
        await admin`DROP DATABASE IF EXISTS ${admin(name)} WITH (FORCE)`
        await admin`CREATE DATABASE ${admin(name)}`
        return urlOf(name)
      }),
    transactions: (name) =>
      Effect.promise(
        () => admin<Array<{ busy: boolean; transactions: number }>>`
          SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = ${name}) AS busy,
            (xact_commit + xact_rollback)::float8 AS transactions
          FROM pg_stat_database WHERE datname = ${name}`
      ).pipe(
        Effect.repeat({ schedule: idleTells, while: ([row]) => row?.busy === true }),
        Effect.map(([row]) => row?.transactions ?? Number.NaN)
      ),
    query: (to, run) =>
      Effect.scoped(Effect.flatMap(connect(to, 1), (sql) => Effect.promise(() => run(sql)))),
    pid: about === undefined ? undefined : yield* parentOf(about.backend),
    version: about?.version ?? "unknown",
    settings: about?.settings ?? ""
  }
  return server
})
