import { assert, layer } from "@effect/vitest"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { SqlClient } from "effect/sql"
import { EventId } from "@onsale/contracts/Ids"
import * as UpcomingEvents from "../../src/search/UpcomingEvents.ts"

const Ids = Schema.Array(Schema.Struct({ id: EventId }))
/** Where the clock of tests begins. */
const nowMs = 0

/** So many events, an hour apart and two at a time, of ids in another order. */
const write = Effect.fnUntraced(function* (count: number) {
  const sql = yield* SqlClient.SqlClient
  const venue = "01990000-0002-7000-8000-000000000000"
  yield* sql`INSERT INTO catalog.venues (id, name, location, time_zone, seat_map_version, created_at)
    VALUES (${venue}::uuid, 'House', 'Bern', 'Europe/Zurich', 1, now())`
  yield* sql`INSERT INTO catalog.seat_maps (venue_id, version, map, report, created_at)
    VALUES (${venue}::uuid, 1, '{}'::json, '{}'::json, now())`
  yield* sql`INSERT INTO catalog.events (id, revision, opened_revision, state, venue_id, seat_map_version, name,
      description, starts_at, time_zone, on_sale_at, sale_ends_at, currency, price_from, price_to, max_per_order,
      quotas, hold_ttl_ms, hold_max_ms, checkout_max_ms, created_at, published_at)
    SELECT ('01990000-0003-7000-8' || substr(md5(n::text), 1, 3) || '-' || lpad(to_hex(n), 6, '0') || '000000')::uuid, 1, 1,
      'published', ${venue}::uuid, 1, 'Event ' || n, 'About ' || n, at, 'Europe/Zurich', at - interval '60 days', at, 'CHF',
      100, 200, 10, '[]'::json, 600000, 1800000, 900000, now(), now()
    FROM (SELECT n, to_timestamp(${nowMs}::float8 / 1000) + ((n + 1) / 2) * interval '1 hour' AS at
      FROM generate_series(1, ${count}::int) AS n) AS planned`
})

layer(layerDatabase, { timeout: "60 seconds" })("the events to come", (it) => {
  it.effect("are the next first, without what was cancelled, counted and shown as far as a thousand", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* write(1_500)
      const coming = yield* UpcomingEvents.make
      const soonest =
        yield* sql`SELECT id::text AS id FROM catalog.events ORDER BY starts_at, id LIMIT 1200`.pipe(
          Effect.flatMap(Schema.decodeUnknownEffect(Ids)),
          Effect.map((rows) => rows.map(({ id }) => id))
        )
      const gone = soonest.slice(2, 5)
      yield* sql`UPDATE catalog.events SET state = 'cancelled', cancelled_at = now(), cancel_reason = 'ill'
        WHERE id = ANY(${gone}::uuid[])`
      yield* sql`UPDATE catalog.events SET starts_at = to_timestamp(${nowMs}::float8 / 1000 - 1) WHERE id = ${soonest[6]!}::uuid`
      const left = soonest.filter((id, i) => !gone.includes(id) && i !== 6)

      assert.deepStrictEqual(yield* coming.page(0, 10), { ids: left.slice(0, 10), total: 1_000 })
      assert.deepStrictEqual((yield* coming.page(10, 7)).ids, left.slice(10, 17))
      assert.deepStrictEqual((yield* coming.page(990, 100)).ids, left.slice(990, 1_000))
      assert.deepStrictEqual(yield* coming.page(1_000, 10), { ids: [], total: 1_000 })

      const descriptions = yield* coming.descriptions(left.slice(0, 3))
      assert.deepStrictEqual([...descriptions.keys()].sort(), left.slice(0, 3).sort())

      // What is new shows within a second.
      yield* sql`UPDATE catalog.events SET starts_at = to_timestamp(${nowMs}::float8 / 1000 + 2) WHERE id = ${soonest[1_199]!}::uuid`
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* coming.page(0, 1)).ids[0], soonest[1_199]!)
    })
  )
})
