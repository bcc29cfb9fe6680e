/** Two processes over the same tables and the same Redis. */
import { assert, describe, layer as testLayer } from "@effect/vitest"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { type EventId, makeEventId } from "@onsale/contracts/Ids"
import * as Redis from "@onsale/platform/Redis"
import * as SharedCache from "@onsale/platform/SharedCache"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { hasRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Catalog } from "../src/Catalog.ts"
import { CatalogTouched } from "../src/CatalogTouched.ts"
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

const process = Effect.map(
  Layer.build(
    Layer.fresh(Catalog.layer).pipe(
      Layer.provide(inventory),
      Layer.provide(Layer.fresh(SharedCache.layerOver({ commandLimit: "5 seconds" })))
    )
  ),
  (context) => ({ catalog: Context.get(context, Catalog), touched: Context.get(context, CatalogTouched) })
)

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

          yield* other.catalog.cancel(id, "rain")
          for (const process of [other, one]) {
            assert.strictEqual((yield* found(process, id))?.status, "cancelled")
            assert.deepStrictEqual(yield* listed(process), [["Once more", "cancelled"]])
          }
          const nobody = makeEventId(0)
          for (const process of [one, other]) assert.isNull(yield* found(process, nobody))
        }).pipe(Effect.scoped)
    )
  })
})
