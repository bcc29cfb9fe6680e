/** Two processes over the same tables and the same Redis. */
import { assert, describe, layer as testLayer } from "@effect/vitest"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { type EventId, makeEventId } from "@onsale/contracts/Ids"
import * as ReadModel from "@onsale/platform/ReadModel"
import * as Redis from "@onsale/platform/Redis"
import * as SharedCache from "@onsale/platform/SharedCache"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { hasRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Catalog } from "../src/Catalog.ts"
import { CatalogJournal } from "../src/CatalogJournal.ts"
import { CatalogTouched } from "../src/CatalogTouched.ts"
import * as EventPages from "../src/EventPages.ts"
import { toPretix } from "../src/PretixExport.ts"
import { fieldMap, newEvent } from "./Maps.ts"

const onTestRedis = Layer.unwrap(Effect.map(TestRedis, ({ url }) => Redis.layerUrl({ url }))).pipe(
  Layer.provideMerge(TestRedis.layer)
)

const inventory = Layer.succeed(
  InventoryClient,
  InventoryClient.of({
    open: () => Effect.void,
    execute: () => Effect.die("not of this test"),
    hold: () => Effect.die("not of this test"),
    holdOf: () => Effect.die("not of this test"),
    availability: () => Effect.die("not of this test")
  })
)

const shared = Layer.fresh(SharedCache.layerOver({ commandLimit: "5 seconds" }))

/** The same, and whenever all lists were forgotten something happens at once, before whoever forgot goes on. */
const sharedAndThen = (gap: Effect.Effect<void>) =>
  Layer.effect(
    SharedCache.SharedCache,
    Effect.map(SharedCache.SharedCache, (cache) => ({
      ...cache,
      keyed: <A, E>(options: SharedCache.CacheOptions<A, E>) =>
        Effect.map(cache.keyed(options), (keyed) => ({
          ...keyed,
          forgetAll: Effect.andThen(keyed.forgetAll, gap)
        }))
    }))
  ).pipe(Layer.provide(shared))

/** The same, of a process that hears of nothing. */
const sharedWithoutFollower = Layer.effect(
  SharedCache.SharedCache,
  Effect.map(SharedCache.SharedCache, (cache) => ({ ...cache, shared: false }))
).pipe(Layer.provide(shared))

const processWith = <E, R>(cache: Layer.Layer<never, E, R>) =>
  Effect.map(
    Layer.build(Layer.fresh(Catalog.layer).pipe(Layer.provide(inventory), Layer.provide(cache))),
    (context) => ({
      catalog: Context.get(context, Catalog),
      touched: Context.get(context, CatalogTouched),
      journal: Context.get(context, CatalogJournal)
    })
  )
const process = processWith(shared)

