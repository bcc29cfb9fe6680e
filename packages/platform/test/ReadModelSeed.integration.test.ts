/** Models that show more than their journal tells. */
import { assert, layer } from "@effect/vitest"
import * as ReadModel from "@onsale/platform/ReadModel"
import { rebuild } from "@onsale/platform/ReadModelRebuild"
import { pollUntil } from "@onsale/testing/Poll"
import { layerEmptyDatabase } from "@onsale/testing/PostgresFixture"
import { Deferred, Effect, Fiber, Schema } from "effect"
import { type Event, makeJournal, stream } from "./JournalFixture.ts"

const Row = Schema.Struct({ id: Schema.String, text: Schema.String })
const Rows = Schema.Array(Row)
const pageSize = 2

/** A table, and a model that is a copy of it: the journal says which rows are others, but not of all. */
const makeCopy = Effect.gen(function* () {
  const { entry, journal, schema, sql } = yield* makeJournal
  yield* ReadModel.createTables(schema)
  const [table, copy] = [sql(`${schema}.source`), sql(`${schema}.copy`)]
  yield* sql`CREATE TABLE ${table} (id uuid PRIMARY KEY, text text NOT NULL)`
  yield* sql`CREATE TABLE ${copy} (generation int, id uuid, text text NOT NULL, PRIMARY KEY (generation, id))`
  yield* ReadModel.ownTable(schema, "copy", "copy")
  const hooks = { meanwhile: Effect.void as Effect.Effect<unknown> }

  /** Writes what it has read before it was held up. */
  const make = Effect.fnUntraced(function* (
    ids: ReadonlyArray<string>,
    generations: ReadonlyArray<number>,
    meanwhile: Effect.Effect<unknown> = Effect.void
  ) {
    const rows = yield* sql`SELECT id::text AS id, text FROM ${table} WHERE id = ANY(${ids}::uuid[])`.pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(Rows))
    )
    yield* meanwhile
    for (const { id, text } of rows) {
      yield* sql`INSERT INTO ${copy} (generation, id, text)
        SELECT generation, ${id}::uuid, ${text}::text FROM unnest(${generations}::int[]) AS generation
        ON CONFLICT (generation, id) DO UPDATE SET text = excluded.text`
    }
  })
  const model: ReadModel.Model<typeof Event.Type> = {
    schema,
    name: "copy",
    tables: ["copy"],
    journal,
    seed: {
      first: stream(0),
      page: Effect.fnUntraced(function* (after, generation) {
        const rows = yield* sql`SELECT id::text AS id, text FROM ${table} AS source WHERE id > ${after}::uuid
          ORDER BY source.id LIMIT ${pageSize}::int`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(Rows)))
        yield* make(
          rows.map(({ id }) => id),
          [generation],
          hooks.meanwhile
        )
        return { count: rows.length, next: rows[pageSize - 1]?.id ?? null }
      })
    },
    handle: (rows, generation) =>
      make(
        rows.map(({ stream }) => stream),
        [generation]
      )
  }
  const put = (n: number, text: string) =>
    sql`INSERT INTO ${table} (id, text) VALUES (${stream(n)}::uuid, ${text}::text)
      ON CONFLICT (id) DO UPDATE SET text = excluded.text`
  return {
    sql,
    copy,
    model,
    hooks,
    /** By SQL: nobody is told. */
    put,
    /** As a service does: the row, and the journal's. */
    change: (n: number, version: number, text: string) =>
      sql.withTransaction(Effect.andThen(journal.append(entry(stream(n), version, version)), put(n, text))),
    refresh: (n: number) =>
      sql.withTransaction(
        Effect.flatMap(ReadModel.lockAll(model), (generations) => make([stream(n)], generations))
      ),
    read: ReadModel.read(
      model,
      Row
    )((generation) => sql`SELECT id, text FROM ${copy} WHERE generation = ${generation} ORDER BY id`),
    /** What it has to be. */
    all: sql`SELECT id::text AS id, text FROM ${table} AS source ORDER BY source.id`.pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(Rows))
    )
  }
})

