import { assert, it } from "@effect/vitest"
import { Effect, Layer, Metric } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, Statement } from "effect/sql"
import { SearchIndex } from "../../src/search/SearchIndex.ts"
import * as SearchIndexPostgres from "../../src/search/SearchIndexPostgres.ts"

/** A database that gives nobody a connection. */
const full = Layer.effect(
  SqlClient.SqlClient,
  SqlClient.make({
    acquirer: Effect.never,
    transactionAcquirer: Effect.never,
    compiler: Statement.makeCompilerSqlite(),
    driver: "none",
    spanAttributes: []
  })
).pipe(Layer.provide(Reactivity.layer))

/** As many as run, and as many as wait. */
const places = 8 + 128

it.effect(
  "a search that finds no place in the search's own queue is counted where an operator is told to look",
  () =>
    Effect.gen(function* () {
      const index = yield* SearchIndex
      const search = index.search({
        text: "bench",
        nowMs: 0,
        fromMs: null,
        toMs: null,
        city: null,
        price: null,
        offset: 0,
        limit: 10
      })
      const refused = Effect.map(Metric.snapshot, (all) =>
        all.flatMap((one) =>
          one.id === "onsale_search_refused_total" && one.type === "Counter"
            ? [[one.attributes?.["by"], Number(one.state.count)]]
            : []
        )
      )
      for (let i = 0; i < places; i++) yield* Effect.forkChild(search, { startImmediately: true })
      assert.deepStrictEqual(yield* refused, [])
      assert.strictEqual((yield* Effect.flip(search))._tag, "SearchUnavailable")
      assert.deepStrictEqual(yield* refused, [["index", 1]])
    }).pipe(Effect.provide(SearchIndexPostgres.layer.pipe(Layer.provide(full))))
)
