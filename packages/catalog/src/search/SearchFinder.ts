/**
 * One search: the vocabulary (`SearchWords`) tells what was meant, `SearchMatches` which events have it. Where few or none
 * do, what was typed may be a slip, and at last words are left out.
 */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { queryWords } from "./Folding.ts"
import { type Found, maxResults, maxWords, type SearchRequest } from "./SearchIndex.ts"
import * as SearchMatches from "./SearchMatches.ts"
import type { SearchSchema } from "./SearchRows.ts"
import { eventsOf } from "./SearchWords.ts"
import * as SearchWords from "./SearchWords.ts"

/** How often words are left out of a query that nothing matches. */
const maxRelaxed = 4

/** With so many nobody asks whether something else was meant. */
const enough = 10
const nothing: Found = { events: [], total: 0, exact: true }

/**
 * Of a transaction that searches; `limit` is of a statement, in milliseconds. A plan that reads the whole table is never
 * the right one: at most a thousand events are wanted.
 */
export const settings = (sql: SqlClient.SqlClient, limit: string): Statement.Fragment =>
  sql`set_config('statement_timeout', ${limit}, true), set_config('enable_seqscan', 'off', true),
    set_config('max_parallel_workers_per_gather', '0', true)`

export const make = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, schema: SearchSchema) {
  const words = yield* SearchWords.make(sql, schema)
  const { matchesOf } = yield* SearchMatches.make(sql, schema)

  const page = (request: SearchRequest, { best, exact, fitting }: SearchMatches.Matches): Found => ({
    events: best
      .slice(0, maxResults)
      .slice(request.offset, request.offset + request.limit)
      .map(({ id }) => id),
    total: Math.min(maxResults, fitting),
    exact: exact && fitting <= maxResults
  })

  /** In a transaction with `settings`. `losses`: of the index, when the search began. */
  const find = Effect.fnUntraced(function* (request: SearchRequest, losses: number) {
    const typed = [...new Set(queryWords(request.text))].slice(0, maxWords)
    if (typed.length === 0) return nothing
    const city = [...new Set(queryWords(request.city ?? ""))].slice(0, maxWords)
    const unfinished = /[\p{L}\p{N}\p{M}]$/u.test(request.text)
    // What is merged below has to be there whole.
    const wanted = Math.min(maxResults, Math.max(enough, request.offset + request.limit))
    const looked: SearchWords.LookedUp = new Map()
    // What is nowhere cannot be asked for; the rest of the query may be enough.
    const meant = (doubt: SearchWords.Doubt) =>
      Effect.map(words.meaningsOf(typed, unfinished, doubt, looked, losses), (meanings) =>
        meanings.filter((meaning) => eventsOf(meaning) > 0)
      )
    const matching = (meanings: ReadonlyArray<SearchWords.Meaning>) =>
      meanings.length === 0 ? Effect.succeed(SearchMatches.none) : matchesOf(meanings, city, request, wanted)

    const first = yield* meant("unknown")
    const found = yield* matching(first)
    const some = found.fitting
    if (some >= enough || (some > 0 && !first.some(SearchWords.isRare))) return page(request, found)
    // Few or none: words that are known may be slips too.
    const second = yield* meant(some > 0 ? "rare" : "all")
    if (SearchWords.areSame(first, second)) {
      if (some > 0) return page(request, found)
    } else {
      const more = yield* matching(second)
      if (some + more.fitting > 0) return page(request, SearchMatches.merged(found, more))
    }
    const meanings = second.length > 0 ? second : first
    // The most frequent words say the least: without them, something may be left.
    let left = [...meanings].sort((a, b) => eventsOf(a) - eventsOf(b))
    for (let relaxed = 0; relaxed < maxRelaxed && left.length > 1; relaxed++) {
      left = left.slice(0, -1)
      const matches = yield* matchesOf(left, city, request, wanted)
      if (matches.fitting > 0) return page(request, matches)
    }
    return nothing
  })

  return { find, count: words.count, forgetUnused: words.forgetUnused }
})
