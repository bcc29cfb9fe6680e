/**
 * INV-10: every read model and every cache of a service goes at once while it is read. Answers are slower then, and
 * afterwards they are the same, byte for byte.
 */
import { assert, describe, it } from "@effect/vitest"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { CustomerId, type EventId } from "@onsale/contracts/Ids"
import * as TokenKeys from "@onsale/gateway/TokenKeys"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { hasRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Clock, Effect, Fiber, Redacted, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type * as HttpCall from "./HttpCall.ts"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const tokenSecret = "a secret of more than thirty-two characters"
const customer = "customer-7"
const patient = { deadline: "90 seconds", every: "200 millis" } as const
const readers = 4

const Tables = Schema.Array(Schema.Struct({ table: Schema.String }))

/** Everything that is filled from elsewhere, also what is made later: whatever forgets its generation, or is made anew, when it is emptied. */
const modelTables = Effect.flatMap(
  SqlClient.SqlClient,
  (
    sql
  ) => sql`SELECT t.tgrelid::regclass::text AS "table" FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE p.proname IN ('read_model_emptied', 'search_emptied') ORDER BY 1`
).pipe(Effect.flatMap(Schema.decodeUnknownEffect(Tables)))

/** Models that are read, of all contexts. */
const served = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql<{ readonly models: number }>`SELECT count(*)::int AS models FROM (
    SELECT name FROM catalog.read_model WHERE serving AND ready
    UNION ALL SELECT name FROM booking.read_model WHERE serving AND ready
    UNION ALL SELECT name FROM inventory.read_model WHERE serving AND ready) AS all_of_them`
).pipe(Effect.map((rows) => rows[0]?.models))

