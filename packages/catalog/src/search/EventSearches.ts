/** Search as the public sees it: the index says which events, the catalog's own tables what they are. */
import type { EventSearch, EventSearchPage } from "@onsale/contracts/catalog/EventSearch"
import type { EventId } from "@onsale/contracts/Ids"
import { Clock, Context, DateTime, Effect, Layer } from "effect"
import { EventStore } from "../EventStore.ts"
import { toSummary } from "../EventView.ts"
import type { ListedEvent } from "../StoredEvent.ts"
import { SearchIndex, type SearchUnavailable } from "./SearchIndex.ts"
import * as UpcomingEvents from "./UpcomingEvents.ts"

const defaultSize = 10

const millis = (instant: string | undefined): number | null =>
  instant === undefined ? null : DateTime.toEpochMillis(DateTime.makeUnsafe(instant))

const make = Effect.gen(function* () {
  const index = yield* SearchIndex
  const store = yield* EventStore
  const coming = yield* UpcomingEvents.make

  /** In that order; `listed` has been read. One that was taken back, or has begun, since its id was found is not shown. */
  const shown = Effect.fnUntraced(function* (
    ids: ReadonlyArray<EventId>,
    listed: ReadonlyArray<ListedEvent>,
    nowMs: number
  ) {
    const known = new Map(listed.map((event) => [event.id, event]))
    const unread = ids.filter((id) => !known.has(id))
    if (unread.length > 0) for (const event of yield* store.listed(unread)) known.set(event.id, event)
    return ids.flatMap((id) => {
      const event = known.get(id)
      return event === undefined || event.state !== "published" || event.startsAtMs <= nowMs
        ? []
        : [toSummary(event, nowMs)]
    })
  })

  return EventSearches.of({
    upcoming: Effect.fn("EventSearches.upcoming")(function* ({ page, size }) {
      const { ids, total } = yield* coming.page((page - 1) * size, size)
      return { events: yield* shown(ids, [], yield* Clock.currentTimeMillis), total }
    }),
    descriptions: (ids) => (ids.length === 0 ? Effect.succeed(new Map()) : coming.descriptions(ids)),
    search: Effect.fn("EventSearches.search")(function* (query) {
      const nowMs = yield* Clock.currentTimeMillis
      const page = query.page ?? 1
      const size = query.size ?? defaultSize
      const { events, exact, listed, total } = yield* index.searchListed({
        text: query.q,
        nowMs,
        fromMs: millis(query.from),
        toMs: millis(query.to),
        city: query.city ?? null,
        price:
          query.currency === undefined
            ? null
            : { currency: query.currency, min: query.minPrice ?? null, max: query.maxPrice ?? null },
        offset: (page - 1) * size,
        limit: size
      })
      return {
        events: yield* shown(events, listed, nowMs),
        total,
        totalIsExact: exact,
        page,
        size
      }
    })
  })
})

export class EventSearches extends Context.Service<
  EventSearches,
  {
    readonly search: (query: EventSearch) => Effect.Effect<EventSearchPage, SearchUnavailable>
    /** Those that are to come, the next first; 1,000 at the most are counted and shown. What is new shows within a second. */
    readonly upcoming: (page: {
      readonly page: number
      readonly size: number
    }) => Effect.Effect<Pick<EventSearchPage, "events" | "total">>
    /** By the id of the event; of what an organiser wrote, in one question. */
    readonly descriptions: (ids: ReadonlyArray<EventId>) => Effect.Effect<ReadonlyMap<EventId, string>>
  }
>()("@onsale/catalog/search/EventSearches") {
  /** Over the database and a `SearchIndex`. */
  static readonly layer = Layer.effect(EventSearches, make)
}
