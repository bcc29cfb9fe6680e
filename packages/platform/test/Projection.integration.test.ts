import { assert, layer } from "@effect/vitest"
import * as Projection from "@onsale/platform/Projection"
import { pollUntil } from "@onsale/testing/Poll"
import { layerEmptyDatabase } from "@onsale/testing/PostgresFixture"
import { Clock, Effect, Exit, Layer, Logger, Metric, References, Scope } from "effect"
import type { SqlClient } from "effect/sql"
import { brief, type Event, makeJournal, stream } from "./JournalFixture.ts"

type Handle = Projection.Options<typeof Event.Type, never>["handle"]

/** A journal, and what its projections have written: a line for every row, and again for every time. */
const prepare = Effect.gen(function* () {
  const fixture = yield* makeJournal
  const { entry, journal, schema, sql } = fixture
  const table = sql(`${schema}.seen`)
  yield* sql`CREATE TABLE ${table} (id bigint GENERATED ALWAYS AS IDENTITY, row text NOT NULL)`
  const write: Handle = (rows) =>
    Effect.asVoid(sql`INSERT INTO ${table} (row) SELECT unnest(${brief(rows)}::text[])`)
  const options = (
    handle: Handle = write,
    more: { readonly batch?: number; readonly name?: string } = {}
  ) => ({
    schema,
    name: "seen",
    journal,
    handle,
    pollEvery: "20 millis" as const,
    ...more
  })
  const seen = Effect.map(sql<{ readonly row: string }>`SELECT row FROM ${table} ORDER BY id`, (rows) =>
    rows.map(({ row }) => row)
  )
  const append = (n: number, from: number, to: number) =>
    Effect.forEach(
      Array.from({ length: to - from + 1 }, (_, i) => from + i),
      (version) => journal.append(entry(stream(n), version, version)),
      { discard: true }
    )
  return {
    append,
    options,
    seen,
    write,
    /** Until as many rows are written; more would be too many. */
    reaches: (count: number) => pollUntil(seen, (rows) => rows.length >= count),
    start: Effect.fnUntraced(function* (of: Projection.Options<typeof Event.Type, never>) {
      const scope = yield* Scope.make()
      yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
      yield* Layer.buildWithScope(
        // What fails here is meant to.
        Projection.layer(of).pipe(Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))),
        scope
      )
      return Scope.close(scope, Exit.void)
    })
  }
})

const expected = (n: number, count: number) =>
  Array.from({ length: count }, (_, i) => `${n}/${i + 1}:${i + 1}`)

