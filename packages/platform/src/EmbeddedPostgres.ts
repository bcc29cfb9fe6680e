/**
 * A Postgres of our own: real server binaries from npm, a data directory, one server process for as long as
 * a scope lives.
 *
 * - One process at a time may hold a directory ({@link DirectoryLock}); a second is refused with `InUse`.
 * - Closing the scope stops the server with a fast shutdown. When we die without closing it (kill -9), a
 *   guard does so; should that die too, the server is an orphan. The next start finds it by
 *   `postmaster.pid`, stops it cleanly and starts its own: adopting would leave a server that is not our
 *   child, with settings of an older version.
 * - When the server dies while we live, it is started again on the same port, a few times.
 * - After any crash Postgres recovers by itself from its write-ahead log.
 */
import { NodeServices } from "@effect/platform-node"
import { PgConnection } from "@effect/sql-pg"
import {
  Clock,
  Config,
  Context,
  Deferred,
  Effect,
  FileSystem,
  Layer,
  Option,
  Path,
  Redacted,
  Ref,
  Schedule
} from "effect"
import { SecureRandom } from "effect/crypto"
import { createServer } from "node:net"
import * as DirectoryLock from "./postgres/DirectoryLock.ts"
import { EmbeddedPostgresError } from "./postgres/EmbeddedPostgresError.ts"
import * as PostgresAccount from "./postgres/PostgresAccount.ts"
import * as PostgresBinaries from "./postgres/PostgresBinaries.ts"
import * as PostgresDirectory from "./postgres/PostgresDirectory.ts"
import * as Postmaster from "./postgres/Postmaster.ts"

export { EmbeddedPostgresError }

export interface EmbeddedPostgresOptions {
  /** Holds everything of the server; made when missing. */
  readonly directory: string
  /** On 127.0.0.1; 0 or absent takes a free one. */
  readonly port?: number | undefined
  /** Server settings over {@link settings}, for instance a test's `fsync: "off"`. */
  readonly settings?: Readonly<Record<string, string>> | undefined
}

const databaseName = "onsale"

/** Every setting that differs from what Postgres would choose, and why. */
const settings: Readonly<Record<string, string>> = {
  // Nobody but this machine; no socket file, whose path has a limit of 107 bytes.
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  // An answer is given after a commit: what was answered must be on disk.
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  // Changes by SQL are followed by a replication slot a database; of tests there are many.
  wal_level: "logical",
  max_replication_slots: "32",
  max_wal_senders: "32",
  // Of the log that nobody has followed yet: beyond it everything is looked through instead, and the disk is safe.
  max_slot_wal_keep_size: "2GB",
  // A few pools of 16, the cluster's own connections, and room for an operator.
  max_connections: "100",
  // The hot tables of a season fit; the default of 128 MB is for the smallest machines.
  shared_buffers: "256MB",
  // A burst of sales should not be slowed by checkpoints every few seconds.
  max_wal_size: "2GB",
  // Solid state disks read at random nearly as fast as in sequence.
  random_page_cost: "1.1",
  // Statements take milliseconds, compiling one takes tens of them.
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] %a ",
  // The log is for what is wrong; checkpoints are not.
  log_checkpoints: "off"
}

/** Recovery after a crash replays at most `max_wal_size`, which a slow disk does in a minute. */
const startLimit = "3 minutes"

/** A server that ran this long and dies is a new trouble, not the old one again. */
const stableAfterMs = 60_000
const maxRestarts = 5

/**
 * After a kill -9 of the main process its children need a moment to notice and to let go of the shared
 * memory, and a free port that was found may be taken a moment later.
 */
const startRetry = Schedule.max([Schedule.exponential("100 millis", 1.5), Schedule.recurs(10)])
const isTransient = (log: string) =>
  /is still in use|lock file .* already exists|Address already in use/.test(log)

const freePort = (directory: string) =>
  Effect.callback<number, EmbeddedPostgresError>((resume) => {
    const server = createServer()
    const fail = (message: string) =>
      resume(Effect.fail(new EmbeddedPostgresError({ reason: "StartFailed", directory, message })))
    server.on("error", (cause) => fail(`no free port on 127.0.0.1: ${cause.message}`))
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() =>
        address !== null && typeof address === "object"
          ? resume(Effect.succeed(address.port))
          : fail("no free port on 127.0.0.1")
      )
    })
  })

const databaseUrl = (password: Redacted.Redacted<string>, port: number, database: string) =>
  Redacted.make(
    `postgres://${PostgresDirectory.superuser}:${Redacted.value(password)}@127.0.0.1:${port}/${database}`
  )

