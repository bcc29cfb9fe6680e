import { expect, it, layer } from "@effect/vitest"
import * as Sql from "@onsale/platform/Sql"
import { layerDatabase, layerEmptyDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"

const databases = (url: Redacted.Redacted<string>) => {
  const server = new URL(Redacted.value(url))
  server.pathname = "/postgres"
  return Effect.map(
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql<{ readonly name: string }>`SELECT datname AS name FROM pg_database`
    ),
    (rows) => rows.map(({ name }) => name)
  ).pipe(Effect.provide(Sql.layerUrl(Redacted.make(server.href), { maxConnections: 1 })))
}

layer(layerDatabase)("a suite's database", (it) => {
  it.effect("is migrated", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [row] = yield* sql`SELECT count(*)::int4 AS n FROM onsale_migrations`
      expect(row?.["n"]).toBeGreaterThan(0)
      yield* sql`CREATE TABLE mine (n int4)`
    })
  )
})

layer(layerDatabase)("another suite's database", (it) => {
  it.effect("has nothing of it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      expect(yield* sql`SELECT to_regclass('mine')::text AS mine`).toEqual([{ mine: null }])
    })
  )
})

it.live("is dropped with its suite", () =>
  Effect.gen(function* () {
    const url = yield* Effect.provide(
      Effect.map(TestDatabase, (database) => database.url),
      layerEmptyDatabase
    )
    const name = new URL(Redacted.value(url)).pathname.slice(1)
    expect(yield* databases(url)).not.toContain(name)
  })
)
