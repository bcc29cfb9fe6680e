import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Catalog } from "../src/Catalog.ts"
import * as DemoSeason from "../src/DemoSeason.ts"
import { at, layerCatalog, OpenedSales } from "./CatalogFixture.ts"

layer(layerCatalog)("the demo season", (it) => {
  it.effect("is loaded once, also after it was cut short, by whoever is first", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const sales = yield* OpenedSales
      const sql = yield* SqlClient.SqlClient
      sales.failures = 1
      assert.deepStrictEqual((yield* Effect.flip(DemoSeason.load()))._tag, "InventoryUnavailable")
      const finished = yield* Effect.all([DemoSeason.load(), DemoSeason.load()], { concurrency: 2 })
      assert.deepStrictEqual(finished.filter((first) => first).length, 1)
      assert.isFalse(yield* DemoSeason.load())

      const { events, nextCursor } = yield* catalog.list({ limit: 100 })
      assert.isNull(nextCursor)
      assert.deepStrictEqual(events.length, 8)
      assert.isTrue(events.every(({ status }) => status === "on_sale"))
      assert.deepStrictEqual((yield* sql`SELECT 1 FROM catalog.venues`).length, 4)
      assert.deepStrictEqual(sales.layouts.size, 8)
    }).pipe(at(Date.UTC(2030, 9, 20, 12)))
  )

  it.effect("sells an arena of 8,897 seats, a theatre of about 1,400 and a field of 20,000", () =>
    Effect.gen(function* () {
      const sales = yield* OpenedSales
      const sizes = [...sales.layouts.values()].map((layout) => ({
        seats: layout.rows.reduce((sum, row) => sum + row.seats.filter(({ tier }) => tier !== -1).length, 0),
        // An area that is on two tiers is there twice, and its places once.
        places: layout.areas
          .filter((_, area) => !(layout.quotas ?? []).some(({ areas }) => areas.indexOf(area) > 0))
          .reduce((sum, { capacity }) => sum + capacity, 0)
      }))
      assert.deepInclude(sizes, { seats: 8897, places: 0 })
      assert.deepInclude(sizes, { seats: 0, places: 20_000 })
      assert.isTrue(sizes.some(({ seats }) => seats > 1350 && seats < 1450))
    }).pipe(at(Date.UTC(2030, 9, 20, 12)))
  )

  it.effect("has an event with early birds, a limit for customers and house seats", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const sales = yield* OpenedSales
      const { events } = yield* catalog.list({ limit: 100 })
      const festival = events.find(({ name }) => name === "Long Meadow Festival")!
      const { maxPerCustomer, tiers } = yield* catalog.get(festival.id)
      assert.strictEqual(maxPerCustomer, 8)
      // 60 days after 20 October, at midnight in Iowa.
      assert.deepInclude(tiers[0]!, { name: "Early Bird", sale: { until: "2030-12-19T06:00:00.000Z" } })
      const layout = sales.layouts.get(festival.id)!
      assert.deepStrictEqual(
        layout.areas.map(({ block, capacity, reserved, tier }) => [tier, capacity, block, reserved]),
        [
          [0, 20_000, undefined, undefined],
          [1, 20_000, undefined, undefined],
          [1, 200, 0, 200]
        ]
      )
      const blocked = [...sales.layouts.values()].flatMap(({ blocks = [] }) => blocks)
      assert.deepStrictEqual(blocked.map(({ seats }) => seats.length > 0).sort(), [false, true])
    }).pipe(at(Date.UTC(2030, 9, 20, 12)))
  )

  it.effect("plays in the evening of the venue, across the end of summer time", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { events } = yield* catalog.list({ limit: 100 })
      const play = events.find(({ name }) => name === "The Cartographer's Daughter")
      // 14 days after 20 October: London is back on GMT.
      assert.deepStrictEqual(play?.startsAt, "2030-11-03T19:30:00.000Z")
      assert.deepStrictEqual(play?.timeZone, "Europe/London")
    }).pipe(at(Date.UTC(2030, 9, 20, 12)))
  )
})