/** Another suite of the same server may be writing: then the watermark waits for it. */
const patient = { deadline: "30 seconds" } as const

layer(layerEmptyDatabase, { excludeTestServices: true })("ReadModel with a seed", (it) => {
  it.effect("shows what no row of the journal tells of: at first, after it was emptied and built anew", () =>
    Effect.gen(function* () {
      const { all, change, copy, model, put, read, sql } = yield* makeCopy
      yield* change(1, 1, "told")
      for (const n of [2, 3, 4, 5]) yield* put(n, "by SQL")
      const run = pollUntil(Effect.andThen(ReadModel.runOnce(model), read), (rows) => rows !== null, patient)
      // Nothing is read of what is half there.
      yield* ReadModel.runOnce(model)
      assert.isNull(yield* read)
      assert.deepStrictEqual(yield* run, yield* all)
      yield* sql`TRUNCATE ${copy}`
      assert.isNull(yield* read)
      assert.deepStrictEqual(yield* run, yield* all)
      yield* put(6, "by SQL")
      yield* rebuild(model)
      assert.deepStrictEqual(yield* read, yield* all)
      assert.lengthOf(yield* all, 6)
    })
  )

  it.effect("what changes while a page is written is not written over by what the page has read", () =>
    Effect.gen(function* () {
      const { all, hooks, model, put, read, refresh, sql } = yield* makeCopy
      yield* put(1, "old")
      const [isRead, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      hooks.meanwhile = Effect.andThen(Deferred.succeed(isRead, undefined), Deferred.await(gate))
      const seeding = yield* Effect.forkChild(ReadModel.runOnce(model))
      yield* Deferred.await(isRead)
      yield* put(1, "new")
      const refreshing = yield* Effect.forkChild(refresh(1))
      // It has to wait for the page; whoever does not, is done by then.
      yield* pollUntil(
        Effect.all([
          sql`SELECT 1 AS waits FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE NOT l.granted AND a.datname = current_database()`,
          Effect.sync(() => refreshing.pollUnsafe())
        ]),
        ([waiting, done]) => waiting.length > 0 || done !== undefined,
        patient
      )
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(seeding)
      yield* Fiber.join(refreshing)
      hooks.meanwhile = Effect.void
      assert.deepStrictEqual(
        yield* pollUntil(Effect.andThen(ReadModel.runOnce(model), read), (rows) => rows !== null, patient),
        yield* all
      )
    })
  )

  it.effect("INV-09: what was being written when it began is not lost between seed and journal", () =>
    Effect.gen(function* () {
      const { all, change, model, read, sql } = yield* makeCopy
      yield* change(1, 1, "one")
      const [written, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = yield* Effect.forkChild(
        sql.withTransaction(
          change(2, 1, "two").pipe(
            Effect.andThen(Deferred.succeed(written, undefined)),
            Effect.andThen(Deferred.await(gate))
          )
        )
      )
      yield* Deferred.await(written)
      // A later transaction that ends earlier: the journal's newest row is behind what is still running.
      yield* change(3, 1, "three")
      const begun = yield* ReadModel.advance(model, yield* ReadModel.begin(model, true))
      assert.strictEqual(begun.count, 2)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(slow)
      assert.deepStrictEqual(
        yield* pollUntil(
          Effect.andThen(ReadModel.runOnce(model), read),
          (rows) => (rows ?? []).length === 3,
          patient
        ),
        yield* all
      )
    })
  )

  it.effect("follows the journal from where it was before the first page, not from its beginning", () =>
    Effect.gen(function* () {
      const { change, model } = yield* makeCopy
      for (const n of [1, 2, 3]) yield* change(n, 1, "told")
      yield* pollUntil(
        model.journal.readAll({ txid: "0", position: "0" }, 10),
        ({ length }) => length === 3,
        patient
      )
      const [last] = (yield* model.journal.readAll({ txid: "0", position: "0" }, 10)).slice(-1)
      assert.deepStrictEqual((yield* ReadModel.begin(model, true)).cursor, last?.cursor)
    })
  )
})
