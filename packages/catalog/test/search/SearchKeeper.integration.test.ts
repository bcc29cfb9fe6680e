import { assert, layer } from "@effect/vitest"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Catalog } from "../../src/Catalog.ts"
import { toPretix } from "../../src/PretixExport.ts"
import { CatalogTouched, everything } from "../../src/CatalogTouched.ts"
import { EventSearches } from "../../src/search/EventSearches.ts"
import * as Search from "../../src/search/Search.ts"
import * as SearchRebuild from "../../src/search/SearchRebuild.ts"
import * as SearchKeeper from "../../src/search/SearchKeeper.ts"
import { layerCatalog } from "../CatalogFixture.ts"
import { newEvent, smallMap } from "../Maps.ts"

const layerSearch = Layer.mergeAll(Search.layer, SearchKeeper.layer, CatalogTouched.layer).pipe(
  Layer.provideMerge(layerCatalog)
)

/** Events that the public finds; the clock is the real one, as the keeper's. */
const names = (q: string) =>
  Effect.flatMap(EventSearches, ({ search }) =>
    Effect.map(search({ q }), ({ events }) => events.map(({ name }) => name))
  )

const later = "2040-06-01T18:00:00Z"

layer(layerSearch, { excludeTestServices: true, timeout: "60 seconds" })("the search's index", (it) => {
  const published = Effect.fnUntraced(function* (name: string) {
    const catalog = yield* Catalog
    const { id: venueId } = yield* catalog.createVenue({
      name: "House",
      location: "Street 1, Bern",
      timeZone: "Europe/Zurich",
      seatMap: { format: "pretix", content: toPretix(smallMap) }
    })
    const { id } = yield* catalog.createEvent(newEvent({ venueId, name, startsAt: later }))
    yield* catalog.publish(id)
    return { id, venueId }
  })
  const awaits = (q: string, expected: ReadonlyArray<string>) =>
    pollUntil(names(q), (found) => JSON.stringify(found) === JSON.stringify(expected))

  it.effect("an event shows once it is published, and no more once it is cancelled", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id } = yield* published("Morgenröte")
      yield* awaits("morgenroete", ["Morgenröte"])
      yield* catalog.cancel(id, "ill")
      assert.deepStrictEqual(yield* names("morgenröte"), [])
    })
  )

  it.effect("what was changed past the service is found once it is told of, also what nobody can name", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { touch } = yield* CatalogTouched
      const { id } = yield* published("Abendstern")
      yield* awaits("abendstern", ["Abendstern"])
      yield* sql`UPDATE catalog.events SET name = 'Polarlicht' WHERE id = ${id}::uuid`
      yield* touch({ _tag: "Events", eventIds: [id] })
      assert.deepStrictEqual([yield* names("abendstern"), yield* names("polarlihct")], [[], ["Polarlicht"]])
      yield* sql`UPDATE catalog.events SET state = 'cancelled', cancelled_at = now(), cancel_reason = 'ill' WHERE id = ${id}::uuid`
      yield* touch(everything)
      assert.deepStrictEqual(yield* names("polarlicht"), [])
    })
  )

  for (const tables of [
    "catalog.search_events, catalog.search_words",
    "catalog.search_events",
    "catalog.search_words"
  ]) {
    it.effect(`an index is made anew whose tables were emptied: ${tables}`, () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const { id } = yield* published("Sternschnuppe")
        yield* awaits("sternschnuppe", ["Sternschnuppe"])
        yield* sql.unsafe(`TRUNCATE ${tables}`)
        assert.deepStrictEqual(yield* names("sternschnuppe"), ["Sternschnuppe"])
        yield* pollUntil(
          sql<{ readonly whole: boolean }>`SELECT whole FROM catalog.search_state`,
          ([state]) => state?.whole === true,
          { deadline: "60 seconds" }
        )
        // A slip, so that the vocabulary is asked.
        assert.deepStrictEqual(yield* names("sternschnupe"), ["Sternschnuppe"])
        const words =
          yield* sql`SELECT word FROM catalog.search_words WHERE word = 'sternschnuppe' AND events = 1`
        assert.strictEqual(words.length, 1)
        const catalog = yield* Catalog
        yield* catalog.cancel(id, "seen")
        yield* awaits("sternschnuppe", [])
      })
    )
  }

  it.effect("whatever is missing or wrong in it is right once it was built anew by hand", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* published("Nordlicht")
      yield* awaits("nordlicht", ["Nordlicht"])
      const words = sql<{ readonly word: string; readonly events: number }>`SELECT word, events
        FROM catalog.search_words WHERE events > 0 ORDER BY word`
      const before = yield* words
      yield* sql`UPDATE catalog.search_words SET word = 'nordgericht' WHERE word = 'nordlicht'`
      yield* sql`UPDATE catalog.search_words SET events = events + 7`
      yield* sql`INSERT INTO catalog.search_words (word, events) VALUES ('nirgends', 3)`
      assert.deepStrictEqual(yield* names("nordlihct"), [])
      yield* SearchRebuild.rebuild
      assert.deepStrictEqual(yield* names("nordlihct"), ["Nordlicht"])
      assert.deepStrictEqual(yield* words, before)
    })
  )
})
