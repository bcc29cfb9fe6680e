/** A season to try the system with: venues, events on sale, prices. Made by code, loaded once. */
import type { NewEvent } from "@onsale/contracts/catalog/Event"
import { areaId, EventId, rowId, VenueId } from "@onsale/contracts/Ids"
import { Clock, DateTime, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { Blocks } from "./Blocks.ts"
import { Catalog } from "./Catalog.ts"
import { instant, settled } from "./CatalogSql.ts"
import { type DemoEvent, type DemoVenue, events, venues } from "./demo/Programme.ts"
import { toPretix } from "./PretixExport.ts"

/** The markers of the table `catalog.demo_season`, beside one for each venue and event. */
const begun = "begun"
const loaded = "loaded"

const Markers = Schema.Array(
  Schema.Struct({ key: Schema.String, id: Schema.NullOr(Schema.String), atMs: Schema.Int })
)

const marker = Effect.fnUntraced(function* (key: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT key, id::text AS id, floor(extract(epoch FROM at) * 1000)::float8 AS "atMs"
    FROM catalog.demo_season WHERE key = ${key}::text`
  return (yield* Schema.decodeUnknownEffect(Markers)(rows))[0]
})

/** Writes a marker; false where it is there already. Waits for a process that is just writing it. */
const mark = Effect.fnUntraced(function* (key: string) {
  const sql = yield* SqlClient.SqlClient
  const atMs = yield* Clock.currentTimeMillis
  const written = yield* sql`INSERT INTO catalog.demo_season (key, at)
    VALUES (${key}::text, ${instant(sql, atMs)}) ON CONFLICT DO NOTHING RETURNING key`
  return written.length > 0
})

/** Makes what bears the key, once: the marker and what is made are of one transaction. Answers its id. */
const once = Effect.fnUntraced(function* <E, R>(key: string, make: Effect.Effect<string, E, R>) {
  const sql = yield* SqlClient.SqlClient
  const step = Effect.gen(function* () {
    if (!(yield* mark(key))) {
      const known = yield* marker(key)
      return known?.id ?? (yield* Effect.die(new Error(`the demo season's ${key} has no id`)))
    }
    const id = yield* make
    yield* sql`UPDATE catalog.demo_season SET id = ${id}::uuid WHERE key = ${key}::text`
    return id
  })
  return yield* settled(sql.withTransaction(step))
})

const makeVenue = Effect.fnUntraced(function* ({ location, map, name, timeZone }: DemoVenue) {
  const catalog = yield* Catalog
  const seatMap = { format: "pretix" as const, content: toPretix(map) }
  // A plan of ours that is refused is a bug.
  return (yield* Effect.orDie(catalog.createVenue({ name, location, timeZone, seatMap }))).id
})

/** The evening, at the venue, so many days after the season began. */
const startOf = ({ hour, inDays, minute }: DemoEvent, timeZone: string, begunAtMs: number): string =>
  DateTime.makeZonedUnsafe(begunAtMs, { timeZone }).pipe(
    DateTime.add({ days: inDays }),
    DateTime.setParts({ hour, minute, second: 0, millisecond: 0 }),
    DateTime.formatIso
  )

/** The end of the day at the venue, so many days after the season began. */
const midnight = (inDays: number, timeZone: string, begunAtMs: number): string =>
  DateTime.makeZonedUnsafe(begunAtMs, { timeZone }).pipe(
    DateTime.add({ days: inDays }),
    DateTime.startOf("day"),
    DateTime.formatIso
  )

const newEvent = (event: DemoEvent, venue: DemoVenue, venueId: VenueId, begunAtMs: number): NewEvent => ({
  venueId,
  name: event.name,
  description: event.description,
  startsAt: startOf(event, venue.timeZone, begunAtMs),
  performers: event.performers,
  tiers: event.tiers.map(([name, amount, categories, untilInDays]) => ({
    name,
    price: { amount, currency: venue.currency },
    categories,
    ...(untilInDays === undefined
      ? {}
      : { sale: { until: midnight(untilInDays, venue.timeZone, begunAtMs) } })
  })),
  quotas: event.quotas ?? [],
  ...(event.maxPerOrder === undefined ? {} : { maxPerOrder: event.maxPerOrder }),
  ...(event.maxPerCustomer === undefined ? {} : { maxPerCustomer: event.maxPerCustomer })
})

const makeBlock = Effect.fnUntraced(function* (eventId: EventId, block: NonNullable<DemoEvent["block"]>) {
  const blocks = yield* Blocks
  const made = blocks.create(eventId, {
    name: block.name,
    rows: (block.rows ?? []).map((row) => rowId(eventId, row)),
    areas: (block.areas ?? []).map(([area, quantity]) => ({ areaId: areaId(eventId, area), quantity }))
  })
  // A block of ours that is refused is a bug.
  return (yield* Effect.orDie(made)).id
})

const publish = Effect.fnUntraced(function* (eventId: EventId) {
  const catalog = yield* Catalog
  yield* catalog.publish(eventId).pipe(
    // A load that was cut short and is taken up weeks later finds events that are over.
    Effect.catchTag("EventInvalid", () =>
      Effect.logWarning(`the demo event ${eventId} is over before it was published`)
    ),
    Effect.catchTag(["EventNotFound", "EventNotDraft"], Effect.die)
  )
})

/**
 * Loads the season and puts it on sale, once for ever; true where this call finished it. May be cut
 * short anywhere and run by several processes at a time. Fails where the inventory cannot open a sale.
 */
export const load = Effect.fn("DemoSeason.load")(function* () {
  const catalog = yield* Catalog
  if ((yield* settled(marker(loaded))) !== undefined) return false
  yield* settled(mark(begun))
  const begunAtMs = (yield* settled(marker(begun)))?.atMs ?? (yield* Clock.currentTimeMillis)
  for (const venue of venues) {
    const venueId = VenueId.make(yield* once(`venue:${venue.key}`, makeVenue(venue)))
    for (const event of events) {
      if (event.venue !== venue.key) continue
      const create = Effect.map(
        Effect.orDie(catalog.createEvent(newEvent(event, venue, venueId, begunAtMs))),
        ({ id }) => id
      )
      const eventId = EventId.make(yield* once(`event:${event.key}`, create))
      if (event.block !== undefined) yield* once(`block:${event.key}`, makeBlock(eventId, event.block))
      yield* publish(eventId)
    }
  }
  return yield* settled(mark(loaded))
})

/** Loads it, once for ever; a second or two. Who cannot load it serves all the same. */
export const layer = Layer.effectDiscard(
  load().pipe(
    Effect.tap((loaded) => (loaded ? Effect.logInfo("the demo season is on sale") : Effect.void)),
    Effect.retry(Schedule.max([Schedule.exponential("500 millis"), Schedule.recurs(3)])),
    Effect.catchCause((cause) => Effect.logError("the demo season could not be loaded", cause))
  )
)
