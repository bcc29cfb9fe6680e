import { assert, describe, it } from "@effect/vitest"
import * as Gathered from "@onsale/platform/Gathered"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Exit, Schema } from "effect"
import { SqlClient } from "effect/sql"

const Rows = Schema.Array(Schema.Struct({ id: Schema.String, n: Schema.Int }))

/** Numbers by their names, and the statements that were made of the questions. */
const prepare = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE SCHEMA work`
  yield* sql`CREATE TABLE work.numbers (id text PRIMARY KEY, n int)`
  yield* sql`INSERT INTO work.numbers VALUES ('a', 1), ('b', 2), ('nothing', NULL)`
  const asked: Array<ReadonlyArray<string>> = []
  const numberOf = Gathered.make<string, number>(sql, {
    idOf: (name) => name,
    run: Effect.fnUntraced(function* (names) {
      asked.push(names)
      const rows = yield* sql`SELECT id, n FROM work.numbers WHERE id = ANY(${names}::text[])`
      return new Map((yield* Schema.decodeUnknownEffect(Rows)(rows)).map(({ id, n }) => [id, n]))
    }, Effect.orDie)
  })
  return { sql, asked, numberOf }
})
const sideBySide = { concurrency: "unbounded" } as const

describe("Gathered", () => {
  it.live("what is asked for side by side is one statement, the same twice is asked for once", () =>
    Effect.gen(function* () {
      const { asked, numberOf } = yield* prepare
      const answers = yield* Effect.forEach(["a", "b", "a", "none"], numberOf, sideBySide)
      assert.deepStrictEqual(answers, [1, 2, 1, undefined])
      assert.deepStrictEqual(asked, [["a", "b", "none"]])
      // An answer is not kept.
      yield* numberOf("a")
      assert.lengthOf(asked, 2)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("one that cannot be answered holds up no other", () =>
    Effect.gen(function* () {
      const { numberOf } = yield* prepare
      const answers = yield* Effect.forEach(
        ["a", "nothing", "b"],
        (name) => Effect.exit(numberOf(name)),
        sideBySide
      )
      assert.deepStrictEqual(answers.map(Exit.isSuccess), [true, false, true])
      assert.deepStrictEqual(answers[2], Exit.succeed(2))
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("in a transaction its own writes are seen, and by nobody beside it", () =>
    Effect.gen(function* () {
      const { asked, numberOf, sql } = yield* prepare
      const within = sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`UPDATE work.numbers SET n = 7 WHERE id = 'a'`
          return yield* Effect.forEach(["a", "b"], numberOf, sideBySide)
        })
      )
      const written = sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`UPDATE work.numbers SET n = 8 WHERE id = 'b'`
          const [mine, others] = yield* Effect.all(
            [numberOf("b"), Effect.updateContext(numberOf("b"), () => outside)],
            sideBySide
          )
          return [mine, others]
        })
      )
      const outside = yield* Effect.context<never>()
      assert.deepStrictEqual(yield* within, [7, 2])
      assert.deepStrictEqual(yield* written, [8, 2])
      // Each by itself: what is gathered could go on when the transaction is over.
      assert.deepStrictEqual(asked, [["a"], ["b"], ["b"], ["b"]])
    }).pipe(Effect.provide(layerDatabase))
  )
})
