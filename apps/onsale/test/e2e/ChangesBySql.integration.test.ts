/**
 * What is changed straight by SQL shows to the public, whoever changes it, also where the service was down meanwhile.
 * The times are printed: two seconds are the target, and no test of a busy machine.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { EventId } from "@onsale/contracts/Ids"
import * as Sql from "@onsale/platform/Sql"
import { pollUntil } from "@onsale/testing/Poll"
import { hasRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import * as ScratchPostgres from "@onsale/testing/ScratchPostgres"
import { Console, Context, Duration, Effect, Fiber, Layer, type Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const many = 10_000

const Listed = Schema.Struct({
  events: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      name: Schema.String,
      venue: Schema.Struct({ name: Schema.String }),
      priceFrom: Schema.optionalKey(Schema.Struct({ amount: Schema.Int }))
    })
  )
})
const Searched = Schema.Struct({
  total: Schema.Int,
  events: Schema.Array(Schema.Struct({ id: Schema.String, name: Schema.String }))
})
const Detail = Schema.Struct({
  name: Schema.String,
  venue: Schema.Struct({ name: Schema.String }),
  performers: Schema.Array(Schema.Struct({ name: Schema.String })),
  tiers: Schema.Array(Schema.Struct({ name: Schema.String, price: Schema.Struct({ amount: Schema.Int }) }))
})
const SeatMap = Schema.Struct({
  version: Schema.Int,
  sections: Schema.Array(
    Schema.Struct({
      rows: Schema.Array(
        Schema.Struct({ seats: Schema.Array(Schema.Struct({ tier: Schema.NullOr(Schema.String) })) })
      )
    })
  )
})
const Ids = Schema.NonEmptyArray(Schema.Struct({ id: EventId }))

/** What the public sees of an event at the service that runs now. */
const views = (shop: () => Shop.Shop, venueId: string) => {
  const get = (path: string) => Effect.suspend(() => shop().send({ path: shop().api(path) }))
  return {
    search: (q: string) =>
      Effect.flatMap(get(`/search/events?q=${encodeURIComponent(q)}`), Shop.expect(200, Searched)),
    list: Effect.flatMap(get(`/events?venue=${venueId}&limit=100`), Shop.expect(200, Listed)),
    detail: (id: EventId) =>
      Effect.flatMap(get(`/events/${id}`), (reply) =>
        reply.status === 404 ? Effect.succeed(null) : Shop.expect(200, Detail)(reply)
      ),
    seatMap: (id: EventId, version?: number) =>
      get(`/events/${id}/seatmap${version === undefined ? "" : `?version=${version}`}`),
    /** Opens a stream, answers with its status once it has begun, and waits for its end where told so. */
    stream: (id: EventId, ended: boolean) =>
      Effect.promise(async (signal) => {
        const stop = new AbortController()
        const path = shop().api(`/events/${id}/availability/stream`)
        const { body, status } = await fetch(`${shop().url}${path}`, {
          signal: AbortSignal.any([signal, stop.signal])
        })
        if (ended && body !== null) for await (const _ of body);
        stop.abort()
        return status
      }),
    statuses: (id: EventId) =>
      Effect.forEach(["", "/seatmap", "/availability"], (path) =>
        Effect.map(get(`/events/${id}${path}`), ({ status }) => status)
      )
  }
}

/** A world whose database outlives its services. */
const prepare = Effect.fnUntraced(function* (env: Readonly<Record<string, string | Redacted.Redacted>>) {
  const url = yield* ScratchPostgres.start.pipe(Effect.provide(NodeServices.layer))
  const sql = Context.get(yield* Layer.build(Sql.layerUrl(url, { maxConnections: 1 })), SqlClient.SqlClient)
  const start = (dataDir?: string) =>
    Service.start({
      ...(dataDir === undefined ? {} : { dataDir }),
      env: { ...env, ONSALE_DATABASE_URL: url }
    })
  const first = yield* start()
  let shop = Shop.at(first.url)
  const venue = yield* shop.importPlan("seatsio", SeatsioChart.make({ seats: 400 }))
  const openEvent = (name: string) =>
    Effect.map(
      shop.openEvent(venue, { name, performers: [{ name: "House Band", description: "" }] }),
      ({ id }) => id
    )
  return {
    sql,
    first,
    venue,
    openEvent,
    views: views(() => shop, venue.id),
    restart: Effect.map(start(first.dataDir), (service) => {
      shop = Shop.at(service.url)
      return service
    }),
    /** As `INSERT … SELECT` of an event that there is, with its tiers. */
    insert: Effect.fnUntraced(function* (like: EventId, name: string, count = 1) {
      const columns = sql.literal(`venue_id, seat_map_version, description, starts_at, time_zone, on_sale_at,
        sale_ends_at, currency, price_from, price_to, max_per_order, hold_ttl_ms, hold_max_ms, checkout_max_ms,
        quotas`)
      const rows = yield* sql`WITH made AS (
          INSERT INTO catalog.events (state, name, published_at, ${columns})
          SELECT 'published', ${name}::text, now(), ${columns} FROM catalog.events, generate_series(1, ${count}::int)
          WHERE id = ${like}::uuid RETURNING id
        ), tiers AS (
          INSERT INTO catalog.tiers (event_id, position, name, amount, categories, voucher_only)
          SELECT made.id, position, name, amount, categories, voucher_only FROM made, catalog.tiers
          WHERE event_id = ${like}::uuid
        ) SELECT id::text AS id FROM made`
      const [first, ...rest] = yield* Schema.decodeUnknownEffect(Ids)(rows)
      return [first.id, ...rest.map(({ id }) => id)] as const
    })
  }
})

