/**
 * An index of events that people search in: forgiving about typing, case, accents and the order of words.
 *
 * It is a copy. What is in it was read from the catalog by `SearchRefresh`, and is read again when it is lost; no
 * decision rests on it. `packages/testing/src/SearchIndexSuite.ts` says what every implementation must do.
 */
import type { EventId } from "@onsale/contracts/Ids"
import { Context, type Effect, Schema } from "effect"
import type { ListedEvent } from "../StoredEvent.ts"
import type { SearchDocument } from "./SearchDocument.ts"

/** Too many search at once, or the index does not answer. Nothing else is affected; try again after that. */
export class SearchUnavailable extends Schema.TaggedError<SearchUnavailable>()("SearchUnavailable", {
  retryAfterMs: Schema.Int,
  cause: Schema.optional(Schema.Defect())
}) {}

/** Results beyond are neither counted nor shown: who has not found it among 500 types another word. */
export const maxResults = 500

/** Words of a query that count. */
export const maxWords = 12

export interface SearchRequest {
  /** As it was typed. Where it does not end with a space, its last word may be unfinished. */
  readonly text: string
  /** Milliseconds since 1970: only what starts later is found. */
  readonly nowMs: number
  /** Events that start then or later, and before. */
  readonly fromMs: number | null
  readonly toMs: number | null
  /** All words of it stand in the location of the venue, as they are: nobody means another city. */
  readonly city: string | null
  /** Events in that currency with a price in the range (minor units, both ends count). */
  readonly price: {
    readonly currency: string
    readonly min: number | null
    readonly max: number | null
  } | null
  readonly offset: number
  readonly limit: number
}

export interface Found {
  /** Best first, then by their start, then by their id. */
  readonly events: ReadonlyArray<EventId>
  /** How many there are, `maxResults` at the most. */
  readonly total: number
  /** False where there may be more than `total`. */
  readonly exact: boolean
}

/** The same with what the catalog's tables have of those events, as far as the index has read it with them. */
export interface FoundEvents extends Found {
  readonly listed: ReadonlyArray<ListedEvent>
}

export class SearchIndex extends Context.Service<
  SearchIndex,
  {
    readonly search: (request: SearchRequest) => Effect.Effect<Found, SearchUnavailable>
    /** The same, for who shows them. */
    readonly searchListed: (request: SearchRequest) => Effect.Effect<FoundEvents, SearchUnavailable>
    /**
     * Puts documents in the place of what is known of their events, and removes events; once more changes nothing.
     * To be called by one at a time, as `SearchRefresh` does.
     */
    readonly apply: (change: {
      readonly put: ReadonlyArray<SearchDocument>
      readonly remove: ReadonlyArray<EventId>
    }) => Effect.Effect<void, SearchUnavailable>
    /** The events that it has, in the order of their ids, behind one. */
    readonly eventsAfter: (
      after: string,
      limit: number
    ) => Effect.Effect<ReadonlyArray<EventId>, SearchUnavailable>
    readonly count: Effect.Effect<number, SearchUnavailable>
    /** Forgets events that started before that time, and words that no event has. */
    readonly sweep: (beforeMs: number) => Effect.Effect<void, SearchUnavailable>
  }
>()("@onsale/catalog/search/SearchIndex") {}
