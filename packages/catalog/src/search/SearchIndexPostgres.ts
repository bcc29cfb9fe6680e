/**
 * Search by Postgres alone: the vocabulary (`SearchWords`) tells what was meant, a full-text index finds it.
 *
 * Work is bounded, whatever is asked. Ranking an event costs some microseconds, so that a word of a hundred thousand
 * events cannot be ranked whole: beyond `maxResults` the soonest are ranked, found in growing windows of days
 * (docs/adr/0025). An index that is not whole is not asked: `SearchStandIn` answers. Few searches run at a time,
 * on connections of their own, so that none holds up a sale.
 */
import { EventId } from "@onsale/contracts/Ids"
import * as OwnConnections from "@onsale/platform/OwnConnections"
import { Effect, Layer, Metric, Option, Schema, Semaphore } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { instant, settled } from "../CatalogSql.ts"
import type { SearchDocument } from "./SearchDocument.ts"
import * as SearchFinder from "./SearchFinder.ts"
import {
  type Found,
  type FoundEvents,
  SearchIndex,
  type SearchRequest,
  SearchUnavailable
} from "./SearchIndex.ts"
import * as SearchLock from "./SearchLock.ts"
import * as SearchRows from "./SearchRows.ts"
import * as SearchStandIn from "./SearchStandIn.ts"
import * as SearchWords from "./SearchWords.ts"

/** More than they have connections, so that none of these waits for who has its answer. */
const atOnce = 8
/** Those who wait besides; a queue of a second. */
const waiting = 128
const retryAfterMs = 1_000
/** Searches without the index cost a hundred times as much each. */
const standInsAtOnce = 2
/** Those who wait besides; a queue of some seconds. */
const standInsWaiting = 16
/** What takes longer has gone wrong; milliseconds. */
const statementLimit = "2000"

const refused = Metric.counter("onsale_search_refused_total", {
  description:
    "Searches that were refused because too many waited already, by whether the index was asked or what stands in for it",
  incremental: true
})
const refusals = {
  index: Metric.withAttributes(refused, { by: "index" }),
  standIn: Metric.withAttributes(refused, { by: "stand_in" })
}

const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: EventId })))
const decodeCounts = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ word: Schema.String, events: Schema.Int }))
)

interface Queue {
  /** Those who run and those who wait. */
  readonly places: Semaphore.Semaphore
  readonly running: Semaphore.Semaphore
  /** Counts who finds no place. */
  readonly refused: typeof refused
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { find } = yield* Effect.flatMap(
    Effect.orDie(OwnConnections.make(sql, SearchFinder.settings(statementLimit))),
    (own) => SearchFinder.make(own, "catalog")
  )
  const standIn = SearchStandIn.make(sql)
  const byIndexQueue: Queue = {
    running: yield* Semaphore.make(atOnce),
    places: yield* Semaphore.make(atOnce + waiting),
    refused: refusals.index
  }
  const standInQueue: Queue = {
    running: yield* Semaphore.make(standInsAtOnce),
    places: yield* Semaphore.make(standInsAtOnce + standInsWaiting),
    refused: refusals.standIn
  }

  const unavailable = (cause: unknown) => new SearchUnavailable({ retryAfterMs, cause })
  const failing = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError, R>) =>
    Effect.catchIf(effect, SqlError.isSqlError, (cause) => Effect.fail(unavailable(cause)))

  /** Nothing where it was not whole from beginning to end: what is emptied meanwhile would be an answer too. */
  const byIndex = (request: SearchRequest) =>
    find(request).pipe(
      Effect.map(Option.some),
      Effect.catchTag("SearchOutdated", () => Effect.succeed(Option.none<FoundEvents>()))
    )

  /** What has its turn, else `SearchUnavailable`. */
  const inTurn = <A, E, R>(
    { places, refused, running }: Queue,
    step: Effect.Effect<A, E | SqlError.SqlError | Schema.SchemaError, R>
  ) =>
    places
      .withPermitsIfAvailable(1)(
        running.withPermits(1)(step.pipe(Effect.catchIf(Schema.isSchemaError, Effect.die), failing))
      )
      .pipe(
        Effect.flatMap(
          Option.match({
            onNone: () =>
              Effect.andThen(Metric.update(refused, 1), Effect.fail(new SearchUnavailable({ retryAfterMs }))),
            onSome: Effect.succeed
          })
        )
      )

  const searchListed = Effect.fn("SearchIndex.search")(function* (request: SearchRequest) {
    const found = yield* inTurn(byIndexQueue, byIndex(request))
    if (Option.isSome(found)) return found.value
    return yield* inTurn(standInQueue, sql.withTransaction(standIn.find(request)))
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
    const changes = SearchRows.wordCounts(put)
    const add = (word: string, by: number) => changes.set(word, (changes.get(word) ?? 0) + by)
    const write = Effect.gen(function* () {
      yield* SearchLock.hold(sql)
      const before = yield* sql`SELECT word, count(*)::int AS events
        FROM catalog.search_events, unnest(tsvector_to_array(words)) AS word
        WHERE event_id = ANY(${ids}::uuid[]) AND left(word, 1) NOT IN ('#', '@') GROUP BY word`
      for (const { events, word } of yield* decodeCounts(before)) add(word, -events)
      if (remove.length > 0)
        yield* sql`DELETE FROM catalog.search_events WHERE event_id = ANY(${remove}::uuid[])`
      if (put.length > 0) yield* SearchRows.put(sql, "catalog", put)
      yield* SearchWords.count(sql, "catalog", changes)
    })
    yield* sql.withTransaction(write)
  }, settled)

  return SearchIndex.of({
    searchListed,
    search: (request) => Effect.map(searchListed(request), ({ listed: _, ...found }): Found => found),
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
      yield* settled(sql.withTransaction(Effect.andThen(SearchLock.hold(sql), SearchWords.forgetUnused(sql))))
    })
  })
})

export const layer = Layer.effect(SearchIndex, make)
