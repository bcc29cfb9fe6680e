/**
 * The events behind a query, best first: all of them, or the best of the soonest where they are too many to rank.
 *
 * What costs is not the ranking but the lists of a full-text index: those of a frequent word are as long as the
 * catalogue, in no order of time. So they are read for what is rare only. Else an index that has each word with the
 * four days of its events (`search_keys`) is read span by span until there are enough; and what nearly every event has
 * is found by going through the soonest events themselves.
 */
import { EventId } from "@onsale/contracts/Ids"
import { Cache, Duration, Effect, Exit, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { instant } from "../CatalogSql.ts"
import * as ListedEventRow from "../ListedEventRow.ts"
import { ListedEvent } from "../StoredEvent.ts"
import { endOfSpan, spanMs, spanOf } from "./SearchDocument.ts"
import { maxResults, type SearchRequest } from "./SearchIndex.ts"
import * as SearchPlan from "./SearchPlan.ts"
import * as SearchReading from "./SearchReading.ts"
import type { SearchSchema } from "./SearchRows.ts"
import * as SearchWords from "./SearchWords.ts"

/** Of so many events the lists are read and all are ranked. */
const rare = 2 * maxResults
/** Events that are looked at for a filter by price that few pass. */
const maxPriced = 4 * maxResults
/** Two years, some thirty microseconds each; what is later is found by the lists. */
const maxSpans = 183
/** Events of the fullest span are about that part of all: most events are soon. */
const spansOfAll = 40
/** How many events there are, roughly, or 0 where nobody has counted yet: it changes slowly. */
const sizeFor = Duration.seconds(30)

const Hit = Schema.Struct({
  id: EventId,
  startsAtMs: Schema.Number,
  /** Rounded: sums of floats differ in their last places. Null where its price does not fit. */
  score: Schema.NullOr(Schema.Number),
  /** Null also where it is not on the page. */
  listed: Schema.NullOr(ListedEvent)
})
const Best = Schema.Struct({
  matching: Schema.Number,
  fitting: Schema.Number,
  hits: Schema.NullOr(Schema.Array(Hit))
})

export interface Match {
  readonly id: EventId
  readonly startsAtMs: number
  readonly score: number
  /** What the catalog's tables have of it, for those on the page; null where they do not have it any more. */
  readonly listed: ListedEvent | null
}

export interface Matches {
  /** The best, as many as were asked for. */
  readonly best: ReadonlyArray<Match>
  /** All of them that were ranked. */
  readonly fitting: number
  /** False where there may be more. */
  readonly exact: boolean
}

export const none: Matches = { best: [], fitting: 0, exact: true }

/** Those of a few words and those of more of them, of which the first are all at hand. */
export const merged = (few: Matches, more: Matches): Matches => {
  const had = new Set(more.best.map(({ id }) => id))
  const own = few.best.filter(({ id }) => !had.has(id))
  const best = [...own, ...more.best].sort(
    (a, b) => b.score - a.score || a.startsAtMs - b.startsAtMs || (a.id < b.id ? -1 : 1)
  )
  return { best, fitting: more.fitting + own.length, exact: few.exact && more.exact }
}

export const make = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, schema: SearchSchema) {
  const events = sql.literal(`${schema}.search_events`)
  const read = SearchReading.make(sql, schema)(Schema.Struct({ counted: SearchWords.Words, best: Best }))
  const listed = ListedEventRow.select(sql)
  const sizes = yield* Cache.makeWith(
    (_: "events") =>
      Effect.map(
        sql<{ readonly events: number }>`SELECT greatest(reltuples, 0)::float8 AS events
          FROM pg_class WHERE oid = ${`${schema}.search_events`}::text::regclass`,
        ([row]) => row?.events ?? 0
      ),
    { capacity: 1, timeToLive: (exit) => (Exit.isSuccess(exit) ? sizeFor : Duration.zero) }
  )

  /** `counts`: words with the events they had, where that was not read just now. If that has changed, so may the meanings. */
  const matchesOf = Effect.fnUntraced(function* (
    meanings: ReadonlyArray<SearchWords.Meaning>,
    city: ReadonlyArray<string>,
    request: SearchRequest,
    wanted: number,
    reading: SearchReading.SearchReading,
    counts: ReadonlyMap<string, number>
  ) {
    const { price, toMs } = request
    const fromMs = Math.max(request.nowMs, request.fromMs ?? 0)
    const groups = SearchPlan.groups(meanings, city)
    // A parameter of that type: a cast of text would be made anew for each row.
    const query = sql`${SearchPlan.matching(groups)}::tsquery`
    const from = instant(sql, fromMs)
    const to = toMs === null ? sql.literal("'infinity'::timestamptz") : instant(sql, toMs)
    const limit = price === null ? maxResults + 1 : maxPriced

    /** As a truth and not a comparison, which Postgres would go through the events by their start for: seldom cheap. */
    const inTime = (since: typeof from) => sql`(starts_at >= ${since} AND starts_at < ${to}) IS TRUE`
    const byLists = sql`SELECT * FROM ${events} WHERE words @@ ${query}
      AND ${inTime(from)}`

    const bySpans = () => {
      const first = spanOf(fromMs)
      const last = Math.min(first + maxSpans - 1, toMs === null ? Number.MAX_SAFE_INTEGER : spanOf(toMs - 1))
      const behind = instant(sql, endOfSpan(last))
      const keys = groups.map(
        (words, i) => sql`(SELECT array_agg(hashtextextended(word COLLATE "C", span))
          FROM unnest(${words}::text[]) AS word) AS ${sql.literal(`k${i}`)}`
      )
      const has = groups.map((_, i) => sql.literal(`catalog.search_keys(words, starts_at) && k${i}`))
      const soon = sql`(SELECT event.* FROM
        (SELECT ${sql.csv(keys)} FROM generate_series(${first}::bigint, least(${last}::bigint,
          (SELECT floor(extract(epoch FROM max(starts_at)) * 1000 / ${spanMs}::bigint)::bigint
            FROM ${events}))) AS span) AS spans
        CROSS JOIN LATERAL (SELECT * FROM ${events} WHERE ${sql.and(has)}
          AND ${inTime(from)}
          ORDER BY starts_at LIMIT ${limit}::int) AS event)`
      return toMs !== null && endOfSpan(last) >= toMs
        ? soon
        : sql`${soon} UNION ALL (SELECT * FROM ${events} WHERE words @@ ${query}
            AND ${inTime(behind)}
            AND EXISTS (SELECT FROM ${events} WHERE starts_at >= ${behind})
            ORDER BY starts_at LIMIT ${limit}::int)`
    }

    /** `most`: that many events are gone through. */
    const byStart = (most: number) => sql`SELECT * FROM (SELECT * FROM ${events}
        WHERE starts_at >= ${from} AND starts_at < ${to} ORDER BY starts_at LIMIT ${most}::int) AS soonest
      WHERE words @@ ${query}`

    const score = sql.join(
      " + ",
      false
    )(
      SearchPlan.ranked(meanings).map(
        ({ factor, query, size }) =>
          sql`${factor * size}::float8 * ts_rank('{0.25,0.5,0.75,1}', words, ${query}::tsquery)`
      )
    )
    const fits =
      price === null
        ? sql.literal("true")
        : sql`currency = ${price.currency}::text AND price_to >= ${price.min ?? 0}::bigint
            AND price_from <= ${price.max ?? Number.MAX_SAFE_INTEGER}::bigint`
    const bestOf = Effect.fnUntraced(function* (source: typeof byLists, most: number) {
      const { best, counted } = yield* read(
        reading,
        sql`${SearchWords.counted(sql, schema, [...counts.keys()])} AS counted,
          (SELECT json_build_object('matching', coalesce(max(matching), 0), 'fitting', coalesce(max(fitting), 0),
              'hits', json_agg(json_build_object('id', event_id, 'startsAtMs', extract(epoch FROM starts_at)::float8 * 1000,
                'score', score, 'listed', CASE WHEN place > ${request.offset}::int AND place <= ${request.offset + request.limit}::int THEN (
                  SELECT row_to_json(listed) FROM (${listed} WHERE e.id = placed.event_id) AS listed) END) ORDER BY place))
          FROM (SELECT *, row_number() OVER (ORDER BY score DESC NULLS LAST, starts_at, event_id) AS place
          FROM (SELECT *, count(*) OVER () AS matching, count(score) OVER () AS fitting FROM (SELECT event_id, starts_at,
              CASE WHEN ${fits} THEN round(10000 * (${score}) * (1 + 0.4::float8 / name_words)) END AS score
            FROM (${source} LIMIT ${most}::int) AS matching) AS scored
          ORDER BY score DESC NULLS LAST, starts_at, event_id LIMIT ${wanted}::int) AS found) AS placed) AS best`
      )
      const now = new Map(counted.map(({ events, word }) => [word, events]))
      for (const [word, events] of counts)
        if ((now.get(word) ?? 0) !== events) return yield* new SearchReading.SearchOutdated()
      return {
        best: (best.hits ?? []).flatMap(({ id, listed, score, startsAtMs }) =>
          score === null ? [] : [{ id, listed, score, startsAtMs }]
        ),
        fitting: best.fitting,
        exact: best.matching < most
      } satisfies Matches
    })

    const atMost = SearchPlan.atMost(meanings)
    if (atMost <= rare) return yield* bestOf(byLists, rare + 1)
    const size = yield* Cache.get(sizes, "events")
    // What nearly every event has: to go through them as they start is less work than to read a span of them whole.
    const through = (limit * size) / atMost
    if (groups.length === 1 && through < atMost / spansOfAll) {
      const found = yield* bestOf(byStart(Math.ceil(1.5 * through)), limit)
      if (!found.exact) return found
    }
    return yield* bestOf(bySpans(), limit)
  })

  return { matchesOf }
})
