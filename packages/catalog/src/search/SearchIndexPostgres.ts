/**
 * Search by Postgres alone: the vocabulary (`SearchWords`) tells what was meant, a full-text index finds it.
 *
 * Work is bounded, whatever is asked. Ranking an event costs some microseconds, so that a word of a hundred thousand
 * events cannot be ranked whole: beyond `maxResults` the soonest are ranked, found in growing windows of days
 * (docs/adr/0025). Few searches run at a time, each on a connection of its own, so that none holds up a sale.
 */
import { EventId } from "@onsale/contracts/Ids"
import { Effect, Layer, Option, Schema, Semaphore } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { instant, settled } from "../CatalogSql.ts"
import { queryWords } from "./Folding.ts"
import { partsOf, type SearchDocument, toVector } from "./SearchDocument.ts"
import {
  type Found,
  maxResults,
  maxWords,
  SearchIndex,
  type SearchRequest,
  SearchUnavailable
} from "./SearchIndex.ts"
import * as SearchLock from "./SearchLock.ts"
import * as SearchMatches from "./SearchMatches.ts"
import { eventsOf } from "./SearchWords.ts"
import * as SearchWords from "./SearchWords.ts"

/** More at a time would only share the same cores, and take connections from who buys. */
const atOnce = 4
/** Those who wait besides; a queue of a second. */
const waiting = 128
const retryAfterMs = 1_000
/** What takes longer has gone wrong; milliseconds. */
const statementLimit = "2000"

/** How often words are left out of a query that nothing matches. */
const maxRelaxed = 4

const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: EventId })))
const decodeCounts = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ word: Schema.String, events: Schema.Int }))
)

/** With so many nobody asks whether something else was meant. */
const enough = 10
const nothing: Found = { events: [], total: 0, exact: true }

