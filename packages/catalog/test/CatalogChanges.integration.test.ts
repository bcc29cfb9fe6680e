import { assert, describe, layer } from "@effect/vitest"
import { type EventId, makeEventId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import * as ScratchPostgres from "@onsale/testing/ScratchPostgres"
import { Console, Duration, Effect, Exit, Layer, References, Schema, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { Catalog } from "../src/Catalog.ts"
import * as CatalogChanges from "../src/CatalogChanges.ts"
import { CatalogTouched } from "../src/CatalogTouched.ts"
import { toPretix } from "../src/PretixExport.ts"
import { layerCatalogAlone, OpenedSales } from "./CatalogFixture.ts"
import { newEvent, smallMap } from "./Maps.ts"

const quiet = Layer.succeed(References.MinimumLogLevel, "None")
/** From a commit to whoever keeps a copy. */
const fresh = { deadline: "30 seconds" } as const

const Ids = Schema.NonEmptyArray(Schema.Struct({ id: Schema.String }))

/** A venue with an event on sale, and one who keeps a copy. */
const prepare = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const catalog = yield* Catalog
  const { id: venueId } = yield* catalog.createVenue({
    name: "A House",
    location: "Somewhere",
    timeZone: "Europe/Vienna",
    seatMap: { format: "pretix", content: toPretix(smallMap) }
  })
  const make = Effect.flatMap(
    catalog.createEvent(newEvent({ venueId, performers: [{ name: "Somebody", description: "" }] })),
    ({ id }) => catalog.publish(id)
  )
  const { id: eventId } = yield* make
  const touched = yield* CatalogTouched
  const told = new Set<EventId>()
  const waits: Array<number> = []
  let everything = 0
  yield* touched.onTouched("copy", (changes) =>
    Effect.sync(() => {
      if (changes._tag === "Everything") everything++
      else for (const id of changes.eventIds) told.add(id)
    })
  )
  const slot = (active: boolean) =>
    pollUntil(
      sql`SELECT 1 AS one FROM pg_replication_slots WHERE database = current_database() AND active = ${active}`,
      (rows) => rows.length > 0
    )
  return {
    sql,
    catalog,
    venueId,
    eventId,
    make,
    told,
    everything: () => everything,
    follow: Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope)
      yield* Layer.buildWithScope(CatalogChanges.layer.pipe(Layer.provide(quiet)), scope)
      yield* slot(true)
      return Scope.close(scope, Exit.void).pipe(Effect.andThen(slot(false)))
    }),
    /** How long each was waited for, in milliseconds: two seconds are the target, and no test of a busy machine. */
    waits,
    tells: (...ids: ReadonlyArray<EventId>) =>
      pollUntil(
        Effect.sync(() => ids.filter((id) => told.has(id))),
        (found) => found.length === ids.length,
        fresh
      ).pipe(
        Effect.timed,
        Effect.andThen(([waited]) =>
          Effect.sync(() => {
            waits.push(Duration.toMillis(waited))
            told.clear()
          })
        )
      )
  }
})

const insertEvent = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, like: EventId) {
  const rows =
    yield* sql`INSERT INTO catalog.events (state, venue_id, seat_map_version, name, description, starts_at,
      time_zone, on_sale_at, sale_ends_at, currency, price_from, price_to, max_per_order, hold_ttl_ms, hold_max_ms,
      checkout_max_ms, published_at)
    SELECT 'published', venue_id, seat_map_version, 'By hand', description, starts_at, time_zone, on_sale_at,
      sale_ends_at, currency, price_from, price_to, max_per_order, hold_ttl_ms, hold_max_ms, checkout_max_ms, now()
    FROM catalog.events WHERE id = ${like}::uuid RETURNING id::text AS id`
  const [{ id }] = yield* Schema.decodeUnknownEffect(Ids)(rows)
  return id as EventId
})

const refused = (statement: Effect.Effect<unknown, { readonly reason: { readonly cause: unknown } }>) =>
  Effect.map(Effect.flip(statement), ({ reason }) => String(reason.cause))