layer(layerEmptyDatabase, { excludeTestServices: true })("Projection", (it) => {
  it.effect("INV-09: two runners of one projection write every row once, and streams in order", () =>
    Effect.gen(function* () {
      const { append, options, reaches, seen, start } = yield* prepare
      yield* start(options(undefined, { batch: 7 }))
      yield* start(options(undefined, { batch: 7 }))
      yield* Effect.forEach([1, 2, 3], (n) => append(n, 1, 60), { concurrency: 3 })
      yield* reaches(180)
      const rows = yield* seen
      assert.lengthOf(rows, 180)
      for (const n of [1, 2, 3]) {
        assert.deepStrictEqual(
          rows.filter((row) => row.startsWith(`${n}/`)),
          expected(n, 60)
        )
      }
    })
  )

  it.effect("of two runs at once one writes, and the other leaves nothing behind", () =>
    Effect.gen(function* () {
      const { append, options, seen } = yield* prepare
      yield* append(1, 1, 5)
      // Until the rows can be read: another suite of the same server may be writing.
      yield* pollUntil(
        options().journal.readAll({ txid: "0", position: "0" }, 10),
        (rows) => rows.length === 5
      )
      const exits = yield* Effect.all(
        Array.from({ length: 4 }, () => Effect.exit(Projection.runOnce(options()))),
        { concurrency: 4 }
      )
      assert.isTrue(exits.some(Exit.isSuccess))
      assert.deepStrictEqual(yield* seen, expected(1, 5))
      assert.strictEqual(yield* Projection.runOnce(options()), 0)
    })
  )

  it.effect(
    "a handler that fails or dies is asked again with the same rows, and what it wrote is undone",
    () =>
      Effect.gen(function* () {
        const { append, options, reaches, seen, start, write } = yield* prepare
        const asked: Array<ReadonlyArray<string>> = []
        yield* append(1, 1, 3)
        yield* start(
          options((rows) => {
            asked.push(brief(rows))
            const outcome =
              asked.length === 1
                ? Effect.fail(new Error("not yet"))
                : asked.length === 2
                  ? Effect.die(new Error("a bug"))
                  : Effect.void
            return Effect.andThen(write(rows), outcome)
          })
        )
        yield* reaches(3)
        // More may have become visible by then.
        assert.deepStrictEqual(asked[1]?.slice(0, asked[0]?.length), asked[0])
        yield* append(1, 4, 5)
        yield* reaches(5)
        assert.deepStrictEqual(yield* seen, expected(1, 5))
      })
  )

  it.effect(
    "INV-09: where the cursor moves after the handler, what it has written is committed before it tells, and told again if it could not",
    () =>
      Effect.gen(function* () {
        const { append, options, reaches, seen, start, write } = yield* prepare
        const database = yield* Effect.context<SqlClient.SqlClient>()
        const asked: Array<ReadonlyArray<string>> = []
        /** As who is told sees it: on another connection than the handler's transaction, if it is in one. */
        const told: Array<ReadonlyArray<string>> = []
        const tell = Effect.promise(() => Effect.runPromiseWith(database)(seen)).pipe(
          Effect.andThen((rows) =>
            asked.length === 1 ? Effect.die(new Error("a crash")) : Effect.sync(() => told.push(rows))
          )
        )
        const of = {
          ...options((rows) => {
            asked.push(brief(rows))
            return Effect.andThen(write(rows), tell)
          }),
          cursorMoves: "after" as const
        }
        yield* append(1, 1, 3)
        const stop = yield* start(of)
        yield* pollUntil(
          Effect.sync(() => told.flat()),
          (rows) => rows.includes("1/3:3"),
          { deadline: "30 seconds" }
        )
        // What was told of could be read by then, and what was not told at first was written, and written again.
        assert.includeMembers([...told[0]!], [...asked[1]!])
        assert.deepStrictEqual(asked[1]?.slice(0, asked[0]?.length), asked[0])
        const { position } = yield* pollUntil(
          Effect.map(Projection.positionOf(of.schema, of.name), (cursor) => cursor ?? { position: "0" }),
          ({ position }) => position !== "0"
        )
        assert.notStrictEqual(position, "0")
        yield* stop
        const before = (yield* seen).length
        yield* start(of)
        yield* append(1, 4, 4)
        assert.deepStrictEqual((yield* reaches(before + 1)).slice(before), ["1/4:4"])
      })
  )

  it.effect("a projection goes on where the one before was, each by its own name", () =>
    Effect.gen(function* () {
      const { append, options, reaches, seen, start } = yield* prepare
      const stop = yield* start(options())
      yield* append(1, 1, 4)
      yield* reaches(4)
      yield* stop
      yield* append(1, 5, 8)
      assert.deepStrictEqual(yield* seen, expected(1, 4))
      yield* start(options())
      yield* reaches(8)
      assert.deepStrictEqual(yield* seen, expected(1, 8))
      yield* start(options(undefined, { name: "again" }))
      yield* reaches(16)
      assert.deepStrictEqual((yield* seen).slice(8), expected(1, 8))
    })
  )

  it.effect("no transaction takes more rows than its batch", () =>
    Effect.gen(function* () {
      const { append, options, reaches, start, write } = yield* prepare
      const sizes: Array<number> = []
      yield* append(1, 1, 10)
      yield* start(
        options(
          (rows) => {
            sizes.push(rows.length)
            return write(rows)
          },
          { batch: 3 }
        )
      )
      assert.deepStrictEqual(yield* reaches(10), expected(1, 10))
      assert.isAtMost(Math.max(...sizes), 3)
    })
  )

  it.effect("a runner whose rows another has written says nothing of it, and goes on without a pause", () =>
    Effect.gen(function* () {
      const { append, options, seen } = yield* prepare
      const { journal } = options()
      const database = yield* Effect.context<SqlClient.SqlClient>()
      const said: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void said.push(`${logLevel} ${String(message)}`))
      let reads = 0
      // Each time it has read its rows, another runner writes them before it can.
      const overtaken: typeof journal = {
        ...journal,
        readAll: Effect.fnUntraced(
          function* (after, limit) {
            if (reads < 10) yield* append(1, ++reads, reads)
            const rows = yield* pollUntil(
              journal.readAll(after, limit),
              (rows) => rows.length > 0 || reads === 10
            )
            if (rows.length > 0) yield* Projection.runOnce(options())
            return rows
          },
          Effect.orDie,
          Effect.provideContext(database)
        )
      }
      yield* Layer.build(
        Projection.layer({ ...options(), journal: overtaken }).pipe(
          Layer.provide(Logger.layer([logger])),
          Layer.provide(Layer.succeed(References.MinimumLogLevel, "Debug"))
        )
      )
      // With pauses that double from 100 ms it would take a minute.
      yield* pollUntil(seen, (rows) => rows.length === 10)
      assert.deepStrictEqual(yield* seen, expected(1, 10))
      const moved = yield* pollUntil(
        Effect.sync(() => said.filter((line) => line.includes("another runner was faster"))),
        (lines) => lines.length === 10
      )
      assert.isTrue(moved.every((line) => line.startsWith("Debug")))
      assert.lengthOf(
        said.filter((line) => /^(Warn|Error|Fatal)/.test(line)),
        0
      )
    }).pipe(Effect.scoped)
  )

  it.effect("the lag grows while a projection is stuck, and is gone when it has caught up", () =>
    Effect.gen(function* () {
      const { append, options, reaches, start, write } = yield* prepare
      const { journal, schema } = options()
      const lag = Effect.map(Metric.snapshot, (all) => {
        const gauge = all.find(
          ({ attributes, id }) =>
            id === "onsale_projection_lag_ms" && attributes?.["projection"] === `${schema}.seen`
        )
        return gauge?.type === "Gauge" ? Number(gauge.state.value) : null
      })
      let stuck = true
      const stop = yield* start(
        options((rows) => (stuck ? Effect.die(new Error("a bug")) : Effect.asVoid(write(rows))))
      )
      assert.strictEqual(yield* pollUntil(lag, (ms) => ms !== null), 0)
      const now = yield* Clock.currentTimeMillis
      yield* journal.append({
        stream: stream(1),
        version: 1,
        atMs: now,
        correlation: null,
        events: [{ n: 1 }]
      })
      const first = yield* pollUntil(lag, (ms) => ms !== null && ms > 0)
      const second = yield* pollUntil(lag, (ms) => ms !== null && ms > (first ?? 0))
      // It is the age of the row, however late somebody looks.
      assert.isAtMost(second ?? 0, (yield* Clock.currentTimeMillis) - now)
      stuck = false
      yield* append(1, 2, 2)
      yield* reaches(2)
      yield* pollUntil(lag, (ms) => ms === 0)
      yield* stop
    })
  )
})
