/**
 * Keeps the search's index like the catalog: reads events anew from the catalog's own tables and puts what it finds
 * into the index, or takes them out of it.
 *
 * It is told which events, never what changed, so that it may be told twice, late and by several: one refreshes at a
 * time, and reads after it has its turn, so that nothing older is ever written over something newer.
 */
import { EventId, type VenueId } from "@onsale/contracts/Ids"
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { instant, settled } from "../CatalogSql.ts"
import * as SearchDocuments from "./SearchDocuments.ts"
import { SearchIndex, type SearchUnavailable } from "./SearchIndex.ts"
import * as SearchLock from "./SearchLock.ts"
import * as SearchState from "./SearchState.ts"
import * as SearchWords from "./SearchWords.ts"

/** Events of one turn: a tenth of a second. */
const batch = 250
const firstId = "00000000-0000-0000-0000-000000000000"

const Ids = Schema.Array(Schema.Struct({ id: EventId }))
const decodeIds = Schema.decodeUnknownEffect(Ids)

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const index = yield* SearchIndex

  const documents = SearchDocuments.make(sql)

  const turn = Effect.fnUntraced(function* (eventIds: ReadonlyArray<EventId>) {
    const nowMs = yield* Clock.currentTimeMillis
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* SearchLock.hold(sql)
        const put = yield* documents({ ids: eventIds, nowMs })
        const there = new Set(put.map(({ eventId }) => eventId))
        yield* index.apply({ put, remove: eventIds.filter((id) => !there.has(id)) })
      })
    )
  }, settled)

  const refresh = Effect.fn("SearchRefresh.refresh")(function* (eventIds: Iterable<EventId>) {
    const ids = [...new Set(eventIds)]
    for (let from = 0; from < ids.length; from += batch) yield* turn(ids.slice(from, from + batch))
  })

  /** Turn by turn through a list of ids in their order. */
  const through = Effect.fnUntraced(function* <E>(
    page: (after: string) => Effect.Effect<ReadonlyArray<EventId>, E>,
    each: (ids: ReadonlyArray<EventId>) => Effect.Effect<void, SearchUnavailable>
  ) {
    let count = 0
    let after = firstId
    for (;;) {
      const ids = yield* page(after)
      const last = ids[ids.length - 1]
      if (last === undefined) return count
      yield* each(ids)
      count += ids.length
      after = last
    }
  })

  const published = (after: string, venueId: VenueId | null) =>
    Effect.gen(function* () {
      const nowMs = yield* Clock.currentTimeMillis
      const rows = yield* sql`SELECT id::text AS id FROM catalog.events
        WHERE state = 'published' AND id > ${after}::uuid AND starts_at > ${instant(sql, nowMs)}
          ${venueId === null ? sql.literal("") : sql`AND venue_id = ${venueId}::uuid`}
        ORDER BY events.id LIMIT ${batch}::int`
      return (yield* decodeIds(rows)).map(({ id }) => id)
    }).pipe(settled)

  /** Those that are not published, or have taken place. */
  const unknown = Effect.fnUntraced(function* (ids: ReadonlyArray<EventId>) {
    const nowMs = yield* Clock.currentTimeMillis
    const rows = yield* sql`SELECT given.id::text AS id FROM unnest(${ids}::uuid[]) AS given (id)
      WHERE NOT EXISTS (SELECT FROM catalog.events e
        WHERE e.id = given.id AND e.state = 'published' AND e.starts_at > ${instant(sql, nowMs)})`
    return (yield* decodeIds(rows)).map(({ id }) => id)
  }, settled)

  return SearchRefresh.of({
    refresh,
    refreshVenue: Effect.fn("SearchRefresh.refreshVenue")(function* (venueId) {
      yield* through((after) => published(after, venueId), refresh)
    }),
    everything: Effect.fn("SearchRefresh.everything")(function* () {
      const before = yield* settled(SearchState.read(sql))
      const count = yield* through((after) => published(after, null), refresh)
      // What is in the index and not in the catalog any more leaves it.
      yield* through(
        (after) => index.eventsAfter(after, batch),
        (ids) => Effect.flatMap(unknown(ids), refresh)
      )
      // Of words that were lost alone no document tells: they are counted.
      if (!before.whole)
        yield* settled(
          sql.withTransaction(
            Effect.all([SearchLock.hold(sql), SearchWords.recount(sql), SearchState.markWhole(sql, before)])
          )
        )
      return count
    })
  })
})

export class SearchRefresh extends Context.Service<
  SearchRefresh,
  {
    /** Reads these events anew, whether they are there, changed or gone. */
    readonly refresh: (eventIds: Iterable<EventId>) => Effect.Effect<void, SearchUnavailable>
    /** The same for all events at a venue. */
    readonly refreshVenue: (venueId: VenueId) => Effect.Effect<void, SearchUnavailable>
    /** Reads all events anew while the index serves, or until it is whole again, and answers how many are in it now. */
    readonly everything: () => Effect.Effect<number, SearchUnavailable>
  }
>()("@onsale/catalog/search/SearchRefresh") {
  /** Over the database and a `SearchIndex`. */
  static readonly layer = Layer.effect(SearchRefresh, make)
}
