/** A Postgres for one run, in a directory that goes with it. */
import { NodeServices } from "@effect/platform-node"
import { EmbeddedPostgres } from "@onsale/platform/EmbeddedPostgres"
import * as Migrations from "@onsale/platform/Migrations"
import * as Sql from "@onsale/platform/Sql"
import { Context, Effect, FileSystem, Layer } from "effect"

/** Nothing of a test outlives the run, so nothing has to reach the disk. */
const unsafeButFast = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }

/** Starts it with some settings more, and answers with its address; stopped and removed with the scope. */
export const startWith = Effect.fnUntraced(function* (settings: Readonly<Record<string, string>>) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-test-" })
  // The server's account has to get through when we are root.
  yield* fs.chmod(directory, 0o711)
  const context = yield* Layer.build(
    EmbeddedPostgres.layer({
      directory: `${directory}/postgres`,
      settings: { ...unsafeButFast, ...settings }
    })
  )
  return Context.get(context, EmbeddedPostgres).url
})

export const start = startWith({})

/**
 * Its clients, for suites that make replication slots: that waits for every transaction of the server to end, also of
 * the suites beside it.
 */
export const layerEmpty = Layer.unwrap(
  Effect.map(start, (url) => Sql.layerUrl(url, { maxConnections: 6 }))
).pipe(Layer.provide(NodeServices.layer))

/** The same with our tables. */
export const layerMigrated = Layer.effectDiscard(Migrations.run).pipe(Layer.provideMerge(layerEmpty))
