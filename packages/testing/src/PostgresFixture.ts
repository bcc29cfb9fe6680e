/** A fresh, migrated database for a test suite. */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted, Schedule } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Sql from "@onsale/platform/Sql"
import { inject } from "vitest"
import { databaseUrl } from "./PostgresGlobalSetup.ts"

/** Small, so that many suites fit into one server. */
const maxConnections = 6

const createDatabase = Effect.fn("PostgresFixture.createDatabase")(function* (schema: "migrated" | "empty") {
  const { template, url } = inject("onsaleTestDatabase")
  if (schema === "migrated" && "failure" in template) return yield* Effect.die(new Error(template.failure))
  const source = schema === "migrated" && "name" in template ? template.name : "template0"
  const random = yield* SecureRandom.SecureRandom
  const name = `onsale_test_${(yield* random.uuidV4()).replaceAll("-", "")}`
  const server = Redacted.make(url)
  const admin = <A, E>(effect: (sql: PgClient.PgClient) => Effect.Effect<A, E>) =>
    Effect.scoped(
      Effect.flatMap(Layer.build(Sql.layerUrl(server, { maxConnections: 1 })), (context) =>
        effect(Context.get(context, PgClient.PgClient))
      )
    )
  yield* Effect.acquireRelease(
    admin((sql) => sql.unsafe(`CREATE DATABASE ${name} TEMPLATE ${source}`)),
    () =>
      // What follows its changes in a process of its own may still be connected, and FORCE spares it.
      admin((sql) =>
        sql`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = ${name} AND active`.pipe(
          Effect.andThen(sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
          Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 40 })
        )
      ).pipe(Effect.orDie)
  )
  return databaseUrl(server, name)
})

/** The address of the suite's database, for tests that start processes of their own on it. */
export class TestDatabase extends Context.Service<
  TestDatabase,
  { readonly url: Redacted.Redacted<string> }
>()("@onsale/testing/TestDatabase") {
  /** Creates the database, and drops it with the scope, whoever is still connected. */
  static readonly layer = (schema: "migrated" | "empty") =>
    Layer.effect(
      TestDatabase,
      Effect.map(createDatabase(schema), (url) => TestDatabase.of({ url }))
    ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

const layerOf = (schema: "migrated" | "empty") =>
  Layer.unwrap(Effect.map(TestDatabase, ({ url }) => Sql.layerUrl(url, { maxConnections }))).pipe(
    Layer.provideMerge(TestDatabase.layer(schema))
  )

/** `PgClient`, `SqlClient` and `TestDatabase` of a new database of this suite, migrated and without rows. */
export const layerDatabase = layerOf("migrated")

/** The same without any schema, for tests that bring their own tables. */
export const layerEmptyDatabase = layerOf("empty")