const Wal = Schema.Tuple([Schema.Struct({ at: Schema.String })])

/** How far the database's log is. */
const walNow = (sql: SqlClient.SqlClient) =>
  sql`SELECT pg_current_wal_lsn()::text AS at`.pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Wal)),
    Effect.map(([{ at }]) => at)
  )

type World = Effect.Success<ReturnType<typeof prepare>>

/** Waits until it is seen, and answers after how many milliseconds. */
const seen = <A, E, R>(view: Effect.Effect<A, E, R>, is: (value: A) => boolean) =>
  Effect.map(Effect.timed(pollUntil(view, is, { deadline: "30 seconds" })), ([waited]) =>
    Math.round(Duration.toMillis(waited))
  )

/** What every process has kept of an event goes as well. */
const deletedAfterReads = Effect.fnUntraced(function* (level: string, { openEvent, sql, views }: World) {
  const event = yield* openEvent("Afterglow")
  const status = (index: 0 | 1 | 2) => Effect.map(views.statuses(event), (all) => all[index])
  assert.deepStrictEqual(yield* views.statuses(event), [200, 200, 200])
  assert.strictEqual(yield* views.stream(event, false), 200)
  const watching = yield* Effect.forkChild(Effect.timed(views.stream(event, true)))
  yield* sql`DELETE FROM catalog.events WHERE id = ${event}::uuid`
  const gone = (found: number | undefined) => found === 404
  const times = yield* Effect.all(
    {
      detail: seen(status(0), gone),
      seatMap: seen(status(1), gone),
      availability: seen(status(2), gone),
      newStream: seen(views.stream(event, false), gone),
      openStream: Effect.map(Effect.timeout(Fiber.join(watching), "30 seconds"), ([waited]) =>
        Math.round(Duration.toMillis(waited))
      )
    },
    { concurrency: "unbounded" }
  )
  yield* Console.log(`${level}: an event that was read is gone after (ms) ${JSON.stringify(times)}`)
})

/** A version of a seat map is kept for ever by who has it: it never shows anything else. */
const tiersOfSeats = Effect.fnUntraced(function* (level: string, { openEvent, sql, views }: World) {
  const event = yield* openEvent("Undertow")
  const mapOf = (version?: number) => Effect.flatMap(views.seatMap(event, version), Shop.expect(200, SeatMap))
  const tiersOf = ({ sections }: typeof SeatMap.Type) =>
    new Set(sections.flatMap(({ rows }) => rows.flatMap(({ seats }) => seats.map(({ tier }) => tier))))
  const before = yield* mapOf()
  const named = yield* views.seatMap(event, before.version)
  assert.include(named.headers["cache-control"], "immutable")
  assert.strictEqual(tiersOf(before).size, 1)

  const [first, second] = SeatsioChart.categories.map((name) => JSON.stringify([name]))
  yield* sql.withTransaction(
    sql`UPDATE catalog.tiers SET categories = ${first}::json WHERE event_id = ${event}::uuid`.pipe(
      Effect.andThen(sql`INSERT INTO catalog.tiers (event_id, position, name, amount, categories, voucher_only)
        VALUES (${event}::uuid, 1, 'Main', 5000, ${second}::json, false)`)
    )
  )
  const wasServed = Effect.map(views.seatMap(event, before.version), ({ status, text }) => {
    assert.isTrue(status === 404 || text === named.text, "the old version shows something else")
  })
  const shown = yield* seen(Effect.andThen(wasServed, mapOf()), (map) => map.version > before.version)
  const after = yield* mapOf()
  assert.strictEqual(tiersOf(after).size, 2)
  assert.strictEqual((yield* views.seatMap(event, before.version)).status, 404)
  assert.include((yield* views.seatMap(event, after.version)).headers["cache-control"], "immutable")
  // What no map shows is no new version.
  yield* sql`UPDATE catalog.tiers SET amount = 5100 WHERE event_id = ${event}::uuid`
  yield* seen(
    views.detail(event),
    (found) => found?.tiers.every(({ price }) => price.amount === 5100) === true
  )
  assert.deepStrictEqual(yield* mapOf(), after)
  yield* Console.log(
    `${level}: other tiers of seats showed in the seat map after ${shown} ms, as version ${after.version}`
  )
})

