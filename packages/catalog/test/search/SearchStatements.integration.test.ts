/** What a search asks of Postgres, and that nothing it remembers is an answer once it has changed. */
import { assert, layer } from "@effect/vitest"
import { EventId } from "@onsale/contracts/Ids"
import * as OwnConnections from "@onsale/platform/OwnConnections"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Layer, Tracer } from "effect"
import { SqlClient } from "effect/sql"
import type { SearchDocument } from "../../src/search/SearchDocument.ts"
import * as SearchFinder from "../../src/search/SearchFinder.ts"
import { SearchIndex, type SearchRequest } from "../../src/search/SearchIndex.ts"
import * as SearchIndexPostgres from "../../src/search/SearchIndexPostgres.ts"
import * as SearchState from "../../src/search/SearchState.ts"

const nowMs = Date.UTC(2030, 0, 1)
const dayMs = 86_400_000

const whole = Layer.effectDiscard(
  Effect.flatMap(SqlClient.SqlClient, (sql) => SearchState.markWhole(sql, { whole: false, losses: 0 }))
)
const layerIndex = Layer.merge(SearchIndexPostgres.layer, whole).pipe(
  Layer.provideMerge(layerDatabase),
  Layer.orDie
)

const documentOf = (n: number, name: string): SearchDocument => ({
  eventId: EventId.make(`019b0000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`),
  name,
  performers: [],
  venue: "Hall",
  location: "Bern",
  description: "",
  startsAtMs: nowMs + n * dayMs,
  currency: "EUR",
  priceFrom: 1_000,
  priceTo: 2_000
})

const asked = (text: string, rest: Partial<SearchRequest> = {}): SearchRequest => ({
  text,
  nowMs,
  fromMs: null,
  toMs: null,
  city: null,
  price: null,
  offset: 0,
  limit: 10,
  ...rest
})

const search = (text: string, rest: Partial<SearchRequest> = {}) =>
  Effect.flatMap(SearchIndex, (index) => index.search(asked(text, rest)))

const put = (documents: ReadonlyArray<SearchDocument>) =>
  Effect.flatMap(SearchIndex, ({ apply }) => apply({ put: documents, remove: [] }))

/** The statements that are sent meanwhile, by their spans. */
const statementsOf = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  let statements = 0
  const tracer = Tracer.make({
    span: (options) => {
      if (options.kind === "client") statements++
      return new Tracer.NativeSpan(options)
    }
  })
  yield* Effect.provideService(effect, Tracer.Tracer, tracer)
  return statements
})

layer(layerIndex, { excludeTestServices: true, timeout: "60 seconds" })("a search in Postgres", (it) => {
  it.effect("is one statement for its words and one for its events, of which the first is not repeated", () =>
    Effect.gen(function* () {
      const documents = Array.from({ length: 30 }, (_, i) => documentOf(i + 1, `Zwielicht ${i}`))
      yield* put(documents)
      assert.strictEqual(yield* statementsOf(search("zwielicht")), 2)
      const others = Effect.all([
        search("zwielicht", { fromMs: nowMs + 10 * dayMs }),
        search("zwielicht", { offset: 10 }),
        search("Zwielicht", { city: "Bern" })
      ])
      assert.strictEqual(yield* statementsOf(others), 3)
    })
  )

  it.effect("believes nothing that it remembers of a word once events have it that had not", () =>
    Effect.gen(function* () {
      const [slip, meant, later] = [
        documentOf(101, "Orkann"),
        documentOf(102, "Orkan"),
        documentOf(103, "Sturm")
      ]
      yield* put([slip])
      // A slip of what there is.
      assert.deepStrictEqual((yield* search("orkan ")).events, [slip.eventId])
      yield* put([meant])
      assert.deepStrictEqual((yield* search("orkan ")).events, [meant.eventId, slip.eventId])
      // Without any meaning it is not remembered at all.
      assert.deepStrictEqual((yield* search("sturm ")).events, [])
      yield* put([later])
      assert.deepStrictEqual((yield* search("sturm ")).events, [later.eventId])
    })
  )

  it.effect("keeps to its limits on connections of its own, and nobody else has them", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const limits = SearchFinder.settings("2000")
      const names = Object.keys(limits)
      const settingsOf = (client: SqlClient.SqlClient, names: ReadonlyArray<string>) =>
        Effect.map(
          client<{
            readonly value: string
          }>`SELECT current_setting(name) AS value FROM unnest(${names}::text[]) AS name`,
          (rows) => rows.map(({ value }) => value)
        )
      const [, ...others] = Object.values(limits)
      assert.deepStrictEqual(yield* settingsOf(yield* OwnConnections.make(sql, limits), names), [
        "2s",
        ...others
      ])
      yield* put([documentOf(201, "Grenze")])
      yield* search("grenze")
      assert.deepStrictEqual(yield* settingsOf(sql, names.slice(0, 2)), ["0", "on"])
      // Whoever empties the index for longer than that keeps nobody waiting.
      const error = yield* sql.withTransaction(
        Effect.andThen(
          sql`LOCK TABLE catalog.search_events IN ACCESS EXCLUSIVE MODE`,
          Effect.flip(search("grenze"))
        )
      )
      assert.strictEqual(error._tag, "SearchUnavailable")
    })
  )
})
