/** INV-10: a search whose index is not whole is slower, never wrong. Nobody keeps the index here but the test. */
import { assert, layer } from "@effect/vitest"
import type { EventId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Deferred, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Catalog } from "../../src/Catalog.ts"
import { toPretix } from "../../src/PretixExport.ts"
import * as ConfiguredSearchIndex from "../../src/search/ConfiguredSearchIndex.ts"
import { EventSearches } from "../../src/search/EventSearches.ts"
import * as Search from "../../src/search/Search.ts"
import { SearchRefresh } from "../../src/search/SearchRefresh.ts"
import { layerCatalog } from "../CatalogFixture.ts"
import { newEvent, smallMap } from "../Maps.ts"

const layerSearch = Layer.mergeAll(
  Search.layer,
  SearchRefresh.layer.pipe(Layer.provide(ConfiguredSearchIndex.layer))
).pipe(Layer.provideMerge(layerCatalog))

const names = [
  "Symphonie in Moll",
  "Symphonie in Dur",
  "Mondscheinsonate",
  "Mondfahrt",
  "Dvořák: Novosvětská",
  "Rock'n'roll"
]
/** As it is, a slip, a beginning, without accents, two words, one too much, a place, nowhere. */
const queries = [
  "symphonie",
  "symhponie",
  "mond",
  "mo",
  "dvorak",
  "moll symphonie",
  "dur qqqqqq",
  "bern",
  "qqqqqq"
]

layer(layerSearch, { excludeTestServices: true, timeout: "60 seconds" })(
  "a search without its index",
  (it) => {
    const answers = Effect.flatMap(EventSearches, ({ search }) =>
      Effect.forEach(queries, (q) => search({ q, size: 50 }))
    )
    const totals = Effect.map(answers, (pages) => pages.map(({ total }) => total))
    const whole = Effect.flatMap(SearchRefresh, ({ everything }) => everything())

    const lostMeanwhile = Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { search } = yield* EventSearches
      yield* whole
      const emptied = yield* Deferred.make<void>()
      const [, page] = yield* Effect.all(
        [
          sql.withTransaction(
            Effect.gen(function* () {
              yield* sql`TRUNCATE catalog.search_events, catalog.search_words`
              yield* Deferred.succeed(emptied, undefined)
              yield* pollUntil(
                sql`SELECT FROM pg_locks WHERE NOT granted AND relation = 'catalog.search_words'::regclass`,
                (waiting) => waiting.length > 0
              )
            })
          ),
          Effect.andThen(Deferred.await(emptied), search({ q: queries[0]!, size: 50 }))
        ],
        { concurrency: 2 }
      )
      return page
    })

    /** By SQL alone, as often as that. */
    const copies = Effect.fnUntraced(function* (like: EventId, times: number) {
      const sql = yield* SqlClient.SqlClient
      yield* sql`INSERT INTO catalog.events (state, venue_id, seat_map_version, name, description, starts_at, time_zone,
        on_sale_at, sale_ends_at, currency, price_from, price_to, max_per_order, hold_ttl_ms, hold_max_ms,
        checkout_max_ms, published_at)
      SELECT 'published', venue_id, seat_map_version, 'Massenware', description, starts_at, time_zone, on_sale_at,
        sale_ends_at, currency, price_from, price_to, max_per_order, hold_ttl_ms, hold_max_ms, checkout_max_ms, now()
      FROM catalog.events, generate_series(1, ${times}::int) WHERE id = ${like}::uuid`
    })

    it.effect("finds the same in the same order, whatever was lost, and then only what the index has", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const catalog = yield* Catalog
        const { id: venueId } = yield* catalog.createVenue({
          name: "House",
          location: "Street 1, Bern",
          timeZone: "Europe/Zurich",
          seatMap: { format: "pretix", content: toPretix(smallMap) }
        })
        const ids = yield* Effect.forEach(names, (name, i) =>
          Effect.gen(function* () {
            const startsAt = `2040-06-0${9 - i}T18:00:00Z`
            const { id } = yield* catalog.createEvent(newEvent({ venueId, name, startsAt }))
            yield* catalog.publish(id)
            return id
          })
        )
        // Never filled yet.
        const first = yield* answers
        assert.deepStrictEqual(
          first.map(({ total }) => total),
          [2, 2, 2, 0, 1, 1, 1, 6, 0]
        )
        yield* whole
        assert.deepStrictEqual(yield* answers, first)
        for (const loss of [
          "TRUNCATE catalog.search_events, catalog.search_words",
          "TRUNCATE catalog.search_events",
          "TRUNCATE catalog.search_words",
          "DELETE FROM catalog.search_events",
          "DELETE FROM catalog.search_words",
          "DELETE FROM catalog.search_words WHERE word = 'symphonie'",
          "DELETE FROM catalog.search_state"
        ]) {
          yield* sql.unsafe(loss)
          assert.deepStrictEqual(yield* answers, first, loss)
          yield* whole
          const state = yield* sql`SELECT whole FROM catalog.search_state`
          assert.deepStrictEqual(state, [{ whole: true }], loss)
          assert.deepStrictEqual(yield* answers, first, `after ${loss}`)
        }

        // Lost while a search is reading it: it began with an index that was whole, and waits for the emptied table.
        const meanwhile = yield* lostMeanwhile.pipe(
          // A machine that is so busy that the search waited too long.
          Effect.retry({ times: 10 })
        )
        assert.deepStrictEqual(meanwhile, first[0])
        yield* whole

        // It is the index that answers again: what only the tables know is not in it.
        yield* copies(ids[0]!, 1)
        const { search } = yield* EventSearches
        assert.strictEqual((yield* search({ q: "massenware" })).total, 0)
        yield* whole
        assert.strictEqual((yield* search({ q: "massenware" })).total, 1)
        assert.deepStrictEqual(yield* totals, [2, 2, 2, 0, 1, 1, 1, 7, 0])

        // What its keeper takes out is no loss.
        yield* catalog.cancel(ids[5]!, "ill")
        const { refresh } = yield* SearchRefresh
        yield* refresh([ids[5]!])
        assert.deepStrictEqual(yield* sql`SELECT whole FROM catalog.search_state`, [{ whole: true }])

        // More than can be read for each search: to be asked again, and no answer of some of them.
        yield* copies(ids[0]!, 2_000)
        yield* whole
        const many = yield* search({ q: "massenware" })
        assert.strictEqual(many.total, 500)
        yield* sql`TRUNCATE catalog.search_events`
        const { _tag } = yield* Effect.flip(search({ q: "massenware" }))
        assert.strictEqual(_tag, "SearchUnavailable")
        yield* whole
        assert.deepStrictEqual(yield* search({ q: "massenware" }), many)
      })
    )
  }
)
