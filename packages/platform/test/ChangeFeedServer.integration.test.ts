import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import * as ChangeFeed from "@onsale/platform/ChangeFeed"
import { EmbeddedPostgres } from "@onsale/platform/EmbeddedPostgres"
import * as ReplicationSlot from "@onsale/platform/ReplicationSlot"
import * as Sql from "@onsale/platform/Sql"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect, Exit, Fiber, FileSystem, Layer, Logger, References, Scope } from "effect"

/** Nothing of a test outlives the run. */
const fast = { fsync: "off", full_page_writes: "off" }

/** A server of its own, as its settings matter, with a table and its publication. */
const prepare = Effect.fnUntraced(function* (settings: Readonly<Record<string, string>>) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-feed-" })
  yield* fs.chmod(directory, 0o711)
  const context = yield* Layer.build(
    Layer.unwrap(Effect.map(EmbeddedPostgres, ({ url }) => Sql.layerUrl(url, { maxConnections: 6 }))).pipe(
      Layer.provide(
        EmbeddedPostgres.layer({ directory: `${directory}/postgres`, settings: { ...fast, ...settings } })
      )
    )
  )
  const sql = yield* PgClient.PgClient.pipe(Effect.provideContext(context))
  yield* sql`CREATE SCHEMA feed`
  yield* ReplicationSlot.createTable("feed").pipe(Effect.provideContext(context))
  yield* sql`CREATE TABLE feed.things (id int PRIMARY KEY, name text NOT NULL)`
  yield* sql`CREATE PUBLICATION things FOR TABLE feed.things`
  const slot = yield* ReplicationSlot.nameOf("feed").pipe(Effect.provideContext(context))
  const log: Array<string> = []
  /** What the handler reads of the rows that it is told of: as others see them. */
  const read = new Map<number, string | undefined>()
  let resyncs = 0
  return {
    sql,
    log,
    read,
    resyncs: Effect.sync(() => resyncs),
    state: ReplicationSlot.look(slot, "things").pipe(Effect.provideContext(context)),
    start: Effect.fnUntraced(function* (required: boolean) {
      const scope = yield* Scope.fork(yield* Effect.scope)
      yield* Layer.buildWithScope(
        ChangeFeed.layer({
          schema: "feed",
          publication: "things",
          slotPrefix: "feed",
          wanted: Effect.succeed(true),
          required,
          gatherFor: "1 millis",
          resync: () =>
            Effect.sync(() => {
              resyncs++
            }),
          handle: Effect.fnUntraced(function* (changes) {
            for (const change of changes) {
              if (change.kind === "delete" || change.kind === "truncate") continue
              const id = Number(change.row["id"])
              const rows = yield* sql<{ name: string }>`SELECT name FROM feed.things WHERE id = ${id}::int`
              read.set(id, rows[0]?.name)
            }
          })
        }).pipe(
          Layer.provide(Layer.succeedContext(context)),
          Layer.provide(Logger.layer([Logger.make(({ message }) => log.push(String(message)))]))
        ),
        scope
      )
      return Scope.close(scope, Exit.void)
    })
  }
})

const on = (
  name: string,
  settings: Readonly<Record<string, string>>,
  run: (world: Effect.Success<ReturnType<typeof prepare>>) => Effect.Effect<void, unknown, Scope.Scope>
) =>
  it.live(
    name,
    () =>
      Effect.flatMap(prepare(settings), run).pipe(
        Effect.scoped,
        Effect.provideService(References.MinimumLogLevel, "Warn"),
        Effect.provide(NodeServices.layer)
      ),
    60_000
  )

describe("ChangeFeed on a server", () => {
  on(
    "that has thrown away what was not followed: makes the slot anew, and looks through everything",
    { max_slot_wal_keep_size: "1MB", min_wal_size: "32MB", max_wal_size: "32MB" },
    Effect.fnUntraced(function* ({ log, read, resyncs, sql, start, state }) {
      const stop = yield* start(false)
      yield* pollUntil(resyncs, (count) => count === 1)
      yield* stop
      yield* pollUntil(state, ({ active }) => !active)
      // Each a file of the log that is full, of which none is kept for the slot at the next checkpoint.
      for (let n = 0; n < 6; n++) {
        yield* sql`INSERT INTO feed.things VALUES (${n}::int, 'thing')`
        yield* sql`SELECT pg_switch_wal()::text AS at`
      }
      yield* sql.unsafe("CHECKPOINT")
      yield* pollUntil(state, ({ lost }) => lost)
      yield* start(false)
      yield* pollUntil(resyncs, (count) => count === 2)
      assert.isTrue(log.some((line) => line.includes("given up")))
      yield* sql`INSERT INTO feed.things VALUES (100, 'thing')`
      yield* pollUntil(
        Effect.sync(() => read.get(100)),
        (name) => name === "thing",
        { deadline: "30 seconds" }
      )
      assert.isFalse((yield* state).lost)
    })
  )

  on(
    "that does not write what is needed: says so once and goes on, unless it was told that it has to",
    { wal_level: "replica" },
    Effect.fnUntraced(function* ({ log, start, state }) {
      yield* start(false)
      yield* pollUntil(
        Effect.sync(() => log.filter((line) => line.includes("wal_level is not logical")).length),
        (count) => count === 1
      )
      assert.isFalse((yield* state).exists)
      const error = yield* Effect.flip(start(true))
      assert.strictEqual(error instanceof ChangeFeed.ChangeFeedUnavailable, true)
    })
  )

  on(
    "whose commits are in its log before they can be seen: waits until what it tells of can be read",
    { synchronous_commit: "off" },
    Effect.fnUntraced(function* ({ read, resyncs, sql, start, state }) {
      yield* sql`INSERT INTO feed.things VALUES (1, 'before')`
      yield* start(false)
      yield* pollUntil(resyncs, (count) => count === 1)
      // A standby that never comes holds this commit up, between the log and the eyes of others.
      yield* sql.unsafe("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
      yield* sql`SELECT pg_reload_conf()`
      const before = (yield* state).confirmedLsn
      const commit = yield* Effect.forkScoped(
        sql.withTransaction(
          sql`SET LOCAL synchronous_commit = 'on'`.pipe(
            Effect.andThen(sql`UPDATE feed.things SET name = 'after' WHERE id = 1`)
          )
        )
      )
      yield* pollUntil(
        sql`SELECT 1 AS one FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
        (rows) => rows.length > 0
      )
      // The log was sent, and the follower asks again and again whether it can be read.
      const looks = sql<{
        count: number
      }>`SELECT coalesce(sum(xact_commit), 0)::int AS count FROM pg_stat_database`
      const [seen] = yield* looks
      yield* pollUntil(looks, ([now]) => (now?.count ?? 0) > (seen?.count ?? 0) + 20)
      assert.isFalse(read.has(1))
      assert.strictEqual((yield* state).confirmedLsn, before)
      yield* sql`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
      yield* Fiber.join(commit)
      yield* pollUntil(
        Effect.sync(() => read.get(1)),
        (name) => name === "after"
      )
    })
  )
})
