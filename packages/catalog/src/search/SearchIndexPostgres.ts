/**
 * Search by Postgres alone: the vocabulary (`SearchWords`) tells what was meant, a full-text index finds it.
 *
 * Work is bounded, whatever is asked. Ranking an event costs some microseconds, so that a word of a hundred thousand
 * events cannot be ranked whole: beyond `maxResults` the soonest are ranked, found in growing windows of days
 * (docs/adr/0025). Few searches run at a time, each on a connection of its own, so that none holds up a sale.
 */
import { EventId } from "@onsale/contracts/Ids"
import { Cache, Duration, Effect, Exit, Layer, Option, Schema, Semaphore } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { settled } from "../CatalogSql.ts"
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
import * as SearchPlan from "./SearchPlan.ts"
import { eventsOf, type Meaning } from "./SearchWords.ts"
import * as SearchWords from "./SearchWords.ts"

/** More at a time would only share the same cores, and take connections from who buys. */
const atOnce = 4
/** Those who wait besides; a queue of a second. */
const waiting = 128
const retryAfterMs = 1_000
/** What takes longer has gone wrong; milliseconds. */
const statementLimit = "2000"

/** The soonest events of a frequent word are spread over a year, unless told better. */
const spreadDays = 365
const dayMs = 86_400_000
const maxWindows = 6
/** Events that are looked at for a filter by price that few pass. */
const maxLookedAt = 6 * maxResults
/** How often words are left out of a query that nothing matches. */
const maxRelaxed = 4

const Row = Schema.Struct({
  id: EventId,
  startsAtMs: Schema.Number,
  /** Null where its price does not fit. */
  score: Schema.NullOr(Schema.Number)
})
type Row = typeof Row.Type
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: EventId })))
const decodeCounts = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ word: Schema.String, events: Schema.Int }))
)

/** With so many nobody asks whether something else was meant. */
const enough = 10
/** How many events there are, roughly: it changes slowly. */
const sizeFor = Duration.seconds(30)

const nothing: Found = { events: [], total: 0, exact: true }

