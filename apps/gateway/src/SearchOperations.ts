/** Search, whoever carries the request. */
import { EventSearches } from "@onsale/catalog/search/EventSearches"
import type { EventSearch } from "@onsale/contracts/catalog/EventSearch"
import { Overloaded } from "@onsale/contracts/http/Problems"
import { Effect } from "effect"

export const make = Effect.map(EventSearches, (searches) => ({
  upcoming: searches.upcoming,
  descriptions: searches.descriptions,

  events: (query: EventSearch) =>
    searches.search(query).pipe(
      // One that fails for another reason than too much to do is worth a line.
      Effect.tapError(({ cause }) =>
        cause === undefined ? Effect.void : Effect.logWarning("a search was not answered", cause)
      ),
      Effect.mapError(
        ({ cause, retryAfterMs }) =>
          new Overloaded({
            retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)),
            ...(cause === undefined ? {} : { reason: "unavailable" })
          })
      )
    )
}))