/** As by psql: no journal tells of it. */
const insertBySql = Effect.fnUntraced(function* (like: EventId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO catalog.events (state, venue_id, seat_map_version, name, description, starts_at, time_zone,
      on_sale_at, sale_ends_at, currency, price_from, price_to, max_per_order, hold_ttl_ms, hold_max_ms,
      checkout_max_ms, published_at)
    SELECT 'published', venue_id, seat_map_version, 'Inserted by hand', description, starts_at, time_zone, on_sale_at,
      sale_ends_at, currency, price_from, price_to, max_per_order, hold_ttl_ms, hold_max_ms, checkout_max_ms, now()
    FROM catalog.events WHERE id = ${like}::uuid`
})

const survives = Effect.fnUntraced(function* (
  env: NonNullable<Parameters<typeof Service.start>[0]>["env"],
  emptyCaches: Effect.Effect<void, unknown>
) {
  const database = { ONSALE_DATABASE_URL: (yield* TestDatabase).url }
  const sql = yield* SqlClient.SqlClient
  // Nobody follows changes by SQL: what comes by it has to come back without.
  const service = yield* Service.start({
    env: { ...database, ONSALE_TOKEN_KEYS: tokenSecret, ONSALE_CDC: "off", ...env }
  })
  const shop = Shop.at(service.url)
  const { api } = shop

  // --- a season, of which some is held and some is sold
  const venue = yield* shop.importPlan("seatsio", SeatsioChart.make({ seats: 200 }))
  const ids = yield* Effect.forEach(["Midnight Symphony", "Morning Raga", "Noon Fado"], (name) =>
    Effect.map(shop.openEvent(venue, { name }), ({ id }) => id)
  )
  const [first = assert.fail("there is no event")] = ids
  yield* insertBySql(first)
  const nowMs = yield* Clock.currentTimeMillis
  const keys = yield* TokenKeys.parse(Redacted.make(tokenSecret))
  const token = yield* TokenKeys.sign(
    keys,
    { id: CustomerId.make(customer) },
    { nowMs, expiresAtMs: nowMs + 3_600_000 }
  )
  const authorization = `Bearer ${token}`
  for (const id of ids) {
    yield* shop.hold(id, { bestAvailable: { quantity: 2 } })
    const held = yield* shop.hold(id, { bestAvailable: { quantity: 3 } })
    yield* Effect.flatMap(
      shop.send({
        path: api("/orders"),
        headers: { "idempotency-key": Shop.newKey(), authorization },
        body: {
          holdId: held.id,
          customer: { name: "Ada", email: "ada@example.org" },
          payment: { method: "tok_ok" }
        }
      }),
      Shop.expect(201, Order)
    )
  }
  for (const name of ["catalog.event-pages", "catalog.search"]) {
    const { code, stderr, stdout } = yield* Service.run(service, ["projections", "rebuild", name], database)
    assert.strictEqual(code, 0, stdout + stderr)
  }

  const organiser = { authorization: `Bearer ${Service.organiserKey}` }
  const calls: ReadonlyArray<HttpCall.Call> = [
    { path: api("/events?limit=50") },
    { path: api("/events?limit=2") },
    { path: api(`/events?venue=${venue.id}`) },
    ...ids.flatMap((id) => [
      { path: api(`/events/${id}`) },
      { path: api(`/events/${id}/availability`) },
      { path: api(`/events/${id}/seatmap`) },
      { path: api(`/organiser/events/${id}/sales`), headers: organiser }
    ]),
    { path: api("/search/events?q=midnihgt") },
    { path: api("/search/events?q=inserted") },
    { path: api("/orders"), headers: { authorization } }
  ]
  const textOf = (call: HttpCall.Call) =>
    Effect.map(shop.send(call), ({ status, text }) => `${call.path} ${status} ${text}`)
  const all = Effect.forEach(calls, textOf)

  // --- as it is with everything in place
  const tables = (yield* modelTables).map(({ table }) => table)
  assert.includeMembers(tables, [
    "catalog.event_pages",
    "booking.customer_orders",
    "booking.sales_by_day",
    "inventory.availability",
    "catalog.search_events",
    "catalog.search_words"
  ])
  // At the other levels nobody keeps how full an event is.
  const hasFills = env?.["ONSALE_LEVEL"] === "L3"
  const models = yield* pollUntil(served, (count) => count === 4, patient)
  const isWhole = (texts: ReadonlyArray<string>) =>
    texts.every((text) => / 200 /.test(text) && !text.includes('"asOf"')) &&
    texts.filter((text) => text.includes("Inserted by hand")).length >= 3 &&
    texts.filter((text) => /\/availability 200 .*"sold":3/.test(text)).length === ids.length &&
    (!hasFills ||
      (texts.filter((text) => /\/sales 200 .*"held":2,"sold":3/.test(text)).length === ids.length &&
        texts.filter((text) => text.includes('"availability":{"total":200,"available":195}')).length >= 3)) &&
    texts.some((text) => text.includes("q=midnihgt") && text.includes("Midnight Symphony"))
  yield* pollUntil(all, isWhole, patient)
  // What follows the journals has caught up, also for those parts that are counted later.
  const before = yield* pollUntil(
    Effect.all([all, Effect.andThen(Effect.sleep("500 millis"), all)]),
    ([one, other]) => isWhole(one) && JSON.stringify(one) === JSON.stringify(other),
    patient
  ).pipe(Effect.map(([one]) => one))

  // --- and without, while it is read
  const failed: Array<string> = []
  // What a search shows and counts never differs; how full its events are may be unknown for a while.
  const foundIn = (text: string) =>
    JSON.stringify(text.match(/"(?:id|name|total|totalIsExact|page|size)":(?:"[^"]*"|[^,}{]+)/g))
  const found = new Map(
    before.flatMap((text, i) => (calls[i]!.path.includes("/search/") ? [[calls[i]!, text] as const] : []))
  )
  const otherwise: Array<string> = []
  let reads = 0
  const reading = yield* Effect.forkScoped(
    Effect.forEach(
      Array.from({ length: readers }, (_, reader) => reader),
      (reader) =>
        Effect.forever(
          Effect.suspend(() => {
            const call = calls[(reads++ + reader) % calls.length]!
            return Effect.map(shop.send(call), ({ status, text }) => {
              const answer = `${call.path} ${status} ${text}`
              const usual = found.get(call)
              if (status >= 400) failed.push(answer)
              else if (usual !== undefined && foundIn(answer) !== foundIn(usual)) otherwise.push(answer)
            })
          })
        ),
      { concurrency: "unbounded", discard: true }
    )
  )
  for (let round = 0; round < 2; round++) {
    yield* Effect.all(
      [
        // Whoever is just writing one of them may be in the way.
        Effect.retry(sql.unsafe(`TRUNCATE ${tables.join(", ")}`), Schedule.recurs(10)),
        emptyCaches
      ],
      { concurrency: 2, discard: true }
    )
    const least = reads + 2 * calls.length
    yield* pollUntil(
      Effect.sync(() => reads),
      (count) => count > least,
      patient
    )
    assert.deepStrictEqual(
      yield* pollUntil(all, (now) => JSON.stringify(now) === JSON.stringify(before), patient),
      before
    )
    assert.strictEqual(yield* pollUntil(served, (count) => count === models, patient), models)
    assert.deepStrictEqual(yield* all, before)
  }
  yield* Fiber.interrupt(reading)
  // Too many at once may be asked to come again; nothing else is an answer to a reader.
  assert.deepStrictEqual(
    failed.filter((answer) => !/ 503 /.test(answer)),
    []
  )
  assert.isBelow(failed.length, reads / 2)
  assert.deepStrictEqual(otherwise, [])
  yield* Service.assertAudited(service, database)
})

describe("INV-10: read models and caches that go while they are read", () => {
  it.live(
    "at L3",
    () => survives({ ONSALE_LEVEL: "L3" }, Effect.void).pipe(Effect.scoped, Effect.provide(layerDatabase)),
    300_000
  )
})

describe.runIf(hasRedis)(suiteName("INV-10: read models and caches that go while they are read"), () => {
  it.live(
    "at L1, Redis too",
    () =>
      Effect.gen(function* () {
        const { flushAll, url } = yield* TestRedis
        yield* survives(
          // So that a busy machine does not go without Redis.
          { ONSALE_LEVEL: "L1", ONSALE_REDIS_URL: url, ONSALE_CACHE_LIMIT: "1 second" },
          flushAll
        )
      }).pipe(Effect.scoped, Effect.provide([layerDatabase, TestRedis.layer])),
    300_000
  )
})
