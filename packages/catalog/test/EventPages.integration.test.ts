import { assert, layer } from "@effect/vitest"
import type { EventId } from "@onsale/contracts/Ids"
import * as ReadModel from "@onsale/platform/ReadModel"
import { rebuild } from "@onsale/platform/ReadModelRebuild"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Catalog } from "../src/Catalog.ts"
import { CatalogTouched, everything } from "../src/CatalogTouched.ts"
import * as EventPages from "../src/EventPages.ts"
import { toPretix } from "../src/PretixExport.ts"
import { at, layerCatalog } from "./CatalogFixture.ts"
import { fieldMap, newEvent } from "./Maps.ts"

const start = Date.UTC(2030, 0, 1)

const onSale = Effect.gen(function* () {
  const catalog = yield* Catalog
  const venue = yield* catalog.createVenue({
    name: "Field",
    location: "Ghent",
    timeZone: "UTC",
    seatMap: { format: "pretix", content: toPretix(fieldMap) }
  })
  const tier = (name: string) => ({ name, price: { amount: 2000, currency: "EUR" } })
  const tiers = [
    { ...tier("Seat"), categories: ["Seats"] },
    { ...tier("Regular"), categories: ["Floor", "Terrace"] }
  ]
  const { id } = yield* catalog.createEvent(newEvent({ venueId: venue.id, tiers }))
  return yield* catalog.publish(id)
})

const answers = Effect.fnUntraced(function* (ids: ReadonlyArray<EventId>) {
  const catalog = yield* Catalog
  const page = yield* catalog.list({ limit: 2 })
  const next = yield* catalog.list({ limit: 2, cursor: page.nextCursor ?? "" })
  return { page, next, details: yield* Effect.forEach(ids, (id) => catalog.get(id)) }
})

/** Until the model has seen the whole journal. */
const run = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const once = ReadModel.runOnce(yield* EventPages.model)
  const behind = sql<{ readonly n: number }>`SELECT count(*)::int AS n FROM catalog.journal j
    LEFT JOIN catalog.read_model m ON m.serving AND m.name = 'event-pages'
    WHERE m.name IS NULL OR NOT m.ready OR (j.txid, j.position) > (m.txid, m.position)`
  yield* pollUntil(Effect.andThen(once, behind), (rows) => rows[0]?.n === 0)
})

/** As by psql: no row of the journal tells of it. */
const insertBySql = Effect.fnUntraced(function* (like: EventId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO catalog.events (state, venue_id, seat_map_version, name, description, starts_at, time_zone,
      on_sale_at, sale_ends_at, currency, price_from, price_to, max_per_order, hold_ttl_ms, hold_max_ms,
      checkout_max_ms, published_at)
    SELECT 'published', venue_id, seat_map_version, 'By hand', description, starts_at, time_zone, on_sale_at,
      sale_ends_at, currency, price_from, price_to, max_per_order, hold_ttl_ms, hold_max_ms, checkout_max_ms, now()
    FROM catalog.events WHERE id = ${like}::uuid`
})

const shown = Effect.map(
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{ readonly n: number }>`SELECT count(*)::int AS n FROM catalog.event_pages`
  ),
  (rows) => rows[0]?.n
)

const pages = EventPages.EventPages.layerTouched.pipe(
  Layer.provideMerge([EventPages.EventPages.layer, CatalogTouched.layer])
)

layer(pages.pipe(Layer.provideMerge(layerCatalog)), { excludeTestServices: true })("EventPages", (it) => {
  it.effect(
    "lists and pages are the same with the model, without it, and after it was dropped and filled",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const ids = (yield* Effect.forEach([1, 2, 3], () => onSale)).map(({ id }) => id)
        const slow = yield* answers(ids)
        assert.lengthOf(slow.page.events, 2)
        assert.lengthOf(slow.next.events, 1)
        assert.strictEqual(yield* shown, 0)
        yield* run
        assert.strictEqual(yield* shown, 3)
        assert.deepStrictEqual(yield* answers(ids), slow)
        // It is the model that answers: it has not heard of this.
        yield* sql`UPDATE catalog.events SET name = 'By SQL' WHERE id = ${ids[0]!}::uuid`
        assert.deepStrictEqual(yield* answers(ids), slow)

        yield* (yield* CatalogTouched).touch({ _tag: "Events", eventIds: [ids[0]!] })
        const named = yield* answers(ids)
        assert.strictEqual(named.details[0]?.name, "By SQL")
        assert.include(
          [...named.page.events, ...named.next.events].map(({ name }) => name),
          "By SQL"
        )
        yield* sql`TRUNCATE catalog.read_model, catalog.event_pages`
        assert.deepStrictEqual(yield* answers(ids), named)
        yield* run
        assert.deepStrictEqual(yield* answers(ids), named)
        yield* rebuild(yield* EventPages.model)
        assert.deepStrictEqual(yield* answers(ids), named)
      }).pipe(at(start))
  )

  it.effect("who changes an event reads what it has written, also before the model has followed", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      yield* run
      const { id } = yield* onSale
      const listed = Effect.map(catalog.list({ limit: 100 }), ({ events }) =>
        events.find((event) => event.id === id)
      )
      assert.strictEqual((yield* listed)?.id, id)
      yield* catalog.cancel(id, "The tenor is ill")
      assert.strictEqual((yield* listed)?.status, "cancelled")
      assert.strictEqual((yield* catalog.get(id)).status, "cancelled")
    }).pipe(at(start))
  )

  it.effect(
    "events that came by SQL alone are listed after it was emptied, and after it was built anew",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const catalog = yield* Catalog
        const list = catalog.list({ limit: 100 })
        const byHand = Effect.map(
          list,
          ({ events }) => events.filter(({ name }) => name === "By hand").length
        )
        const { id } = yield* onSale
        yield* run
        yield* insertBySql(id)
        // Nobody has told the model.
        assert.strictEqual(yield* byHand, 0)
        yield* rebuild(yield* EventPages.model)
        assert.strictEqual(yield* byHand, 1)
        const before = yield* list
        yield* sql`TRUNCATE catalog.event_pages`
        assert.deepStrictEqual(yield* list, before)
        yield* run
        assert.isNotEmpty(yield* sql`SELECT 1 FROM catalog.read_model WHERE name = 'event-pages' AND ready`)
        assert.deepStrictEqual(yield* list, before)
      }).pipe(at(start))
  )

  it.effect("events that came and went by SQL are found when everything is compared", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { touch } = yield* CatalogTouched
      yield* run
      const { id } = yield* onSale
      yield* sql`DELETE FROM catalog.event_pages WHERE event_id = ${id}::uuid`
      const catalog = yield* Catalog
      const isListed = Effect.map(catalog.list({ limit: 100 }), ({ events }) =>
        events.some((event) => event.id === id)
      )
      assert.isFalse(yield* isListed)
      assert.strictEqual((yield* catalog.get(id)).id, id)
      yield* touch(everything)
      assert.isTrue(yield* isListed)
      yield* sql`DELETE FROM catalog.events WHERE id = ${id}::uuid`
      yield* touch(everything)
      assert.isFalse(yield* isListed)
    }).pipe(at(start))
  )
})
