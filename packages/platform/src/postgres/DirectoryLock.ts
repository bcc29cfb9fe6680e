/**
 * An exclusive lock on a directory that the operating system frees when its holder dies, however it dies.
 *
 * Node has no `flock`. A pid file needs guesses (is that pid still the same process?) and has a race when
 * two processes clear a stale one. SQLite, which Node brings along, takes real file locks: an exclusive
 * transaction on an empty database is one, also against a second lock in the same process. The pid beside
 * it is for people only, the lock does not depend on it.
 */
import { Effect, FileSystem, Path, type Scope } from "effect"
import { DatabaseSync } from "node:sqlite"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"

/** SQLite's result code for a database that another connection has locked. */
const sqliteBusy = 5

const isBusy = (cause: unknown) =>
  cause instanceof Error &&
  "errcode" in cause &&
  typeof cause.errcode === "number" &&
  cause.errcode % 256 === sqliteBusy

const open = (file: string) => {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec("BEGIN EXCLUSIVE")
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Holds the directory until the scope closes; fails with `InUse` when another live process has it. */
export const acquire = Effect.fn("DirectoryLock.acquire")(function* (
  directory: string
): Effect.fn.Return<void, EmbeddedPostgresError, Scope.Scope | FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const lockFile = path.join(directory, "lock")
  const pidFile = path.join(directory, "lock.pid")

  yield* Effect.acquireRelease(
    Effect.try({
      try: () => open(lockFile),
      catch: (cause) => cause
    }).pipe(
      Effect.catch((cause) =>
        isBusy(cause)
          ? fs.readFileString(pidFile).pipe(
              Effect.map((pid) => `process ${pid.trim()}`),
              // The holder has the lock a moment before it has written who it is.
              Effect.orElseSucceed(() => "another process"),
              Effect.flatMap((holder) =>
                Effect.fail(
                  new EmbeddedPostgresError({
                    reason: "InUse",
                    directory,
                    message: `${directory} is in use by ${holder}: stop it, or give this one another ONSALE_DATA_DIR`
                  })
                )
              )
            )
          : Effect.fail(
              new EmbeddedPostgresError({
                reason: "NotPermitted",
                directory,
                message: `cannot lock ${directory}: ${cause instanceof Error ? cause.message : String(cause)}`,
                cause
              })
            )
      )
    ),
    (database) => Effect.sync(() => database.close())
  )
  yield* fs
    .writeFileString(pidFile, `${process.pid}\n`)
    .pipe(Effect.catch((cause) => Effect.logWarning("could not write who holds the directory", cause)))
})