const changesWhileUp = Effect.fnUntraced(function* (level: string, world: World) {
  const { insert, openEvent, sql, venue, views } = world
  const { detail, list, search, statuses } = views
  const event = yield* openEvent("Evenfall")
  const other = yield* openEvent("Daybreak")
  const found = (q: string, id: EventId) =>
    seen(search(q), ({ events }) => events.some((event) => event.id === id))
  const gone = (q: string, id: EventId) =>
    seen(search(q), ({ events }) => events.every((event) => event.id !== id))
  const named = (id: EventId, name: string) =>
    seen(list, ({ events }) => events.some((event) => event.id === id && event.name === name))
  yield* found("Evenfall", event)
  yield* found("Daybreak", other)
  assert.deepStrictEqual(yield* statuses(event), [200, 200, 200])
  /** From the statement to all views, one after the other. */
  const took = (what: string, ...views: ReadonlyArray<Effect.Effect<number, unknown>>) =>
    Effect.flatMap(Effect.all(views, { concurrency: "unbounded" }), (all) =>
      Console.log(`${level}: ${what} showed everywhere after ${Math.max(...all)} ms`)
    )

  yield* sql`UPDATE catalog.events SET name = 'Moonrise' WHERE id = ${event}::uuid`
  yield* took(
    "UPDATE of a name",
    found("Moonrise", event),
    gone("Evenfall", event),
    named(event, "Moonrise"),
    seen(detail(event), (found) => found?.name === "Moonrise")
  )

  const [inserted] = yield* insert(event, "Starlight")
  yield* took(
    "INSERT",
    found("Starlight", inserted),
    named(inserted, "Starlight"),
    seen(detail(inserted), (found) => found?.tiers.length === 1),
    seen(statuses(inserted), (all) => all.every((status) => status === 200))
  )

  yield* sql`UPDATE catalog.venues SET name = 'Lighthouse' WHERE id = ${venue.id}::uuid`
  yield* took(
    "a venue renamed",
    found("Lighthouse", event),
    seen(list, ({ events }) => events.every(({ venue }) => venue.name === "Lighthouse")),
    seen(detail(event), (found) => found?.venue.name === "Lighthouse")
  )

  yield* sql.withTransaction(
    sql`WITH made AS (INSERT INTO catalog.performers (name, description) VALUES ('Nocturnals', '') RETURNING id)
      INSERT INTO catalog.event_performers (event_id, position, performer_id) SELECT ${event}::uuid, 7, id FROM made`
  )
  yield* took(
    "a performer added",
    found("Nocturnals", event),
    seen(detail(event), (found) => found?.performers.some(({ name }) => name === "Nocturnals") === true)
  )

  yield* sql`UPDATE catalog.performers SET name = 'Sleepwalkers' WHERE name = 'Nocturnals'`
  yield* took(
    "a performer renamed",
    found("Sleepwalkers", event),
    seen(detail(event), (found) => found?.performers.some(({ name }) => name === "Sleepwalkers") === true)
  )

  yield* sql`UPDATE catalog.tiers SET amount = 4200 WHERE event_id = ${event}::uuid`
  yield* took(
    "a tier's price",
    seen(detail(event), (found) => found?.tiers.every(({ price }) => price.amount === 4200) === true)
  )

  yield* sql`DELETE FROM catalog.events WHERE id = ${other}::uuid`
  yield* took(
    "DELETE",
    gone("Daybreak", other),
    seen(list, ({ events }) => events.every(({ id }) => id !== other)),
    seen(detail(other), (found) => found === null)
  )
  assert.deepStrictEqual(yield* statuses(other), [404, 404, 404])

  yield* deletedAfterReads(level, world)
  yield* tiersOfSeats(level, world)

  yield* sql`TRUNCATE catalog.event_performers`
  yield* took(
    "TRUNCATE of performers",
    gone("Sleepwalkers", event),
    seen(detail(event), (found) => found?.performers.length === 0)
  )

  const inserts = yield* insert(event, "Multitude", many)
  const last = inserts[many - 1] ?? event
  yield* took(
    `INSERT of ${many} events in a transaction`,
    seen(search("Multitude"), ({ total }) => total >= Math.min(many, 500)),
    ...[inserts[0], last].map((id) => seen(detail(id), (found) => found?.name === "Multitude"))
  )
  yield* sql`DELETE FROM catalog.events WHERE name = 'Multitude'`
  yield* took(
    `DELETE of ${many} events in a transaction`,
    seen(search("Multitude"), ({ events }) => events.every(({ name }) => name !== "Multitude")),
    ...[inserts[0], last].map((id) => seen(detail(id), (found) => found === null))
  )
})

