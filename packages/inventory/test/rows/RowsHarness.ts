/** Several processes of one level over one database, and what must be true when they are done. */
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { EventId } from "@onsale/contracts/Ids"
import * as Sql from "@onsale/platform/Sql"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { pollUntil } from "@onsale/testing/Poll"
import { SteeredClock } from "@onsale/testing/SteeredClock"
import { assert } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import * as InventoryAudit from "../../src/InventoryAudit.ts"
import { InventoryStore } from "../../src/InventoryStore.ts"
import * as RowsAudit from "../../src/rows/RowsAudit.ts"
import * as PostgresRows from "../../src/rows/PostgresRows.ts"

/** The database of the suite, the store over it, and a clock that the test moves. */
export const ground = InventoryStore.layer.pipe(
  Layer.provideMerge(layerDatabase),
  Layer.provideMerge(SteeredClock.layer)
)

/** One more process of L0, with connections of its own. */
export const process = Effect.gen(function* () {
  const { url } = yield* TestDatabase
  const context = yield* Layer.build(
    Layer.fresh(PostgresRows.layer).pipe(
      Layer.provide(Layer.fresh(InventoryStore.layer)),
      Layer.provide(Layer.fresh(Sql.layerUrl(url, { maxConnections: 6 })))
    )
  )
  return Context.get(context, InventoryClient)
})

/** Fails where the audit of the rows finds a breach, or Postgres had to break a circle of waiting transactions. */
export const expectRowsClean = Effect.gen(function* () {
  assert.deepStrictEqual(yield* RowsAudit.run(), [])
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly deadlocks: number }>`SELECT deadlocks::int4 AS deadlocks
    FROM pg_stat_database WHERE datname = current_database()`
  assert.strictEqual(row?.deadlocks, 0)
})

/** The same, and where that of the journal finds one. */
export const expectClean = Effect.gen(function* () {
  assert.deepStrictEqual(yield* InventoryAudit.run(), [])
  yield* expectRowsClean
})

/** Fails where followers of the journal would see the rows of the event in another order, or not all. */
export const expectInOrder = Effect.fnUntraced(function* (eventId: EventId) {
  const { journal } = yield* InventoryStore
  const newest = (yield* journal.read(eventId, 1, 100_000)).length
  const read = Effect.map(journal.readAll({ txid: "0", position: "0" }, 100_000), (rows) =>
    rows.filter(({ stream }) => stream === eventId).map(({ version }) => version)
  )
  // A transaction that is open in another test's database holds them back for a while.
  const versions = yield* pollUntil(read, ({ length }) => length >= newest)
  assert.deepStrictEqual(
    versions,
    Array.from(versions, (_, i) => i + 1)
  )
  return versions.length
})