describe.runIf(hasRedis)(suiteName("Events from a shared cache"), () => {
  testLayer(Layer.merge(layerDatabase, onTestRedis), { excludeTestServices: true })((it) => {
    it.effect(
      "a change shows where it was made at once, and soon everywhere, also where SQL has made it",
      () =>
        Effect.gen(function* () {
          const [one, other] = [yield* process, yield* process]
          const sql = yield* SqlClient.SqlClient
          const venue = yield* one.catalog.createVenue({
            name: "Field",
            location: "",
            timeZone: "UTC",
            seatMap: { format: "pretix", content: toPretix(fieldMap) }
          })
          const tier = { name: "All", price: { amount: 2000, currency: "EUR" } }
          const event = newEvent({
            venueId: venue.id,
            startsAt: "2040-01-01T00:00:00Z",
            tiers: [{ ...tier, categories: ["Seats", "Floor", "Terrace"] }]
          })
          const { id } = yield* one.catalog.createEvent(event)
          const found = ({ catalog }: typeof one, eventId: EventId) =>
            Effect.match(catalog.get(eventId), { onFailure: () => null, onSuccess: (event) => event })
          const listed = ({ catalog }: typeof one) =>
            Effect.map(Effect.orDie(catalog.list({ venue: venue.id })), ({ events }) =>
              events.map(({ name, status }) => [name, status])
            )

          // Nobody finds a draft, which both remember for a while.
          for (const process of [one, other]) {
            assert.isNull(yield* found(process, id))
            assert.deepStrictEqual(yield* listed(process), [])
          }
          yield* one.catalog.publish(id)
          assert.strictEqual((yield* found(one, id))?.status, "on_sale")
          assert.lengthOf(yield* listed(one), 1)
          yield* pollUntil(found(other, id), (event) => event !== null)
          yield* pollUntil(listed(other), (events) => events.length === 1)
          assert.deepStrictEqual(yield* other.catalog.seatMap(id), yield* one.catalog.seatMap(id))

          yield* sql`UPDATE catalog.events SET name = 'By hand' WHERE id = ${id}::uuid`
          assert.notStrictEqual((yield* found(other, id))?.name, "By hand")
          yield* one.touched.touch({ _tag: "Events", eventIds: [id] })
          for (const process of [one, other]) {
            assert.strictEqual((yield* found(process, id))?.name, "By hand")
            assert.deepStrictEqual(yield* listed(process), [["By hand", "on_sale"]])
          }
          yield* sql`UPDATE catalog.events SET name = 'Once more' WHERE id = ${id}::uuid`
          yield* other.touched.touch({ _tag: "Everything" })
          for (const process of [one, other])
            assert.strictEqual((yield* found(process, id))?.name, "Once more")

          yield* one.catalog.changeEvent(id, { name: "By an organiser" })
          for (const process of [one, other]) {
            assert.strictEqual((yield* found(process, id))?.name, "By an organiser")
            assert.deepStrictEqual(yield* listed(process), [["By an organiser", "on_sale"]])
          }

          yield* other.catalog.cancel(id, "rain")
          for (const process of [other, one]) {
            assert.strictEqual((yield* found(process, id))?.status, "cancelled")
            assert.deepStrictEqual(yield* listed(process), [["By an organiser", "cancelled"]])
          }
          const nobody = makeEventId(0)
          for (const process of [one, other]) assert.isNull(yield* found(process, nobody))
        }).pipe(Effect.scoped)
    )

    it.effect(
      "who reads when a copy is forgotten reads what was changed where the changing process died",
      () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const reader = yield* processWith(sharedWithoutFollower)
          const venue = yield* reader.catalog.createVenue({
            name: "Field",
            location: "",
            timeZone: "UTC",
            seatMap: { format: "pretix", content: toPretix(fieldMap) }
          })
          const tier = { name: "All", price: { amount: 2000, currency: "EUR" } }
          const { id } = yield* reader.catalog.createEvent(
            newEvent({
              venueId: venue.id,
              startsAt: "2040-01-01T00:00:00Z",
              tiers: [{ ...tier, categories: ["Seats", "Floor", "Terrace"] }]
            })
          )
          yield* reader.catalog.publish(id)
          // The rows that copies are of are those of the read model.
          const pages = yield* EventPages.model
          const modelled = sql`SELECT 1 AS there FROM catalog.event_pages p
          JOIN catalog.read_model m USING (generation)
          WHERE m.name = 'event-pages' AND m.serving AND m.ready AND p.event_id = ${id}::uuid`
          yield* pollUntil(Effect.andThen(ReadModel.runOnce(pages), modelled), (rows) => rows.length === 1)
          const status = Effect.map(Effect.orDie(reader.catalog.get(id)), (event) => event.status)
          assert.strictEqual(yield* status, "on_sale")

          const inGap: Array<string> = []
          const changed = Effect.map(
            sql`SELECT 1 AS one FROM catalog.journal WHERE stream = ${id}::uuid AND version = 2`,
            (rows) => rows.length === 1
          )
          const database = yield* Effect.context<SqlClient.SqlClient>()
          const follower = yield* processWith(
            sharedAndThen(
              // As a process of its own: in no transaction of who forgets. What is forgotten before the change is another matter.
              Effect.promise(() => Effect.runPromiseWith(database)(Effect.zip(changed, status))).pipe(
                Effect.map(([isChanged, status]) => {
                  if (isChanged) inGap.push(status)
                })
              )
            )
          )
          // With its first read it begins to tell others at once, and no more within a second.
          yield* follower.catalog.get(id)
          // It has nothing else to tell of.
          yield* pollUntil(
            sql`SELECT 1 AS behind FROM catalog.journal j LEFT JOIN catalog.cursor c ON c.name = 'shared_cache'
              WHERE c.name IS NULL OR (j.txid, j.position) > (c.txid, c.position)`,
            (rows) => rows.length === 0,
            { deadline: "30 seconds" }
          )
          // One that commits, and dies before it tells anybody.
          yield* sql.withTransaction(
            Effect.gen(function* () {
              // Its sale is closed: nobody but the follower has anything to do.
              yield* sql`UPDATE catalog.events SET state = 'cancelled', cancelled_at = now(), cancel_reason = 'rain',
                  revision = revision + 1, opened_revision = revision + 1
                WHERE id = ${id}::uuid`
              yield* reader.journal.append({
                stream: id,
                version: 2,
                atMs: Date.UTC(2030, 0, 1),
                correlation: null,
                events: [{ _tag: "EventCancelled", eventId: id, reason: "rain" }]
              })
            })
          )
          yield* pollUntil(
            Effect.sync(() => inGap.length),
            (count) => count > 0,
            { deadline: "30 seconds" }
          )
          assert.strictEqual(inGap[0], "cancelled")
          assert.strictEqual(yield* status, "cancelled")
        }).pipe(Effect.scoped)
    )
  })
})
