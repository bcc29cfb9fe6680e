/** Whether a database takes connections is asked of a real one, and of what stands in for one that does not. */
import { assert, layer } from "@effect/vitest"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Redacted } from "effect"
import { createServer } from "node:net"
import * as DatabaseWatch from "../src/DatabaseWatch.ts"

/** A server that answers whoever begins with these bytes; its port. */
const answering = (bytes: string) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer((socket) => {
        socket.on("error", () => {})
        socket.once("data", () => socket.end(bytes))
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(
    Effect.map((server) => {
      const address = server.address()
      return address !== null && typeof address === "object" ? address.port : 0
    })
  )

layer(layerDatabase, { excludeTestServices: true, timeout: "60 seconds" })("a database", (it) => {
  it.effect("that takes connections answers", () =>
    Effect.gen(function* () {
      const { url } = yield* TestDatabase
      const { hostname, pathname, port, username } = new URL(Redacted.value(url))
      const address = { host: hostname, port: Number(port), user: username, database: pathname.slice(1) }
      assert.isTrue(yield* DatabaseWatch.answersAnew(address))
    })
  )

  it.effect("that is recovering, full, or not there does not", () =>
    Effect.gen(function* () {
      const refuses = { host: "127.0.0.1", user: "onsale", database: "onsale" }
      for (const bytes of ["E\0\0\0\u000bSFATAL\0\0", ""]) {
        const port = yield* answering(bytes)
        assert.isFalse(yield* DatabaseWatch.answersAnew({ ...refuses, port }))
      }
      assert.isFalse(yield* DatabaseWatch.answersAnew({ ...refuses, port: 1 }))
    })
  )
})