/** Distinct words of a document, as its vocabulary counts them. */
const distinctWords = (document: SearchDocument): Set<string> =>
  new Set(Object.values(partsOf(document)).flat())

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const words = yield* SearchWords.make(sql)
  const sizes = yield* Cache.makeWith(
    (_: "events") =>
      Effect.map(
        sql<{ readonly events: number }>`SELECT greatest(reltuples, 0)::float8 AS events
          FROM pg_class WHERE oid = 'catalog.search_events'::regclass`,
        ([row]) => row?.events ?? 0
      ),
    { capacity: 1, timeToLive: (exit) => (Exit.isSuccess(exit) ? sizeFor : Duration.zero) }
  )
  const running = yield* Semaphore.make(atOnce)
  const places = yield* Semaphore.make(atOnce + waiting)

  const instant = (ms: number) => sql`to_timestamp(${ms}::float8 / 1000)`

  const scored = Effect.fnUntraced(function* (
    query: string,
    ranks: ReadonlyArray<SearchPlan.RankedWords>,
    { price }: SearchRequest,
    fromMs: number,
    toMs: number | null
  ) {
    const score = sql.join(
      " + ",
      false
    )(
      ranks.map(
        ({ factor, query, size }) =>
          sql`${factor * size}::float8 * ts_rank('{0.25,0.5,0.75,1}', words, ${query}::text::tsquery)`
      )
    )
    const fits =
      price === null
        ? sql.literal("true")
        : sql`currency = ${price.currency}::text AND price_to >= ${price.min ?? 0}::bigint
            AND price_from <= ${price.max ?? Number.MAX_SAFE_INTEGER}::bigint`
    // The sum keeps Postgres from going through the events by their start, which looks cheap and never is.
    const rows = yield* sql`
      SELECT event_id::text AS id, extract(epoch FROM starts_at)::float8 * 1000 AS "startsAtMs",
        CASE WHEN ${fits} THEN (${score}) * (1 + 0.4 / name_words) END AS score
      FROM (SELECT * FROM catalog.search_events
        WHERE words @@ ${query}::text::tsquery AND starts_at + interval '0' >= ${instant(fromMs)}
          ${toMs === null ? sql.literal("") : sql`AND starts_at + interval '0' < ${instant(toMs)}`}
        LIMIT ${maxResults + 1}::int) AS matching`
    return yield* decodeRows(rows)
  })

  /** All events behind a query, or the soonest of them where they are too many to rank. */
  const candidates = Effect.fnUntraced(function* (
    meanings: ReadonlyArray<Meaning>,
    city: ReadonlyArray<string>,
    request: SearchRequest,
    total: number
  ) {
    const query = SearchPlan.matching(meanings, city)
    const ranks = SearchPlan.ranked(meanings)
    const fromMs = Math.max(request.nowMs, request.fromMs ?? 0)
    const { toMs } = request
    const days = toMs === null ? spreadDays : Math.max(1, Math.ceil((toMs - fromMs) / dayMs))
    const all = SearchPlan.expected(meanings, total)
    const inRange = toMs === null ? all : all * Math.min(1, days / spreadDays)
    const whole = toMs === null ? null : SearchPlan.within(fromMs, toMs)
    const restricted = (range: string | null) => (range === null ? query : `${query} & ${range}`)

    if (inRange <= 2 * maxResults) {
      const rows = yield* scored(restricted(whole), ranks, request, fromMs, toMs)
      if (rows.length <= maxResults)
        return { rows, fitting: rows.filter(({ score }) => score !== null).length, exact: true }
    }
    const rows: Array<Row> = []
    let fitting = 0
    let start = fromMs
    let length = Math.max(1, Math.ceil((1.3 * maxResults * spreadDays) / Math.max(inRange, 2 * maxResults)))
    for (let window = 1; window <= maxWindows; window++) {
      const end = start + length * dayMs
      const isLast = toMs !== null && end >= toMs
      const until = isLast ? toMs : window === maxWindows ? toMs : end
      const range = until === null ? null : SearchPlan.within(start, until)
      const found = yield* scored(restricted(range), ranks, request, start, until)
      rows.push(...found)
      fitting += found.filter(({ score }) => score !== null).length
      if (found.length > maxResults || fitting >= maxResults || rows.length >= maxLookedAt)
        return { rows, fitting, exact: false }
      if (isLast || until === null || window === maxWindows) return { rows, fitting, exact: true }
      const perDay = rows.length / ((end - fromMs) / dayMs)
      const wanted = perDay === 0 ? length * 8 : Math.ceil((1.2 * (maxResults - fitting)) / perDay)
      start = end
      length = Math.max(length, Math.min(length * 16, wanted))
    }
    return { rows, fitting, exact: false }
  })

  const page = (request: SearchRequest, rows: ReadonlyArray<Row>, exact: boolean): Found => {
    const fitting = rows.flatMap(({ id, score, startsAtMs }) =>
      score === null ? [] : [{ id, score, startsAtMs }]
    )
    // Sums of floats differ in their last places between two plans; what looks the same is the same.
    const rank = (score: number) => Math.round(score * 10_000)
    fitting.sort(
      (a, b) => rank(b.score) - rank(a.score) || a.startsAtMs - b.startsAtMs || (a.id < b.id ? -1 : 1)
    )
    const total = Math.min(maxResults, fitting.length)
    return {
      events: fitting
        .slice(0, maxResults)
        .slice(request.offset, request.offset + request.limit)
        .map(({ id }) => id),
      total,
      exact: exact && fitting.length <= maxResults
    }
  }

  const find = Effect.fnUntraced(function* (request: SearchRequest) {
    const typed = [...new Set(queryWords(request.text))].slice(0, maxWords)
    if (typed.length === 0) return nothing
    const city = [...new Set(queryWords(request.city ?? ""))].slice(0, maxWords)
    const unfinished = /[\p{L}\p{N}\p{M}]$/u.test(request.text)
    // A plan that reads the whole table is never the right one: at most a thousand events are wanted.
    yield* sql`SELECT set_config('enable_seqscan', 'off', true), set_config('statement_timeout', ${statementLimit}, true)`
    const total = yield* Cache.get(sizes, "events")
    const meant = Effect.fnUntraced(function* (doubt: SearchWords.Doubt) {
      const meanings = yield* words.meaningsOf(typed, unfinished, doubt)
      // What is nowhere cannot be asked for; the rest of the query may be enough.
      const somewhere = meanings.filter((meaning) => eventsOf(meaning) > 0)
      return somewhere.length === 0
        ? { meanings: somewhere, rows: [], fitting: 0, exact: true }
        : { meanings: somewhere, ...(yield* candidates(somewhere, city, request, total)) }
    })

    const first = yield* meant("unknown")
    const slips = first.meanings.some(SearchWords.isRare)
    if (first.fitting >= enough || (first.fitting > 0 && !slips))
      return page(request, first.rows, first.exact)
    // Few or none: words that are known may be slips too. What was found as it is stays in front.
    const second = yield* meant(first.fitting > 0 ? "rare" : "all")
    if (first.fitting + second.fitting > 0) {
      const had = new Set(first.rows.map(({ id }) => id))
      const rows = [...first.rows, ...second.rows.filter(({ id }) => !had.has(id))]
      return page(request, rows, first.exact && second.exact)
    }
    const { meanings } = second.meanings.length > 0 ? second : first
    // The most frequent words say the least: without them, something may be left.
    let left = [...meanings].sort((a, b) => eventsOf(a) - eventsOf(b))
    for (let relaxed = 0; relaxed < maxRelaxed && left.length > 1; relaxed++) {
      left = left.slice(0, -1)
      const { exact, fitting, rows } = yield* candidates(left, city, request, total)
      if (fitting > 0) return page(request, rows, exact)
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
            sql`SELECT event_id::text AS id FROM catalog.search_events WHERE starts_at < ${instant(beforeMs)}
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
