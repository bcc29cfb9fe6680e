/** The files of an embedded server: `data`, `password`, `lock`, `postgres.log`. */
import { Effect, FileSystem, Option, Path, Redacted, Schedule, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { Base64Url } from "effect/encoding"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import * as PostgresAccount from "./PostgresAccount.ts"
import type { PostgresBinaries } from "./PostgresBinaries.ts"

export interface PostgresDirectory {
  readonly root: string
  /** Postgres' own data directory (PGDATA). */
  readonly data: string
  readonly password: Redacted.Redacted<string>
  readonly logFile: string
}

export const superuser = "onsale"

/** 256 bits. */
const passwordBytes = 32

/** The log and its one predecessor stay below twice this. */
const logLimitBytes = 8 * 1024 * 1024
const logTailBytes = 4096

export const paths = Effect.fnUntraced(function* (root: string) {
  const path = yield* Path.Path
  return {
    data: path.join(root, "data"),
    password: path.join(root, "password"),
    logFile: path.join(root, "postgres.log")
  }
})

const failure = (root: string) => (what: string) => (cause: { readonly message: string }) =>
  new EmbeddedPostgresError({
    reason: "InitFailed",
    directory: root,
    message: `could not ${what} in ${root}: ${cause.message}`,
    cause
  })

/** The password of an initialised directory. */
export const readPassword = Effect.fnUntraced(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const { password } = yield* paths(root)
  return yield* fs.readFileString(password).pipe(
    Effect.map((text) => Redacted.make(text.trim())),
    Effect.mapError(failure(root)("read the password"))
  )
})

const makePassword = Effect.fnUntraced(function* (
  file: string,
  account: Option.Option<PostgresAccount.PostgresAccount>
) {
  const fs = yield* FileSystem.FileSystem
  const random = yield* SecureRandom.SecureRandom
  const password = Base64Url.encode(yield* random.randomBytes(passwordBytes))
  yield* fs.writeFileString(file, `${password}\n`, { mode: 0o600 })
  yield* fs.chmod(file, 0o600)
  // `initdb` reads it under the server's account; root can read it anyway.
  if (Option.isSome(account)) yield* fs.chown(file, account.value.uid, account.value.gid)
})

/**
 * Makes the data directory with `initdb`, aside and renamed when complete, so that a crash in the middle
 * leaves nothing that looks initialised.
 */
const initialise = Effect.fn("PostgresDirectory.initialise")(function* (
  root: string,
  binaries: PostgresBinaries,
  account: Option.Option<PostgresAccount.PostgresAccount>
) {
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const { data, password } = yield* paths(root)
  const fail = failure(root)("initialise Postgres")
  const unfinished = `${data}.new`

  yield* Effect.logInfo(`initialising Postgres in ${root}`)
  yield* fs.remove(unfinished, { recursive: true, force: true }).pipe(Effect.mapError(fail))
  yield* makePassword(password, account).pipe(Effect.mapError(fail))
  const { args, program } = PostgresAccount.commandLine(account, binaries.initdb, [
    `--pgdata=${unfinished}`,
    `--username=${superuser}`,
    `--pwfile=${password}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // Sorting by code point, from Postgres itself: no index breaks when the system's C library changes.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions"
  ])
  yield* Effect.scoped(
    Effect.gen(function* () {
      const handle = yield* spawner.spawn(
        ChildProcess.make(program, args, { cwd: "/", stdin: "ignore", env: { LC_ALL: "C" }, extendEnv: true })
      )
      const output = yield* handle.all.pipe(Stream.decodeText(), Stream.mkString)
      const code = yield* handle.exitCode
      if (code !== 0) yield* Effect.fail({ message: `initdb exited with code ${code}: ${output.trim()}` })
    })
  ).pipe(Effect.mapError(fail))
  yield* fs.rename(unfinished, data).pipe(Effect.mapError(fail))
})

/** Gives the directory to the account, initialises it when it is new, and reads its password. */
export const prepare = Effect.fn("PostgresDirectory.prepare")(function* (
  root: string,
  binaries: PostgresBinaries,
  account: Option.Option<PostgresAccount.PostgresAccount>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { data, logFile } = yield* paths(root)
  const fail = failure(root)("prepare the directory")

  yield* fs.chmod(root, 0o700).pipe(Effect.mapError(fail))
  if (Option.isSome(account)) {
    yield* fs.chown(root, account.value.uid, account.value.gid).pipe(Effect.mapError(fail))
  }
  const exists = yield* fs.exists(path.join(data, "PG_VERSION")).pipe(Effect.mapError(fail))
  if (!exists) yield* initialise(root, binaries, account)
  return { root, data, password: yield* readPassword(root), logFile }
})

/**
 * Keeps the log bounded. The server holds the file open for appending, so the content is copied away and
 * the file cut to nothing; a line written between the two is lost, which a diagnostic log can bear.
 */
const rotate = Effect.fnUntraced(function* (logFile: string) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* fs.stat(logFile).pipe(Effect.option)
  if (Option.isNone(info) || Number(info.value.size) < logLimitBytes) return
  yield* fs.copyFile(logFile, `${logFile}.1`)
  yield* fs.truncate(logFile)
})

/** Rotates the log now and then for ever; run it in a fiber of the server's scope. */
export const rotateLog = (directory: PostgresDirectory): Effect.Effect<void, never, FileSystem.FileSystem> =>
  rotate(directory.logFile).pipe(
    Effect.catch((cause) => Effect.logWarning("could not rotate the log of Postgres", cause)),
    Effect.repeat(Schedule.spaced("30 seconds")),
    Effect.asVoid
  )

/** The size of the log, to tell later what was written since. */
export const logSize = Effect.fnUntraced(function* (directory: PostgresDirectory) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.stat(directory.logFile).pipe(
    Effect.map((info) => Number(info.size)),
    Effect.orElseSucceed(() => 0)
  )
})

/** The last lines of the log that were written after `from` bytes. */
export const logTail = Effect.fnUntraced(function* (directory: PostgresDirectory, from: number) {
  const fs = yield* FileSystem.FileSystem
  const size = yield* logSize(directory)
  return yield* fs.stream(directory.logFile, { offset: Math.max(from, size - logTailBytes) }).pipe(
    Stream.decodeText(),
    Stream.mkString,
    Effect.map((text) => text.trim()),
    Effect.orElseSucceed(() => "")
  )
})