/** Distinct words of a document, as its vocabulary counts them. */
const distinctWords = (document: SearchDocument): Set<string> =>
  new Set(Object.values(partsOf(document)).flat())

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const words = yield* SearchWords.make(sql)
  const { matchesOf } = yield* SearchMatches.make(sql)
  const running = yield* Semaphore.make(atOnce)
  const places = yield* Semaphore.make(atOnce + waiting)

  const page = (request: SearchRequest, { best, exact, fitting }: SearchMatches.Matches): Found => ({
    events: best
      .slice(0, maxResults)
      .slice(request.offset, request.offset + request.limit)
      .map(({ id }) => id),
    total: Math.min(maxResults, fitting),
    exact: exact && fitting <= maxResults
  })

  const find = Effect.fnUntraced(function* (request: SearchRequest) {
    const typed = [...new Set(queryWords(request.text))].slice(0, maxWords)
    if (typed.length === 0) return nothing
    const city = [...new Set(queryWords(request.city ?? ""))].slice(0, maxWords)
    const unfinished = /[\p{L}\p{N}\p{M}]$/u.test(request.text)
    // A plan that reads the whole table is never the right one: at most a thousand events are wanted.
    yield* sql`SELECT set_config('enable_seqscan', 'off', true),
      set_config('max_parallel_workers_per_gather', '0', true), set_config('statement_timeout', ${statementLimit}, true)`
    // What is merged below has to be there whole.
    const wanted = Math.min(maxResults, Math.max(enough, request.offset + request.limit))
    const looked: SearchWords.LookedUp = new Map()
    // What is nowhere cannot be asked for; the rest of the query may be enough.
    const meant = (doubt: SearchWords.Doubt) =>
      Effect.map(words.meaningsOf(typed, unfinished, doubt, looked), (meanings) =>
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

  const unavailable = (cause: unknown) => new SearchUnavailable({ retryAfterMs, cause })
  const failing = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError, R>) =>
    Effect.catchIf(effect, SqlError.isSqlError, (cause) => Effect.fail(unavailable(cause)))

  const search = Effect.fn("SearchIndex.search")(function* (request: SearchRequest) {
    const found = yield* places.withPermitsIfAvailable(1)(
      running.withPermits(1)(
        sql.withTransaction(find(request)).pipe(Effect.catchTag("SchemaError", Effect.die), failing)
      )
    )
    return yield* Option.match(found, {
      onNone: () => Effect.fail(new SearchUnavailable({ retryAfterMs })),
      onSome: Effect.succeed
    })
  })

  const apply = Effect.fn("SearchIndex.apply")(function* ({
    put,
    remove
  }: {
    readonly put: ReadonlyArray<SearchDocument>
    readonly remove: ReadonlyArray<EventId>
  }) {
    const ids = [...put.map(({ eventId }) => eventId), ...remove]
    if (ids.length === 0) return
    const changes = new Map<string, number>()
    const add = (word: string, by: number) => changes.set(word, (changes.get(word) ?? 0) + by)
    for (const document of put) for (const word of distinctWords(document)) add(word, 1)
    const rows = put.map((document) => ({
      id: document.eventId,
      startsAtMs: document.startsAtMs,
      currency: document.currency,
      priceFrom: document.priceFrom,
      priceTo: document.priceTo,
      ...toVector(document)
    }))
    const write = Effect.gen(function* () {
      yield* SearchLock.hold(sql)
      const before = yield* sql`SELECT word, count(*)::int AS events
        FROM catalog.search_events, unnest(tsvector_to_array(words)) AS word
        WHERE event_id = ANY(${ids}::uuid[]) AND left(word, 1) NOT IN ('#', '@') GROUP BY word`
      for (const { events, word } of yield* decodeCounts(before)) add(word, -events)
      if (remove.length > 0)
        yield* sql`DELETE FROM catalog.search_events WHERE event_id = ANY(${remove}::uuid[])`
      if (rows.length > 0) {
        yield* sql`INSERT INTO catalog.search_events AS known
            (event_id, starts_at, currency, price_from, price_to, name_words, words)
          SELECT id, to_timestamp("startsAtMs" / 1000), currency, "priceFrom", "priceTo", "nameWords", vector::tsvector
          FROM json_to_recordset(${JSON.stringify(rows)}::json) AS document (id uuid, "startsAtMs" float8,
            currency text, "priceFrom" bigint, "priceTo" bigint, "nameWords" smallint, vector text)
          ON CONFLICT (event_id) DO UPDATE SET starts_at = excluded.starts_at, currency = excluded.currency,
            price_from = excluded.price_from, price_to = excluded.price_to, name_words = excluded.name_words,
            words = excluded.words
          WHERE (known.starts_at, known.currency, known.price_from, known.price_to, known.name_words, known.words)
            IS DISTINCT FROM (excluded.starts_at, excluded.currency, excluded.price_from, excluded.price_to,
              excluded.name_words, excluded.words)`
      }
      yield* words.count(changes)
    })
    yield* sql.withTransaction(write)
  }, settled)

  return SearchIndex.of({
    search,
    apply,
    eventsAfter: Effect.fn("SearchIndex.eventsAfter")(function* (after, limit) {
      const rows = yield* sql`SELECT event_id::text AS id FROM catalog.search_events
        WHERE event_id > ${after}::uuid ORDER BY event_id LIMIT ${limit}::int`
      return (yield* decodeIds(rows)).map(({ id }) => id)
    }, settled),
    count: Effect.flatMap(
      sql`SELECT count(*)::int AS events, '' AS word FROM catalog.search_events`,
      decodeCounts
    ).pipe(
      Effect.map((rows) => rows[0]?.events ?? 0),
      settled
    ),
    sweep: Effect.fn("SearchIndex.sweep")(function* (beforeMs) {
      for (;;) {
        const past = yield* settled(
          Effect.flatMap(
            sql`SELECT event_id::text AS id FROM catalog.search_events WHERE starts_at < ${instant(sql, beforeMs)}
              ORDER BY starts_at LIMIT 500`,
            decodeIds
          )
        )
        if (past.length === 0) break
        yield* apply({ put: [], remove: past.map(({ id }) => id) })
      }
      yield* settled(words.forgetUnused)
    })
  })
})

export const layer = Layer.effect(SearchIndex, make)
