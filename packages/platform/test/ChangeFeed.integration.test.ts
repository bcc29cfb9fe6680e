import { assert, describe, layer } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import * as ChangeFeed from "@onsale/platform/ChangeFeed"
import * as ReplicationSlot from "@onsale/platform/ReplicationSlot"
import type { RowChange } from "@onsale/platform/RowChange"
import { pollUntil } from "@onsale/testing/Poll"
import * as ScratchPostgres from "@onsale/testing/ScratchPostgres"
import { Effect, Exit, Layer, References, Schema, Scope } from "effect"

const quiet = Layer.succeed(References.MinimumLogLevel, "None")
const publication = "things"
/** From a commit to its handler, as who depends on it wants it. */
const fresh = { deadline: "30 seconds" } as const

let made = 0

/** A table with its publication, in the one database of the suite, and feeds over it. */
const prepare = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient
  const schema = `feed${++made}`
  const published = `${publication}${made}`
  const table = sql.literal(`"${schema}"."things"`)
  yield* sql`CREATE SCHEMA ${sql.literal(schema)}`
  yield* ReplicationSlot.createTable(schema)
  yield* sql`CREATE TABLE ${table} (id int PRIMARY KEY, name text NOT NULL, large text)`
  yield* sql`CREATE PUBLICATION ${sql.literal(published)} FOR TABLE ${table} (id, name)`
  const slot = yield* ReplicationSlot.nameOf(schema)
  yield* Effect.addFinalizer(() =>
    pollUntil(
      sql`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
        WHERE slot_name = ${slot} AND NOT active`.pipe(
        Effect.andThen(sql`SELECT 1 AS one FROM pg_replication_slots WHERE slot_name = ${slot}`)
      ),
      (rows) => rows.length === 0
    ).pipe(Effect.orDie)
  )
  const seen: Array<RowChange> = []
  const calls: Array<number> = []
  let resyncs = 0
  const scans: Array<string> = []
  /** What looking through everything does. */
  let looks: Effect.Effect<unknown> = Effect.void
  const state = ReplicationSlot.look(slot, published)
  return {
    sql,
    table,
    slot,
    state,
    seen,
    calls,
    resyncs: () => resyncs,
    scans,
    looking: (how: Effect.Effect<unknown>) => {
      looks = how
    },
    insert: (from: number, to = from) =>
      sql`INSERT INTO ${table} (id, name) SELECT n, 'thing ' || n FROM generate_series(${from}::int, ${to}::int) AS n`,
    ids: Effect.sync(() => [
      ...new Set(seen.map((change) => (change.kind === "insert" ? Number(change.row["id"]) : -1)))
    ]),
    start: Effect.fnUntraced(function* (
      handle: (changes: ReadonlyArray<RowChange>) => Effect.Effect<void, string> = () => Effect.void
    ) {
      const scope = yield* Scope.fork(yield* Effect.scope)
      yield* Layer.buildWithScope(
        ChangeFeed.layer({
          schema,
          publication: published,
          slotPrefix: schema,
          wanted: Effect.succeed(true),
          gatherFor: "20 millis",
          resync: (scan) =>
            Effect.suspend(() => {
              resyncs++
              scans.push(scan)
              return Effect.asVoid(looks)
            }),
          handle: (changes) =>
            handle(changes).pipe(
              Effect.andThen(
                Effect.sync(() => {
                  calls.push(changes.length)
                  seen.push(...changes)
                })
              )
            )
        }).pipe(Layer.provide(quiet)),
        scope
      )
      return Scope.close(scope, Exit.void)
    }),
    following: pollUntil(state, ({ active }) => active),
    /** It is on record that everything was looked through: who starts now need not. */
    lookedThrough: pollUntil(ReplicationSlot.remembered(schema, slot), ({ scanned }) => scanned, fresh),
    free: pollUntil(state, ({ active }) => !active)
  }
})

type World = Effect.Success<typeof prepare>

