import { assert, describe, it } from "@effect/vitest"
import { pollUntil } from "@onsale/testing/Poll"
import { TestDatabase } from "@onsale/testing/PostgresFixture"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import * as DatabaseMetrics from "../src/DatabaseMetrics.ts"
import * as Sql from "../src/Sql.ts"
import { valueOf } from "@onsale/testing/MetricValue"

/** A pool of one. */
const database = Layer.unwrap(
  Effect.map(TestDatabase, ({ url }) => Sql.layerUrl(url, { maxConnections: 1 }))
).pipe(Layer.provide(TestDatabase.layer("empty")))

describe("DatabaseMetrics", () => {
  it.live("who waits for a connection shows as waiting, and the server's sessions once he has one", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [taken, enough] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const holder = yield* Effect.forkChild(
        sql.withTransaction(Effect.andThen(Deferred.succeed(taken, undefined), Deferred.await(enough)))
      )
      yield* Deferred.await(taken)
      yield* Layer.build(DatabaseMetrics.layer)
      yield* pollUntil(valueOf("onsale_database_wait_seconds"), (seconds = 0) => seconds > 0.05)
      assert.strictEqual(yield* valueOf("onsale_database_sessions_limit"), 0)
      yield* Deferred.succeed(enough, undefined)
      yield* Fiber.join(holder)
      yield* pollUntil(valueOf("onsale_database_sessions_limit"), (most = 0) => most > 0)
      // The look itself is one that is active.
      assert.isAtLeast((yield* valueOf("onsale_database_sessions", { state: "active" })) ?? 0, 1)
      assert.isAbove((yield* valueOf("onsale_database_round_trip_seconds")) ?? 0, 0)
    }).pipe(Effect.scoped, Effect.provide(database))
  )
})
