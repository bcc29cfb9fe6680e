import { assert, layer } from "@effect/vitest"
import * as Journal from "@onsale/platform/Journal"
import { pollUntil } from "@onsale/testing/Poll"
import { layerEmptyDatabase } from "@onsale/testing/PostgresFixture"
import { Deferred, Effect, Fiber, PubSub } from "effect"
import { brief, makeJournal, stream, type TestJournal } from "./JournalFixture.ts"

/** Everything behind a cursor, once nobody in the server is writing before it. */
const all = ({ journal }: TestJournal, count: number, after = Journal.origin) =>
  pollUntil(journal.readAll(after, 1_000), (rows) => rows.length >= count)

/** A transaction that stands still until it is told to go on. */
const transaction = Effect.fnUntraced(function* <A, E, R>(
  { sql }: TestJournal,
  before: Effect.Effect<unknown, E, R>,
  after: Effect.Effect<A, E, R>
) {
  const [standing, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  const fiber = yield* Effect.forkChild(
    sql.withTransaction(
      before.pipe(
        Effect.andThen(Deferred.succeed(standing, undefined)),
        Effect.andThen(Deferred.await(go)),
        Effect.andThen(after)
      )
    )
  )
  yield* Deferred.await(standing)
  return Effect.andThen(Deferred.succeed(go, undefined), Fiber.join(fiber))
})

layer(layerEmptyDatabase, { excludeTestServices: true })("Journal", (it) => {
  it.effect("a stream is read in the order of its versions, from any of them, as it was written", () =>
    Effect.gen(function* () {
      const { entry, journal } = yield* makeJournal
      for (let version = 1; version <= 5; version++) {
        yield* journal.append({
          ...entry(stream(1), version, version, -version),
          atMs: 1_700_000_000_000 + version,
          correlation: `request ${version}`
        })
      }
      yield* journal.append(entry(stream(2), 1, 9))
      assert.deepStrictEqual(brief(yield* journal.read(stream(1), 2, 3)), [
        "1/2:2+-2",
        "1/3:3+-3",
        "1/4:4+-4"
      ])
      const [row] = yield* journal.read(stream(1), 5, 10)
      assert.deepInclude(row, { atMs: 1_700_000_000_005, correlation: "request 5", stream: stream(1) })
      assert.isEmpty(yield* journal.read(stream(3), 1, 10))
    })
  )

  it.effect("a stream is folded to its end, however many rows it has", () =>
    Effect.gen(function* () {
      const { entry, journal, schema, sql } = yield* makeJournal
      yield* journal.append(entry(stream(2), 1, 9))
      yield* sql`INSERT INTO ${sql(`${schema}.journal`)} (stream, version, at, events)
        SELECT ${stream(1)}::uuid, n, now(), json_build_array(json_build_object('n', n)) FROM generate_series(1, 2000) n`
      const numbers = (from: number) =>
        journal.fold<ReadonlyArray<number>>(stream(1), from, [], (so, row) => [
          ...so,
          ...row.events.map(({ n }) => n)
        ])
      assert.deepStrictEqual(
        yield* numbers(1),
        Array.from({ length: 2_000 }, (_, i) => i + 1)
      )
      assert.deepStrictEqual(yield* numbers(1_999), [1_999, 2_000])
      assert.deepStrictEqual(yield* numbers(2_001), [])
    })
  )

  it.effect(
    "several streams are folded each from behind a version, also where there is much behind one",
    () =>
      Effect.gen(function* () {
        const { entry, journal, schema, sql } = yield* makeJournal
        for (const version of [1, 2, 3]) yield* journal.append(entry(stream(10), version, version))
        yield* journal.append(entry(stream(11), 1, 7, 8))
        const of = (...known: ReadonlyArray<readonly [n: number, version: number]>) =>
          Effect.map(
            journal.foldAll<ReadonlyArray<number>>(
              known.map(([n, version]) => ({ stream: stream(n), version, initial: [-1] })),
              (so, row) => [...so, ...row.events.map(({ n }) => n)]
            ),
            (states) => known.map(([n]) => states.get(stream(n)))
          )
        assert.deepStrictEqual(yield* of([10, 1], [11, 0], [12, 0]), [[-1, 2, 3], [-1, 7, 8], [-1]])
        assert.deepStrictEqual(yield* of(), [])
        yield* sql`INSERT INTO ${sql(`${schema}.journal`)} (stream, version, at, events)
        SELECT ${stream(13)}::uuid, n, now(), json_build_array(json_build_object('n', n)) FROM generate_series(1, 1500) n`
        const [long, short] = yield* of([13, 1], [10, 2])
        assert.deepStrictEqual([long?.length, long?.at(-1), short], [1_500, 1_500, [-1, 3]])
      })
  )

  it.effect("of two owners who write one version one is told of the conflict, and wrote nothing", () =>
    Effect.gen(function* () {
      const { allDone, done, entry, journal } = yield* makeJournal
      yield* journal.append(entry(stream(1), 1, 1))
      const error = yield* Effect.flip(journal.append(entry(stream(1), 1, 2), [done("beside")]))
      assert.instanceOf(error, Journal.JournalConflict)
      assert.deepInclude(error, { stream: stream(1), version: 1 })
      assert.isEmpty(yield* allDone)
      const outcomes = yield* Effect.forEach(
        Array.from({ length: 10 }, (_, n) => n),
        (n) => Effect.exit(journal.append(entry(stream(1), 2, n))),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(
        outcomes.filter(({ _tag }) => _tag === "Success"),
        1
      )
      assert.lengthOf(yield* journal.read(stream(1), 1, 100), 2)
    })
  )

  it.effect("what is written together with an append is written with it or not at all", () =>
    Effect.gen(function* () {
      const { allDone, done, entry, journal } = yield* makeJournal
      yield* journal.append(entry(stream(1), 1, 1), [done("a"), done("b")])
      assert.deepStrictEqual(yield* allDone, ["a", "b"])
      const error = yield* Effect.flip(journal.append(entry(stream(1), 2, 2), [done("c"), done("a")]))
      assert.instanceOf(error, Journal.UniqueBroken)
      assert.deepInclude(error, { constraint: "done_once" })
      assert.deepStrictEqual(yield* allDone, ["a", "b"])
      assert.lengthOf(yield* journal.read(stream(1), 1, 10), 1)
    })
  )

  it.effect("INV-09: a slow transaction's row is not skipped, as it would be by its number", () =>
    Effect.gen(function* () {
      const fixture = yield* makeJournal
      const { entry, journal, schema, sql } = fixture
      // What one would write first.
      const naive = (after: number) =>
        sql<{
          readonly position: number
          readonly stream: string
        }>`SELECT position::int4 AS position, stream::text AS stream
          FROM ${sql(`${schema}.journal`)} WHERE position > ${after}::bigint ORDER BY position`
      const commitSlow = yield* transaction(fixture, journal.append(entry(stream(1), 1, 1)), Effect.void)
      yield* journal.append(entry(stream(2), 1, 2))

      const seen = yield* naive(0)
      assert.deepStrictEqual(
        seen.map((row) => row.stream),
        [stream(2)]
      )
      assert.isEmpty(yield* journal.readAll(Journal.origin, 10), "the faster one waits for the slower one")

      yield* commitSlow
      assert.isEmpty(yield* naive(seen[0]!.position), "the naive reader has skipped a row for ever")
      assert.deepStrictEqual(brief(yield* all(fixture, 2)), ["1/1:1", "2/1:2"])
    })
  )

  it.effect("INV-09: a row of an old transaction that is written late is not skipped either", () =>
    Effect.gen(function* () {
      const fixture = yield* makeJournal
      const { done, entry, journal } = fixture
      yield* journal.append(entry(stream(3), 1, 3))
      const [first] = yield* all(fixture, 1)
      // It has its transaction id from now on, and its row gets a later number than the next.
      const commitOld = yield* transaction(fixture, done("early"), journal.append(entry(stream(1), 1, 1)))
      yield* journal.append(entry(stream(2), 1, 2))
      assert.isEmpty(yield* journal.readAll(first!.cursor, 10))
      yield* commitOld
      assert.deepStrictEqual(brief(yield* all(fixture, 2, first!.cursor)), ["1/1:1", "2/1:2"])
    })
  )

  it.effect("a transaction that is rolled back holds nothing back any more, and leaves nothing", () =>
    Effect.gen(function* () {
      const fixture = yield* makeJournal
      const { entry, journal } = fixture
      const rollBack = yield* transaction(
        fixture,
        journal.append(entry(stream(1), 1, 1)),
        Effect.die("rolled back")
      )
      yield* journal.append(entry(stream(2), 1, 2))
      yield* Effect.exit(rollBack)
      assert.deepStrictEqual(brief(yield* all(fixture, 1)), ["2/1:2"])
    })
  )

  it.effect(
    "INV-09: many writers, slow and fast, and a reader in small steps: every row once, streams in order",
    () =>
      Effect.gen(function* () {
        const { entry, journal, sql } = yield* makeJournal
        const [streams, versions] = [8, 12]
        const write = (n: number) =>
          Effect.forEach(
            Array.from({ length: versions }, (_, i) => i + 1),
            (version) => {
              const append = journal.append(entry(stream(n), version, version))
              return (n + version) % 3 === 0
                ? sql.withTransaction(Effect.andThen(append, Effect.sleep((n * version) % 7)))
                : append
            },
            { discard: true }
          )
        const read = Effect.gen(function* () {
          const seen: Array<Journal.JournalRow<{ readonly n: number }>> = []
          let cursor = Journal.origin
          while (seen.length < streams * versions) {
            const rows = yield* journal.readAll(cursor, 5)
            assert.isAtMost(rows.length, 5)
            seen.push(...rows)
            cursor = rows[rows.length - 1]?.cursor ?? cursor
            if (rows.length === 0) yield* Effect.sleep(1)
          }
          return seen
        })
        const [seen] = yield* Effect.all(
          [
            read,
            Effect.forEach(
              Array.from({ length: streams }, (_, n) => n + 1),
              write,
              { concurrency: 4 }
            )
          ],
          { concurrency: 2 }
        )
        assert.lengthOf(new Set(brief(seen)), streams * versions)
        for (let n = 1; n <= streams; n++) {
          assert.deepStrictEqual(
            seen.filter((row) => row.stream === stream(n)).map(({ version }) => version),
            Array.from({ length: versions }, (_, i) => i + 1)
          )
        }
        assert.isEmpty(yield* journal.readAll(seen[seen.length - 1]!.cursor, 5))
      })
  )

  it.effect(
    "several rows of one transaction are read in the order they were written, also from between them",
    () =>
      Effect.gen(function* () {
        const fixture = yield* makeJournal
        const { entry, journal, sql } = fixture
        yield* sql.withTransaction(
          Effect.forEach([3, 1, 2], (n) => journal.append(entry(stream(n), 1, n)), { discard: true })
        )
        const rows = yield* all(fixture, 3)
        assert.deepStrictEqual(brief(rows), ["3/1:3", "1/1:1", "2/1:2"])
        assert.deepStrictEqual(brief(yield* journal.readAll(rows[0]!.cursor, 1)), ["1/1:1"])
      })
  )

  it.effect("an append in this process is told to those who follow", () =>
    Effect.gen(function* () {
      const { entry, journal } = yield* makeJournal
      const told = yield* journal.appended
      yield* journal.append(entry(stream(1), 1, 1))
      yield* PubSub.take(told)
    })
  )
})
