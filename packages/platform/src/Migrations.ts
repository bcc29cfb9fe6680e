/**
 * Brings a database to the schema of this build: the files of `/migrations` in the order of their numbers,
 * each once, all new ones in one transaction.
 *
 * Two processes that start together are serialised by a lock on the table `onsale_migrations`. A database
 * that a newer build has migrated is refused: its code may have dropped what ours still reads.
 */
import { Effect, FileSystem, Layer, Path, Schema } from "effect"
import { SqlRunnerStorage } from "effect/cluster"
import { Migrator, SqlClient, type SqlError } from "effect/sql"
import { NodeServices } from "@effect/platform-node"

const table = "onsale_migrations"

/**
 * - `NewerSchema`: the database knows migrations that this build does not
 * - `Behind`: the database lacks migrations that this build needs
 * - `BadFile`: a file of the directory is not named `NNNN_name.ts`, or two have one number
 * - `Failed`: a migration, or the connection, failed; nothing of the run was kept
 */
export class MigrationsError extends Schema.TaggedError<MigrationsError>()("MigrationsError", {
  reason: Schema.Literals(["NewerSchema", "Behind", "BadFile", "Failed"]),
  message: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {}

const fileName = /^(\d{4})_([a-z0-9_-]+)\.ts$/

interface MigrationFile {
  readonly id: number
  readonly name: string
  readonly url: URL
}

const list = Effect.fn("Migrations.list")(function* (directory: URL) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* path.fromFileUrl(directory)
  const names = (yield* fs.readDirectory(folder)).filter((name) => name.endsWith(".ts")).sort()
  return yield* Effect.forEach(names, (file) => {
    const match = fileName.exec(file)
    return match === null
      ? Effect.fail(
          new MigrationsError({
            reason: "BadFile",
            message: `${file} in ${folder} is not named NNNN_name.ts`
          })
        )
      : Effect.succeed<MigrationFile>({
          id: Number(match[1]),
          name: match[2] ?? "",
          url: new URL(file, directory)
        })
  })
})

/** The newest migration of the database; undefined where there is none. */
const newestApplied = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const exists = yield* sql`SELECT 1 WHERE to_regclass(${table}) IS NOT NULL`
  if (exists.length === 0) return undefined
  const [newest] = yield* sql<{ readonly id: number; readonly name: string }>`
    SELECT migration_id AS id, name FROM ${sql(table)} ORDER BY migration_id DESC LIMIT 1`
  return newest
})

const refuseNewer = Effect.fn("Migrations.refuseNewer")(function* (files: ReadonlyArray<MigrationFile>) {
  const newest = yield* newestApplied
  if (newest === undefined || files.some((file) => file.id === newest.id && file.name === newest.name)) return
  return yield* new MigrationsError({
    reason: "NewerSchema",
    message: `the database was migrated to ${newest.id}_${newest.name}, which this build does not know: run the build that did, or a later one`
  })
})

const toError = (
  error: MigrationsError | Migrator.MigrationError | SqlError.SqlError | { readonly message: string }
) =>
  error instanceof MigrationsError
    ? error
    : new MigrationsError({
        reason:
          error instanceof Migrator.MigrationError && error.kind === "Duplicates" ? "BadFile" : "Failed",
        message: `migrating the database failed: ${error.message}${
          error instanceof Migrator.MigrationError && error.cause !== undefined
            ? `: ${String(error.cause)}`
            : ""
        }`,
        cause: error
      })

/** The same from another folder, whose address ends with a slash. */
export const runFrom = Effect.fn("Migrations.run")(
  function* (directory: URL) {
    const files = yield* list(directory)
    yield* refuseNewer(files)
    return yield* Migrator.make({})({
      table,
      loader: Effect.succeed(
        files.map(({ id, name, url }) => [id, name, Effect.promise(() => import(url.href))] as const)
      )
    })
  },
  Effect.mapError(toError),
  Effect.provide(NodeServices.layer)
)

const ours = new URL("../../../migrations/", import.meta.url)

/** Where runners agree on who owns which shard: the library's, with a history of its own. */
const clusterTables = Effect.scoped(Layer.build(SqlRunnerStorage.layerMigrations({})))

/** Runs what is missing and returns it, oldest first. Safe to call again and at the same time as others. */
export const run: Effect.Effect<
  ReadonlyArray<readonly [id: number, name: string]>,
  MigrationsError,
  SqlClient.SqlClient
> = Effect.tap(runFrom(ours), () => clusterTables)

/** A step of its own before anything reads the database: provide it below the services, over a client. */
export const layer: Layer.Layer<never, MigrationsError, SqlClient.SqlClient> = Layer.effectDiscard(
  Effect.flatMap(run, (applied) =>
    applied.length === 0
      ? Effect.void
      : Effect.logInfo(`migrated the database: ${applied.map(([id, name]) => `${id}_${name}`).join(", ")}`)
  )
)

/** For who may not change the schema: fails with `Behind` or `NewerSchema` where the database is not of this build. */
export const layerUpToDate: Layer.Layer<never, MigrationsError, SqlClient.SqlClient> = Layer.effectDiscard(
  Effect.gen(function* () {
    const files = yield* list(ours)
    yield* refuseNewer(files)
    const newest = yield* newestApplied
    const last = files[files.length - 1]
    if (last === undefined || newest?.id === last.id) return
    return yield* new MigrationsError({
      reason: "Behind",
      message: `the database is at ${newest === undefined ? "no migration" : `${newest.id}_${newest.name}`}, this build needs ${last.id}_${last.name}: run \`onsale migrate\` first`
    })
  }).pipe(Effect.mapError(toError), Effect.provide(NodeServices.layer))
)