/** `CREATE DATABASE` knows no "if not exists"; nobody else can make it in between, the directory is ours. */
const ensureDatabase = Effect.fn("EmbeddedPostgres.ensureDatabase")(function* (
  maintenanceUrl: Redacted.Redacted<string>
) {
  const connection = yield* PgConnection.make({ url: maintenanceUrl })
  const found = yield* connection.query("SELECT 1 FROM pg_database WHERE datname = $1", [databaseName])
  if (found.rows.length === 0) yield* connection.query(`CREATE DATABASE ${databaseName}`, [], false)
}, Effect.scoped)

const make = Effect.fn("EmbeddedPostgres.make")(function* (options: EmbeddedPostgresOptions) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const requested = path.resolve(options.directory)
  const root = yield* fs.makeDirectory(requested, { recursive: true }).pipe(
    Effect.andThen(fs.realPath(requested)),
    Effect.mapError(
      (cause) =>
        new EmbeddedPostgresError({
          reason: "NotPermitted",
          directory: requested,
          message: `cannot make ${requested}: ${cause.message}`,
          cause
        })
    )
  )
  yield* DirectoryLock.acquire(root)

  const binaries = yield* PostgresBinaries.find(root)
  const { data } = yield* PostgresDirectory.paths(root)
  const account = yield* PostgresAccount.resolve(root, data, [path.dirname(root), binaries.directory])
  const directory = yield* PostgresDirectory.prepare(root, binaries, account)

  const left = yield* Postmaster.readFile(data)
  if (Option.isSome(left)) {
    const { pid } = left.value
    if (yield* Postmaster.isServing(pid, data)) {
      yield* Effect.logWarning(`stopping the Postgres (pid ${pid}) that a killed process left in ${root}`)
      yield* Postmaster.stopOrphan(pid, data)
    } else {
      yield* Postmaster.disown(data).pipe(
        Effect.catch((cause) => Effect.logDebug("stale postmaster.pid", cause))
      )
    }
  }

  const current = yield* Ref.make(Option.none<Postmaster.Postmaster>())
  yield* Effect.addFinalizer(() =>
    Effect.flatMap(Ref.get(current), Option.match({ onNone: () => Effect.void, onSome: Postmaster.stop }))
  )

  const startOn = Effect.fn("EmbeddedPostgres.startOn")(function* (port: number) {
    const flags = Object.entries({ ...settings, ...options.settings, port: String(port) }).flatMap(
      ([name, value]) => ["-c", `${name}=${value}`]
    )
    const command = PostgresAccount.commandLine(account, binaries.postgres, ["-D", data, ...flags])
    const logFrom = yield* PostgresDirectory.logSize(directory)
    const postmaster = yield* Postmaster.start({ ...command, data, logFile: directory.logFile }).pipe(
      Effect.tap((started) => Ref.set(current, Option.some(started))),
      Effect.uninterruptible
    )
    const ended = yield* Postmaster.awaitReady(postmaster, data).pipe(
      Effect.timeoutOrElse({
        duration: startLimit,
        orElse: () =>
          Effect.as(
            Postmaster.stop(postmaster),
            Option.some({ description: `was not ready in ${startLimit}` })
          )
      })
    )
    if (Option.isNone(ended)) return postmaster
    yield* postmaster.releaseGuard
    const log = yield* PostgresDirectory.logTail(directory, logFrom)
    return yield* new EmbeddedPostgresError({
      reason: "StartFailed",
      directory: root,
      message: `Postgres ${ended.value.description} while starting in ${root}${log === "" ? "" : `:\n${log}`}`
    })
  })

  /** A taken port that was asked for is an error at once; one that we chose is chosen again. */
  const choosePort =
    options.port === undefined || options.port === 0 ? freePort(root) : Effect.succeed(options.port)
  const retryTransient = <A, E, R>(
    effect: Effect.Effect<A, E | EmbeddedPostgresError, R>,
    fixedPort: boolean
  ) =>
    Effect.retry(effect, {
      schedule: startRetry,
      while: (error) =>
        error instanceof EmbeddedPostgresError &&
        isTransient(error.message) &&
        !(fixedPort && error.message.includes("Address already in use"))
    })

  const port = yield* retryTransient(
    Effect.gen(function* () {
      const chosen = yield* choosePort
      yield* startOn(chosen)
      return chosen
    }),
    options.port !== undefined && options.port !== 0
  )
  yield* ensureDatabase(databaseUrl(directory.password, port, "postgres")).pipe(
    Effect.mapError(
      (cause) =>
        new EmbeddedPostgresError({
          reason: "StartFailed",
          directory: root,
          message: `could not create the database ${databaseName} in ${root}: ${cause.message}`,
          cause
        })
    )
  )

  const failure = yield* Deferred.make<never, EmbeddedPostgresError>()
  const supervise = Effect.gen(function* () {
    for (let restarts = 0; ; restarts++) {
      const running = yield* Ref.get(current)
      if (Option.isNone(running)) return
      const startedAtMs = yield* Clock.currentTimeMillis
      const exit = yield* Deferred.await(running.value.exit)
      yield* running.value.releaseGuard
      if ((yield* Clock.currentTimeMillis) - startedAtMs > stableAfterMs) restarts = 0
      if (restarts >= maxRestarts) {
        return yield* new EmbeddedPostgresError({
          reason: "Crashed",
          directory: root,
          message: `Postgres in ${root} ${exit.description} for the ${maxRestarts + 1}th time in a row; its log is ${directory.logFile}`
        })
      }
      yield* Effect.logError(`Postgres in ${root} ${exit.description}; starting it again`)
      yield* retryTransient(startOn(port), false)
    }
  }).pipe(
    Effect.tapError((error) => Effect.logFatal(error.message)),
    Effect.catch((error) => Deferred.fail(failure, error))
  )
  yield* Effect.forkScoped(supervise)
  yield* Effect.forkScoped(PostgresDirectory.rotateLog(directory))
  yield* Effect.logDebug(`Postgres serves ${root} on port ${port}`)

  return EmbeddedPostgres.of({
    url: databaseUrl(directory.password, port, databaseName),
    port,
    dataDir: root,
    failure: Deferred.await(failure)
  })
})

