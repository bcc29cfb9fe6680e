/** What calendars and search engines read of the events that the public sees, straight from the tables. */
import { EventId, type VenueId } from "@onsale/contracts/Ids"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import { instant, settled } from "./CatalogSql.ts"
import { millisOf } from "./EventRow.ts"

/** An event as a calendar has it. Times are milliseconds since 1970. */
export const CalendarEvent = Schema.Struct({
  id: EventId,
  name: Schema.String,
  venue: Schema.Struct({ name: Schema.String, location: Schema.String }),
  startsAtMs: Schema.Int,
  cancelled: Schema.Boolean,
  /** Grows with each change. */
  revision: Schema.Int,
  changedAtMs: Schema.Int
})
export type CalendarEvent = typeof CalendarEvent.Type

/** The address of an event for search engines. */
export interface SitemapEntry {
  readonly id: EventId
  readonly changedAtMs: number
}

/** What a sitemap may have at the most (sitemaps.org). */
export const eventsAPage = 50_000

const SitemapPage = Schema.Struct({ page: Schema.Int, changedAtMs: Schema.Int })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The last fact of an event is the newest of its changes that the public can see.
  const changedAt = sql.literal(
    millisOf(`greatest(e.published_at, e.cancelled_at,
      (SELECT j.at FROM catalog.journal j WHERE j.stream = e.id ORDER BY j.version DESC LIMIT 1))`)
  )
  const calendarColumns = sql`e.id::text AS id, e.name,
    json_build_object('name', v.name, 'location', v.location) AS venue,
    ${sql.literal(millisOf("e.starts_at"))} AS "startsAtMs", e.state = 'cancelled' AS cancelled, e.revision,
    ${changedAt} AS "changedAtMs"`
  /** In pages by their number: where one event comes or goes, the others stay on theirs. */
  const page = sql.literal(`((e.number - 1) / ${eventsAPage})`)

  const find = SqlSchema.findOneOption({
    Request: EventId,
    Result: CalendarEvent,
    execute: (id) => sql`SELECT ${calendarColumns}
      FROM catalog.events e JOIN catalog.venues v ON v.id = e.venue_id
      WHERE e.id = ${id}::uuid AND e.state <> 'draft'`
  })

  const findVenue = SqlSchema.findOneOption({
    Request: Schema.String,
    Result: Schema.Struct({ name: Schema.String }),
    execute: (id) => sql`SELECT name FROM catalog.venues WHERE id = ${id}::uuid`
  })

  const findOfVenue = SqlSchema.findAll({
    Request: Schema.Struct({ venueId: Schema.String, fromMs: Schema.Int, limit: Schema.Int }),
    Result: CalendarEvent,
    execute: ({ fromMs, limit, venueId }) => sql`SELECT ${calendarColumns}
      FROM catalog.events e JOIN catalog.venues v ON v.id = e.venue_id
      WHERE e.venue_id = ${venueId}::uuid AND e.state <> 'draft' AND e.starts_at >= ${instant(sql, fromMs)}
      ORDER BY e.starts_at, e.id LIMIT ${limit}::int`
  })

  const findPages = SqlSchema.findAll({
    Request: Schema.Int,
    Result: SitemapPage,
    execute: (fromMs) => sql`SELECT ${page} AS page, max(${changedAt}) AS "changedAtMs"
      FROM catalog.events e WHERE e.state <> 'draft' AND e.starts_at >= ${instant(sql, fromMs)}
      GROUP BY 1 ORDER BY 1`
  })

  const findEntries = SqlSchema.findAll({
    Request: Schema.Struct({ page: Schema.Int, fromMs: Schema.Int }),
    Result: Schema.Struct({ id: EventId, changedAtMs: Schema.Int }),
    execute: ({ fromMs, page }) => sql`SELECT e.id::text AS id, ${changedAt} AS "changedAtMs"
      FROM catalog.events e
      WHERE e.number > ${page * eventsAPage}::int AND e.number <= ${(page + 1) * eventsAPage}::int
        AND e.state <> 'draft' AND e.starts_at >= ${instant(sql, fromMs)}
      ORDER BY e.number`
  })

  return PublicEvents.of({
    find: Effect.fn("PublicEvents.find")(function* (eventId: EventId) {
      return Option.getOrNull(yield* find(eventId))
    }, settled),
    ofVenue: Effect.fn("PublicEvents.ofVenue")(function* (venueId: VenueId, fromMs: number, limit: number) {
      const venue = Option.getOrNull(yield* findVenue(venueId))
      if (venue === null) return null
      return { name: venue.name, events: yield* findOfVenue({ venueId, fromMs, limit }) }
    }, settled),
    sitemapPages: Effect.fn("PublicEvents.sitemapPages")((fromMs) => settled(findPages(fromMs))),
    sitemapPage: Effect.fn("PublicEvents.sitemapPage")((page, fromMs) =>
      settled(findEntries({ page, fromMs }))
    )
  })
})

export class PublicEvents extends Context.Service<
  PublicEvents,
  {
    /** Null for a draft, too. */
    readonly find: (eventId: EventId) => Effect.Effect<CalendarEvent | null>
    /** The events of a venue that start then or later, the cancelled too, the first ones at most `limit`; null where there is no such venue. */
    readonly ofVenue: (
      venueId: VenueId,
      fromMs: number,
      limit: number
    ) => Effect.Effect<{ readonly name: string; readonly events: ReadonlyArray<CalendarEvent> } | null>
    /** The pages (from 0) that have events which start then or later, and when one of these has changed last. */
    readonly sitemapPages: (fromMs: number) => Effect.Effect<ReadonlyArray<typeof SitemapPage.Type>>
    /** Of a page, at most {@link eventsAPage}. */
    readonly sitemapPage: (page: number, fromMs: number) => Effect.Effect<ReadonlyArray<SitemapEntry>>
  }
>()("@onsale/catalog/PublicEvents") {
  static readonly layer = Layer.effect(PublicEvents, make)
}
