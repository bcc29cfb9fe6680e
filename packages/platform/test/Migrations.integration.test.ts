import { expect, it } from "@effect/vitest"
import * as Migrations from "@onsale/platform/Migrations"
import { layerEmptyDatabase } from "@onsale/testing/PostgresFixture"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const directory = (name: string) => new URL(`./migrations/${name}/`, import.meta.url)

const ran = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT name FROM ran`)

it.live("runs the files in order, each once, also when two processes start together", () =>
  Effect.gen(function* () {
    const both = yield* Effect.all(
      [Migrations.runFrom(directory("good")), Migrations.runFrom(directory("good"))],
      {
        concurrency: 2
      }
    )
    expect(both.flat()).toEqual([
      [1, "first"],
      [2, "second"]
    ])
    expect(yield* ran).toEqual([{ name: "second" }])
    expect(yield* Migrations.runFrom(directory("good"))).toEqual([])
    expect(yield* ran).toEqual([{ name: "second" }])
  }).pipe(Effect.provide(layerEmptyDatabase))
)

it.live("a run that fails keeps nothing and says which file", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const error = yield* Effect.flip(Migrations.runFrom(directory("failing")))
    expect(error).toMatchObject({ _tag: "MigrationsError", reason: "Failed" })
    expect(error.message).toContain("2_fails")
    expect(yield* sql`SELECT to_regclass('ran')::text AS ran`).toEqual([{ ran: null }])
    expect((yield* Migrations.runFrom(directory("good"))).length).toBe(2)
  }).pipe(Effect.provide(layerEmptyDatabase))
)

it.live("refuses a database of a newer build", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* Migrations.runFrom(directory("good"))
    yield* sql`INSERT INTO onsale_migrations (migration_id, name) VALUES (3, 'third')`
    const error = yield* Effect.flip(Migrations.runFrom(directory("good")))
    expect(error).toMatchObject({ _tag: "MigrationsError", reason: "NewerSchema" })
    expect(error.message).toContain("3_third")
  }).pipe(Effect.provide(layerEmptyDatabase))
)

it.live("refuses a file without a number", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Migrations.runFrom(directory("misnamed")))
    expect(error).toMatchObject({ _tag: "MigrationsError", reason: "BadFile" })
  }).pipe(Effect.provide(layerEmptyDatabase))
)
