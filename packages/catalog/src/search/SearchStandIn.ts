/**
 * Stands in for an index that is not whole: the documents of all events that are to come, read from the catalog's own
 * tables into temporary ones of the same shape, where the same search is made. Slower, and the same answer.
 */
import { EventId } from "@onsale/contracts/Ids"
import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { instant } from "../CatalogSql.ts"
import * as SearchDocuments from "./SearchDocuments.ts"
import * as SearchFinder from "./SearchFinder.ts"
import { type SearchRequest, SearchUnavailable } from "./SearchIndex.ts"
import * as SearchRows from "./SearchRows.ts"
import * as SearchWords from "./SearchWords.ts"

/** Read for each search, in some tenths of a second. Some of more events would be another answer than all of them. */
const maxEvents = 2_000
/** Milliseconds a statement. */
const statementLimit = "5000"
/** An index of more events takes so long at least until it is whole. */
const retryAfterMs = 5_000

const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: EventId })))

export const make = (sql: SqlClient.SqlClient) => {
  const documents = SearchDocuments.make(sql)
  /** In a transaction, at whose end the tables go. `SearchUnavailable` where there are too many events. */
  const find = Effect.fn("SearchStandIn.find")(function* (request: SearchRequest) {
    yield* sql`SELECT set_config('statement_timeout', ${statementLimit}, true)`
    const rows = yield* sql`SELECT id::text AS id FROM catalog.events
      WHERE state = 'published' AND starts_at > ${instant(sql, request.nowMs)} LIMIT ${maxEvents + 1}::int`
    const ids = (yield* decodeIds(rows)).map(({ id }) => id)
    if (ids.length > maxEvents) return yield* Effect.fail(new SearchUnavailable({ retryAfterMs }))
    for (const table of ["search_events", "search_words"])
      yield* sql`CREATE TEMPORARY TABLE ${sql.literal(table)} (LIKE catalog.${sql.literal(table)} INCLUDING ALL)
        ON COMMIT DROP`
    const { find } = yield* SearchFinder.make(sql, "pg_temp")
    const there = yield* documents({ ids, nowMs: request.nowMs })
    yield* SearchRows.put(sql, "pg_temp", there)
    yield* SearchWords.count(sql, "pg_temp", SearchRows.wordCounts(there))
    // Only now: the catalog's tables may be read whole.
    yield* SearchFinder.set(sql, statementLimit)
    // Nobody else writes into it.
    return yield* Effect.catchTag(find(request), "SearchOutdated", Effect.die)
  })
  return { find }
}