layer(
  layerCatalogAlone.pipe(
    Layer.provideMerge(CatalogTouched.layer),
    Layer.provideMerge(ScratchPostgres.layerMigrated)
  ),
  {
    excludeTestServices: true,
    timeout: "60 seconds"
  }
)("changes of the catalog by SQL", (it) => {
  describe("are told to who keeps copies", () => {
    it.effect("of events, tiers, venues and performers", () =>
      Effect.gen(function* () {
        const { eventId, follow, sql, tells, told, venueId, waits } = yield* prepare
        yield* follow
        told.clear()
        yield* sql`UPDATE catalog.events SET name = 'Another Evening' WHERE id = ${eventId}::uuid`
        yield* tells(eventId)
        yield* sql`UPDATE catalog.venues SET location = 'Elsewhere' WHERE id = ${venueId}::uuid`
        yield* tells(eventId)
        yield* sql`UPDATE catalog.performers SET name = 'Somebody Else' WHERE id IN
          (SELECT performer_id FROM catalog.event_performers WHERE event_id = ${eventId}::uuid)`
        yield* tells(eventId)
        yield* sql`DELETE FROM catalog.event_performers WHERE event_id = ${eventId}::uuid`
        yield* tells(eventId)
        yield* sql`DELETE FROM catalog.tiers WHERE event_id = ${eventId}::uuid AND position > 0`
        yield* tells(eventId)
        const inserted = yield* insertEvent(sql, eventId)
        yield* tells(inserted)
        yield* sql`DELETE FROM catalog.events WHERE id = ${inserted}::uuid`
        yield* tells(inserted)
        yield* Console.log(`a change by SQL was told of after ${waits.map(Math.round).join(", ")} ms`)
      })
    )

    it.effect("also of what was changed while nobody followed", () =>
      Effect.gen(function* () {
        const { eventId, follow, make, sql, tells, told, venueId } = yield* prepare
        const stop = yield* follow
        const { id: second } = yield* make
        yield* tells(second)
        yield* stop
        told.clear()
        yield* sql`UPDATE catalog.venues SET name = 'Renamed' WHERE id = ${venueId}::uuid`
        const inserted = yield* insertEvent(sql, eventId)
        yield* sql`DELETE FROM catalog.events WHERE id = ${inserted}::uuid`
        yield* follow
        yield* tells(eventId, second, inserted)
      })
    )

    it.effect("as everything, where a table was emptied", () =>
      Effect.gen(function* () {
        const { everything, follow, sql } = yield* prepare
        yield* follow
        const before = everything()
        yield* sql`TRUNCATE catalog.event_performers`
        yield* pollUntil(Effect.sync(everything), (count) => count > before, fresh)
      })
    )
  })

  describe("do not break a sale", () => {
    it.effect("a change of what is sold is a new revision, which the inventory is given", () =>
      Effect.gen(function* () {
        const { eventId, sql } = yield* prepare
        const { layouts } = yield* OpenedSales
        const before = layouts.get(eventId)?.revision ?? 0
        yield* sql`UPDATE catalog.tiers SET amount = 4200 WHERE event_id = ${eventId}::uuid`
        yield* sql`UPDATE catalog.events SET max_per_order = 3 WHERE id = ${eventId}::uuid`
        const layout = yield* pollUntil(
          Effect.sync(() => layouts.get(eventId)),
          (layout) => (layout?.revision ?? 0) >= before + 2
        )
        assert.deepStrictEqual([...new Set(layout?.tiers.map(({ price }) => price))], [4200])
        const prices = yield* sql`SELECT price_from::int AS low, price_to::int AS high FROM catalog.events
          WHERE id = ${eventId}::uuid`
        assert.deepStrictEqual(prices, [{ low: 4200, high: 4200 }])
      })
    )

    it.effect("the seat map has another version where its tiers are others, and only there", () =>
      Effect.gen(function* () {
        const { catalog, make, sql } = yield* prepare
        const { id } = yield* make
        const { id: other } = yield* make
        const versions = Effect.forEach([id, other], (id) => catalog.seatMapVersion(id))
        // Whoever tells of changes is not here: read models and copies are refreshed by those who are.
        const after = (change: Effect.Effect<unknown, unknown>) =>
          Effect.andThen(
            change,
            sql`SELECT seat_map_version + map_changes AS version FROM catalog.events
              WHERE id IN (${id}::uuid, ${other}::uuid) ORDER BY id = ${other}::uuid`
          ).pipe(Effect.map((rows) => rows.map(({ version }) => version)))
        const tier = (set: string) =>
          after(
            sql`UPDATE catalog.tiers SET ${sql.literal(set)} WHERE event_id = ${id}::uuid AND position = 0`
          )
        assert.deepStrictEqual(yield* versions, [1, 1])
        assert.deepStrictEqual(
          yield* tier("amount = 4100, name = 'Renamed', categories = categories"),
          [1, 1]
        )
        assert.deepStrictEqual(yield* tier("categories = '[]'"), [2, 1])
        assert.deepStrictEqual(yield* tier("id = catalog.new_id()"), [3, 1])
        assert.deepStrictEqual(yield* tier("position = 9"), [4, 1])
        // It leaves one, and comes to the other.
        const moved = sql`UPDATE catalog.tiers SET event_id = ${other}::uuid WHERE event_id = ${id}::uuid AND position = 9`
        assert.deepStrictEqual(yield* after(moved), [5, 2])
        const inserted = sql`INSERT INTO catalog.tiers (event_id, position, name, amount, categories, voucher_only)
          VALUES (${id}::uuid, 5, 'More', 1000, '[]', false)`
        assert.deepStrictEqual(yield* after(inserted), [6, 2])
        assert.deepStrictEqual(
          yield* after(sql`DELETE FROM catalog.tiers WHERE event_id = ${other}::uuid`),
          [6, 3]
        )
        yield* sql`TRUNCATE catalog.tiers`
        assert.deepStrictEqual(yield* after(Effect.void), [7, 4])
      })
    )

    it.effect("an event that was inserted as published is put on sale", () =>
      Effect.gen(function* () {
        const { eventId, sql } = yield* prepare
        const { layouts } = yield* OpenedSales
        const inserted = yield* insertEvent(sql, eventId)
        yield* pollUntil(
          Effect.sync(() => layouts.has(inserted)),
          (open) => open
        )
      })
    )

    it.effect("seats, currency and state of a published event stay, and ids are ids", () =>
      Effect.gen(function* () {
        const { eventId, sql } = yield* prepare
        const set = (what: string) =>
          refused(sql`UPDATE catalog.events SET ${sql.literal(what)} WHERE id = ${eventId}::uuid`)
        assert.include(yield* set("currency = 'JPY'"), "do not change")
        assert.include(yield* set("seat_map_version = 2"), "do not change")
        assert.include(yield* set("state = 'draft'"), "does not become")
        const id = "7b8f5f3e-1111-4222-8333-444455556666"
        assert.include(
          yield* refused(
            sql`INSERT INTO catalog.performers (id, name, description) VALUES (${id}::uuid, 'A', '')`
          ),
          "performers_id_is_v7"
        )
        assert.notInclude(id, makeEventId(0))
      })
    )
  })
})
