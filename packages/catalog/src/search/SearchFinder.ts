/**
 * One search: the vocabulary (`SearchWords`) tells what was meant, `SearchMatches` which events have it. Where few or none
 * do, what was typed may be a slip, and at last words are left out.
 */
import { Cache, Duration, Effect, Exit } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { queryWords } from "./Folding.ts"
import { type FoundEvents, maxResults, maxWords, type SearchRequest } from "./SearchIndex.ts"
import * as SearchMatches from "./SearchMatches.ts"
import * as SearchReading from "./SearchReading.ts"
import type { SearchSchema } from "./SearchRows.ts"
import { eventsOf } from "./SearchWords.ts"
import * as SearchWords from "./SearchWords.ts"

/** How often words are left out of a query that nothing matches. */
const maxRelaxed = 4

/** With so many nobody asks whether something else was meant. */
const enough = 10
const nothing: FoundEvents = { events: [], total: 0, exact: true, listed: [] }

/** What many type at a time, for other days or pages: what it means is found out once. */
const rememberedTexts = 1_000
/** As long as whole answers are kept. */
const rememberedFor = Duration.seconds(1)

/**
 * Of sessions that search; `limit` is of a statement, in milliseconds. A plan that reads the whole table is never the right
 * one: at most a thousand events are wanted. As one that is not wanted counts as very long, it would be compiled too.
 */
export const settings = (limit: string) => ({
  statement_timeout: limit,
  enable_seqscan: "off",
  max_parallel_workers_per_gather: "0",
  jit: "off",
  "pg_trgm.similarity_threshold": SearchWords.similarity
})

/** The same for a transaction. */
export const set = (sql: SqlClient.SqlClient, limit: string): Statement.Statement<unknown> =>
  sql`SELECT ${sql.csv(Object.entries(settings(limit)).map(([name, value]) => sql`set_config(${name}, ${value}, true)`))}`

const page = (request: SearchRequest, { best, exact, fitting }: SearchMatches.Matches): FoundEvents => {
  const shown = best.slice(0, maxResults).slice(request.offset, request.offset + request.limit)
  return {
    events: shown.map(({ id }) => id),
    total: Math.min(maxResults, fitting),
    exact: exact && fitting <= maxResults,
    listed: shown.flatMap(({ listed }) => listed ?? [])
  }
}

const noCounts: ReadonlyMap<string, number> = new Map()

/** For a client whose sessions have `settings`, or within a transaction that has them. */
export const make = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, schema: SearchSchema) {
  const words = yield* SearchWords.make(sql, schema)
  const { matchesOf } = yield* SearchMatches.make(sql, schema)

  /** What is said of it before it is doubted. What leads nowhere is not remembered: an event may come that has it. */
  const firstMeanings = yield* Cache.makeWith(
    Effect.fnUntraced(function* (key: string) {
      const [end, ...typed] = key.split(" ")
      const reading = SearchReading.begin()
      const meanings = yield* words.meaningsOf(
        typed,
        end === "unfinished",
        "unknown",
        SearchWords.lookedUp(),
        reading
      )
      return { meanings, losses: reading.losses }
    }),
    {
      capacity: rememberedTexts,
      timeToLive: (exit) =>
        Exit.isSuccess(exit) && exit.value.meanings.some((meaning) => eventsOf(meaning) > 0)
          ? rememberedFor
          : Duration.zero
    }
  )

  /** `counts`: of the words of the first meanings, where they may have been remembered. */
  const findWith = Effect.fnUntraced(function* (
    request: SearchRequest,
    typed: ReadonlyArray<string>,
    unfinished: boolean,
    all: ReadonlyArray<SearchWords.Meaning>,
    reading: SearchReading.SearchReading,
    counts: ReadonlyMap<string, number>
  ) {
    const city = [...new Set(queryWords(request.city ?? ""))].slice(0, maxWords)
    // What is merged below has to be there whole.
    const wanted = Math.min(maxResults, Math.max(enough, request.offset + request.limit))
    const looked = SearchWords.lookedUp(all)
    // What is nowhere cannot be asked for; the rest of the query may be enough.
    const somewhere = (meanings: ReadonlyArray<SearchWords.Meaning>) =>
      meanings.filter((meaning) => eventsOf(meaning) > 0)
    const matching = (meanings: ReadonlyArray<SearchWords.Meaning>, counts = noCounts) =>
      meanings.length === 0
        ? Effect.succeed(SearchMatches.none)
        : matchesOf(meanings, city, request, wanted, reading, counts)

    const first = somewhere(all)
    const found = yield* matching(first, counts)
    const some = found.fitting
    if (some >= enough || (some > 0 && !first.some(SearchWords.isRare))) return page(request, found)
    // Few or none: words that are known may be slips too.
    const doubt = some > 0 ? "rare" : "all"
    const second = somewhere(yield* words.meaningsOf(typed, unfinished, doubt, looked, reading))
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
      const matches = yield* matching(left)
      if (matches.fitting > 0) return page(request, matches)
    }
    return nothing
  })

  /** `SearchOutdated` where the index is not whole, or was lost meanwhile. */
  const find = Effect.fnUntraced(function* (request: SearchRequest) {
    const typed = [...new Set(queryWords(request.text))].slice(0, maxWords)
    if (typed.length === 0) return nothing
    const unfinished = /[\p{L}\p{N}\p{M}]$/u.test(request.text)
    const key = `${unfinished ? "unfinished" : "finished"} ${typed.join(" ")}`
    const { losses, meanings } = yield* Cache.get(firstMeanings, key)
    const remembered = SearchReading.begin(losses)
    return yield* findWith(
      request,
      typed,
      unfinished,
      meanings,
      remembered,
      SearchWords.countsOf(meanings)
    ).pipe(
      // What was remembered is not so any more: once more with what is.
      Effect.catchTag("SearchOutdated", () =>
        Effect.gen(function* () {
          yield* Cache.invalidate(firstMeanings, key)
          const { losses, meanings } = yield* Cache.get(firstMeanings, key)
          const reading = SearchReading.begin(losses)
          return yield* findWith(request, typed, unfinished, meanings, reading, noCounts)
        })
      )
    )
  })

  return { find }
})
