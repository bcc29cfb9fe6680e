import { expect, it } from "@effect/vitest"
import * as Sql from "@onsale/platform/Sql"
import { layerEmptyDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { ConfigProvider, Effect, Fiber, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { connect, createServer, type Server } from "node:net"

const one = Effect.flatMap(SqlClient.SqlClient, (sql) => sql<{ readonly one: number }>`SELECT 1 AS one`)

const connectTo = (url: Redacted.Redacted<string>, connectLimit: "300 millis" | "30 seconds") =>
  Effect.provide(one, Sql.layerUrl(url, { connectLimit, maxConnections: 1 }))

const withPort = (url: Redacted.Redacted<string>, port: number) => {
  const changed = new URL(Redacted.value(url))
  changed.port = String(port)
  return Redacted.make(changed.href)
}

const listen = (server: Server, port: number) =>
  Effect.callback<number, Error>((resume) => {
    server.once("error", (error) => resume(Effect.fail(error)))
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      resume(
        typeof address === "object" && address !== null
          ? Effect.succeed(address.port)
          : Effect.fail(new Error("no port"))
      )
    })
  })

const close = (server: Server) =>
  Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))

const closedPort = Effect.gen(function* () {
  const server = createServer()
  const port = yield* listen(server, 0)
  yield* close(server)
  return port
})

it.live("waits for a server that comes up later", () =>
  Effect.gen(function* () {
    const { url } = yield* TestDatabase
    const target = new URL(Redacted.value(url))
    const port = yield* closedPort
    const fiber = yield* Effect.forkChild(connectTo(withPort(url, port), "30 seconds"))
    // Long enough for some attempts to fail; how many does not matter.
    yield* Effect.sleep("200 millis")
    const relay = createServer((client) => {
      const server = connect(Number(target.port), target.hostname)
      client.pipe(server).pipe(client)
      client.on("error", () => server.destroy())
      server.on("error", () => client.destroy())
    })
    yield* Effect.acquireRelease(listen(relay, port), () => Effect.sync(() => relay.close()))
    expect(yield* Fiber.join(fiber)).toEqual([{ one: 1 }])
  }).pipe(Effect.provide(layerEmptyDatabase))
)

it.live("says where no database answers, without the password", () =>
  Effect.gen(function* () {
    const port = yield* closedPort
    const error = yield* Effect.flip(
      connectTo(Redacted.make(`postgres://me:s3cret@127.0.0.1:${port}/shop`), "300 millis")
    )
    expect(error).toMatchObject({ _tag: "DatabaseError", reason: "Unreachable" })
    expect(error.message).toContain(`127.0.0.1:${port}/shop as me`)
    expect(error.message).not.toContain("s3cret")
  })
)

it.live("a wrong database is refused at once, whatever the limit", () =>
  Effect.gen(function* () {
    const { url } = yield* TestDatabase
    const absent = new URL(Redacted.value(url))
    absent.pathname = "/no_such_database"
    const error = yield* Effect.flip(connectTo(Redacted.make(absent.href), "30 seconds"))
    expect(error).toMatchObject({ _tag: "DatabaseError", reason: "Refused" })
    expect(error.message).toContain("does not exist")
  }).pipe(Effect.provide(layerEmptyDatabase))
)

it.live("something that is no URL", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(connectTo(Redacted.make("s3cret"), "300 millis"))
    expect(error).toMatchObject({ _tag: "DatabaseError", reason: "BadUrl" })
    expect(error.message).not.toContain("s3cret")
  })
)

it.live("refuses a server before Postgres 15", () =>
  Effect.gen(function* () {
    const { url } = yield* TestDatabase
    const sql = yield* SqlClient.SqlClient
    // A function that hides the server's own makes it say another version.
    yield* sql`CREATE SCHEMA fake`
    yield* sql`CREATE FUNCTION fake.current_setting(text) RETURNS text LANGUAGE sql AS
      $$ SELECT CASE $1 WHEN 'server_version_num' THEN '140011' ELSE '14.11' END $$`
    yield* sql.unsafe(
      `ALTER DATABASE ${new URL(Redacted.value(url)).pathname.slice(1)} SET search_path = fake, pg_catalog`
    )
    const error = yield* Effect.flip(connectTo(url, "300 millis"))
    expect(error).toMatchObject({ _tag: "DatabaseError", reason: "TooOld" })
    expect(error.message).toContain("14.11")
  }).pipe(Effect.provide(layerEmptyDatabase))
)

it.live("reads the server from the configuration", () =>
  Effect.gen(function* () {
    const { url } = yield* TestDatabase
    const provider = ConfigProvider.fromEnvRecord({
      ONSALE_DATABASE_URL: Redacted.value(url),
      ONSALE_DATABASE_POOL: "2"
    })
    const rows = yield* Effect.provide(
      one,
      Sql.layerFor("command", "onsale").pipe(Layer.provide(ConfigProvider.layer(provider)))
    )
    expect(rows).toEqual([{ one: 1 }])
  }).pipe(Effect.provide(layerEmptyDatabase))
)