const sees = ({ ids }: World, ...expected: ReadonlyArray<number>) =>
  pollUntil(ids, (ids) => expected.every((id) => ids.includes(id)), fresh)

/** Ends the connection under a feed as an administrator would. */
const cut = ({ slot, sql }: World) =>
  sql`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = ${slot}`

layer(ScratchPostgres.layerEmpty, { excludeTestServices: true, timeout: "60 seconds" })(
  "ChangeFeed",
  (it) => {
    describe("what is told", () => {
      it.effect("rows that were inserted, updated and deleted, as they are published", () =>
        Effect.gen(function* () {
          const world = yield* prepare
          const { seen, sql, table } = world
          yield* world.start()
          yield* world.following
          yield* sql`INSERT INTO ${table} VALUES (1, 'one', repeat('x', 100000))`
          yield* sql`UPDATE ${table} SET name = 'two' WHERE id = 1`
          yield* sql`UPDATE ${table} SET id = 2 WHERE id = 1`
          yield* sql`DELETE FROM ${table} WHERE id = 2`
          yield* sql`TRUNCATE ${table}`
          yield* pollUntil(
            Effect.sync(() => seen.map((change) => ({ ...change, table: "" }))),
            (changes) => changes.length === 5,
            fresh
          )
          const plain = JSON.parse(JSON.stringify(seen.map(({ table: _, ...change }) => change)))
          assert.deepStrictEqual(plain, [
            { kind: "insert", row: { id: 1, name: "one" } },
            { kind: "update", row: { id: 1, name: "two" }, before: null },
            { kind: "update", row: { id: 2, name: "two" }, before: { id: 1 } },
            { kind: "delete", before: { id: 2 } },
            { kind: "truncate" }
          ])
        })
      )

      it.effect("nothing of a transaction that was rolled back", () =>
        Effect.gen(function* () {
          const world = yield* prepare
          yield* world.start()
          yield* world.following
          const rolledBack = world.sql.withTransaction(Effect.andThen(world.insert(1), Effect.fail("no")))
          assert.strictEqual(yield* Effect.flip(rolledBack), "no")
          yield* world.insert(2)
          yield* sees(world, 2)
          assert.deepStrictEqual(yield* world.ids, [2])
        })
      )

      it.effect("what was changed while nobody followed", () =>
        Effect.gen(function* () {
          const world = yield* prepare
          const stop = yield* world.start()
          yield* world.following
          yield* world.lookedThrough
          yield* stop
          yield* world.free
          yield* world.insert(1, 3)
          yield* world.start()
          yield* sees(world, 1, 2, 3)
          assert.strictEqual(world.resyncs(), 1)
        })
      )

      it.effect("a transaction of 50,000 rows, in bounded calls, while the connection stays alive", () =>
        Effect.gen(function* () {
          const world = yield* prepare
          yield* world.start()
          yield* world.following
          yield* world.insert(1, 50_000)
          yield* pollUntil(world.ids, (ids) => ids.length === 50_000, { deadline: "30 seconds" })
          assert.isBelow(Math.max(...world.calls), 2 * 4096 + 1)
          assert.strictEqual(world.seen.length, 50_000)
        })
      )
    })

    describe("what is looked through", () => {
      it.effect("everything, while changes are handled; where it was broken off, by the same name", () =>
        Effect.gen(function* () {
          const world = yield* prepare
          world.looking(Effect.never)
          const stop = yield* world.start()
          yield* world.following
          yield* world.insert(1)
          yield* sees(world, 1)
          yield* stop
          yield* world.free
          world.looking(Effect.void)
          yield* world.start()
          yield* pollUntil(Effect.sync(world.resyncs), (count) => count === 2, fresh)
          assert.strictEqual(world.scans[0], world.scans[1])
        })
      )

      it.effect("everything once more, by another name, where a table was emptied", () =>
        Effect.gen(function* () {
          const world = yield* prepare
          yield* world.start()
          yield* world.following
          yield* world.insert(1)
          yield* sees(world, 1)
          yield* pollUntil(Effect.sync(world.resyncs), (count) => count === 1, fresh)
          yield* world.sql`TRUNCATE ${world.table}`
          yield* pollUntil(Effect.sync(world.resyncs), (count) => count === 2, fresh)
          assert.notStrictEqual(world.scans[0], world.scans[1])
          yield* world.insert(2)
          yield* sees(world, 2)
        })
      )
    })

    describe("what is acknowledged", () => {
      it.effect(
        "nothing that a handler has failed with: it is asked again, with what came meanwhile",
        () =>
          Effect.gen(function* () {
            const world = yield* prepare
            let failing = true
            const asked: Array<number> = []
            yield* world.start((changes) => {
              asked.push(changes.length)
              return failing ? Effect.fail("not now") : Effect.void
            })
            yield* world.following
            const before = (yield* world.state).confirmedLsn
            yield* world.insert(1)
            yield* pollUntil(
              Effect.sync(() => asked.length),
              (count) => count >= 3
            )
            assert.strictEqual((yield* world.state).confirmedLsn, before)
            yield* world.insert(2)
            yield* pollUntil(
              Effect.sync(() => Math.max(...asked)),
              (most) => most === 2
            )
            failing = false
            yield* sees(world, 1, 2)
            yield* pollUntil(world.state, ({ confirmedLsn }) => confirmedLsn > before)
          }),
        30_000
      )

      it.effect("nothing that a handler was working on when the process ended", () =>
        Effect.gen(function* () {
          const world = yield* prepare
          let asked = false
          const stop = yield* world.start(() => {
            asked = true
            return Effect.never
          })
          yield* world.following
          yield* world.insert(1)
          yield* pollUntil(
            Effect.sync(() => asked),
            (was) => was
          )
          yield* stop
          yield* world.free
          yield* world.start()
          yield* sees(world, 1)
        })
      )

      it.effect("log of tables that are not ours, so that it need not be kept", () =>
        Effect.gen(function* () {
          const world = yield* prepare
          const { sql } = world
          yield* world.start()
          yield* world.following
          const other = sql.literal(`other${made}`)
          yield* sql`CREATE TABLE ${other} AS SELECT repeat('x', 1000) AS large FROM generate_series(1, 1000)`
          const [{ at }] = yield* Schema.decodeUnknownEffect(
            Schema.Tuple([Schema.Struct({ at: Schema.String })])
          )(yield* sql`SELECT pg_current_wal_lsn()::text AS at`)
          yield* pollUntil(
            sql<{ reached: boolean }>`SELECT confirmed_flush_lsn >= ${at}::pg_lsn AS reached
            FROM pg_replication_slots WHERE slot_name = ${world.slot}`,
            ([slot]) => slot?.reached === true
          )
        })
      )
    })

    describe("who consumes", () => {
      it.effect("goes on after its connection was ended, with nothing lost", () =>
        Effect.gen(function* () {
          const world = yield* prepare
          yield* world.start()
          for (let n = 1; n <= 5; n++) {
            yield* world.following
            yield* world.insert(2 * n)
            yield* cut(world)
            yield* world.insert(2 * n + 1)
          }
          yield* sees(world, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
        })
      )

      it.effect("is one of two, and the other one takes over", () =>
        Effect.gen(function* () {
          const world = yield* prepare
          const by: Array<string> = []
          const named = (name: string) => () => Effect.sync(() => void by.push(name))
          const stop = yield* world.start(named("first"))
          yield* world.following
          yield* world.start(named("second"))
          yield* world.insert(1)
          yield* sees(world, 1)
          yield* stop
          yield* world.insert(2)
          yield* sees(world, 2)
          assert.deepStrictEqual(by, ["first", "second"])
          assert.strictEqual(world.resyncs(), 1)
        })
      )
    })
  }
)