const changesWhileDown = Effect.fnUntraced(function* (world: World) {
  const { first, insert, openEvent, restart, sql, venue, views } = world
  const { detail, list, search, statuses } = views
  const [event, other] = [yield* openEvent("Saltmarsh"), yield* openEvent("Riverbank")]
  yield* seen(search("Riverbank"), ({ events }) => events.some(({ id }) => id === other))
  assert.strictEqual((yield* detail(event))?.name, "Saltmarsh")
  // What was changed before, ten thousand rows at a time, is another claim: its end is waited for.
  yield* seen(
    sql`SELECT 1 AS behind FROM pg_replication_slots WHERE confirmed_flush_lsn < ${yield* walNow(sql)}::pg_lsn`,
    (rows) => rows.length === 0
  )
  assert.include(Service.cleanExits, yield* first.stop)

  yield* sql`UPDATE catalog.events SET name = 'Tidewater' WHERE id = ${event}::uuid`
  yield* sql`UPDATE catalog.venues SET name = 'Boathouse' WHERE id = ${venue.id}::uuid`
  yield* sql`DELETE FROM catalog.events WHERE id = ${other}::uuid`
  const [inserted] = yield* insert(event, "Cormorant")

  const service = yield* restart
  const times = yield* Effect.all(
    [
      seen(search("Tidewater"), ({ events }) => events.some(({ id }) => id === event)),
      seen(search("Cormorant"), ({ events }) => events.some(({ id }) => id === inserted)),
      seen(search("Riverbank"), ({ events }) => events.every(({ id }) => id !== other)),
      seen(search("Boathouse"), ({ events }) => events.some(({ id }) => id === event)),
      seen(
        list,
        ({ events }) =>
          events.every(({ id, venue }) => id !== other && venue.name === "Boathouse") &&
          [
            [event, "Tidewater"],
            [inserted, "Cormorant"]
          ].every(([id, name]) => events.some((event) => event.id === id && event.name === name))
      ),
      seen(detail(event), (found) => found?.name === "Tidewater" && found.venue.name === "Boathouse"),
      seen(statuses(inserted), (all) => all.every((status) => status === 200)),
      seen(detail(other), (found) => found === null)
    ],
    { concurrency: "unbounded" }
  )
  assert.deepStrictEqual(yield* statuses(other), [404, 404, 404])
  return { service, waitedMs: Math.max(...times) }
})

const scenario = Effect.fnUntraced(function* (
  level: string,
  env: Readonly<Record<string, string | Redacted.Redacted>>
) {
  const world = yield* prepare({ ONSALE_LEVEL: level, ...env })
  yield* changesWhileUp(level, world)
  yield* Service.assertNothingBroke(world.first)
  const { service, waitedMs } = yield* changesWhileDown(world)
  yield* Console.log(`${level}: what was changed while it was down showed ${waitedMs} ms after it served`)
  yield* Service.assertNothingBroke(service)
})

describe("Changes by SQL", () => {
  it.live(
    "show in search, list, page and availability, also those of while the service was down",
    () => Effect.scoped(scenario("L3", {})),
    240_000
  )
})

describe.runIf(hasRedis)(suiteName("Changes by SQL at L1"), () => {
  it.live(
    "show where copies are kept in Redis, also those of while the service was down",
    () =>
      Effect.gen(function* () {
        const { url } = yield* TestRedis
        yield* scenario("L1", { ONSALE_REDIS_URL: url, ONSALE_CACHE_LIMIT: "1 second" })
      }).pipe(Effect.provide(TestRedis.layer), Effect.scoped),
    240_000
  )
})
