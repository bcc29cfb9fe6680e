/** Search as the public sees it: the index says which events, the catalog's own tables what they are. */
import type { EventSearch, EventSearchPage } from "@onsale/contracts/catalog/EventSearch"
import { Clock, Context, DateTime, Effect, Layer } from "effect"
import { EventStore } from "../EventStore.ts"
import { toSummary } from "../EventView.ts"
import { SearchIndex, type SearchUnavailable } from "./SearchIndex.ts"

const defaultSize = 10

const millis = (instant: string | undefined): number | null =>
  instant === undefined ? null : DateTime.toEpochMillis(DateTime.makeUnsafe(instant))

const make = Effect.gen(function* () {
  const index = yield* SearchIndex
  const store = yield* EventStore
  return EventSearches.of({
    search: Effect.fn("EventSearches.search")(function* (query) {
      const nowMs = yield* Clock.currentTimeMillis
      const page = query.page ?? 1
      const size = query.size ?? defaultSize
      const { events, exact, total } = yield* index.search({
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
      // One that was taken back since the index heard of it is not shown; the next refresh takes it out.
      const listed = events.length === 0 ? [] : yield* store.listed(events)
      const known = new Map(listed.map((event) => [event.id, event]))
      return {
        events: events.flatMap((id) => {
          const event = known.get(id)
          return event === undefined || event.state !== "published" || event.startsAtMs <= nowMs
            ? []
            : [toSummary(event, nowMs)]
        }),
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
  { readonly search: (query: EventSearch) => Effect.Effect<EventSearchPage, SearchUnavailable> }
>()("@onsale/catalog/search/EventSearches") {
  /** Over the database and a `SearchIndex`. */
  static readonly layer = Layer.effect(EventSearches, make)
}