/** The server of another live process on this directory, once it is ready. */
const attach = Effect.fn("EmbeddedPostgres.attach")(function* (options: EmbeddedPostgresOptions) {
  const path = yield* Path.Path
  const root = path.resolve(options.directory)
  const { data } = yield* PostgresDirectory.paths(root)
  const running = yield* Postmaster.readFile(data).pipe(
    Effect.map(Option.filter(({ ready }) => ready)),
    Effect.repeat({
      schedule: Schedule.max([Schedule.spaced("100 millis"), Schedule.recurs(100)]),
      while: Option.isNone
    })
  )
  if (Option.isNone(running)) {
    return yield* new EmbeddedPostgresError({
      reason: "InUse",
      directory: root,
      message: `${root} is held by another process, but its Postgres does not come up`
    })
  }
  const { port } = running.value
  return EmbeddedPostgres.of({
    url: databaseUrl(yield* PostgresDirectory.readPassword(root), port, databaseName),
    port,
    dataDir: root,
    failure: Effect.never
  })
})

/** A running embedded Postgres with a database `onsale`. */
export class EmbeddedPostgres extends Context.Service<
  EmbeddedPostgres,
  {
    /** Of the database `onsale`, as its owner. */
    readonly url: Redacted.Redacted<string>
    readonly port: number
    readonly dataDir: string
    /** Fails when the server died and could not be brought back; race the program against it. */
    readonly failure: Effect.Effect<never, EmbeddedPostgresError>
  }
>()("@onsale/platform/EmbeddedPostgres") {
  /** Starts a server, and stops it with the scope. */
  static readonly layer = (options: EmbeddedPostgresOptions) =>
    Layer.effect(EmbeddedPostgres, make(options)).pipe(
      Layer.provide([NodeServices.layer, SecureRandom.layerWebCrypto])
    )

  /**
   * Uses the server of the process that holds the directory, or starts one when nobody does: for commands
   * such as the audit, which run beside a live `npm start` or alone.
   */
  static readonly layerShared = (options: EmbeddedPostgresOptions) =>
    Layer.effect(
      EmbeddedPostgres,
      make(options).pipe(
        Effect.catchIf(
          (error) => error.reason === "InUse",
          () => attach(options)
        )
      )
    ).pipe(Layer.provide([NodeServices.layer, SecureRandom.layerWebCrypto]))

  /** `ONSALE_DATA_DIR` (`.onsale`) with `/postgres`, and `ONSALE_POSTGRES_PORT` (any free one). */
  static readonly options = Config.all({
    dataDir: Config.NonEmptyString("ONSALE_DATA_DIR").pipe(Config.withDefault(".onsale")),
    port: Config.option(Config.Port("ONSALE_POSTGRES_PORT"))
  }).pipe(
    Config.map(
      ({ dataDir, port }): EmbeddedPostgresOptions => ({
        directory: `${dataDir}/postgres`,
        port: Option.getOrUndefined(port)
      })
    )
  )
}
