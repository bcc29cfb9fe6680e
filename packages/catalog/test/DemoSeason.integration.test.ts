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
        places: layout.areas.reduce((sum, { capacity }) => sum + capacity, 0)
      }))
      assert.deepInclude(sizes, { seats: 8897, places: 0 })
      assert.deepInclude(sizes, { seats: 0, places: 20_000 })
      assert.isTrue(sizes.some(({ seats }) => seats > 1350 && seats < 1450))
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
