/**
 * What one search reads of the index. Each statement tells the state of the index that it saw, so that none is needed to
 * read it before and after: Postgres takes a statement's view of the rows when it has its locks on the tables, and a loss
 * is written by the transaction that loses something. So what was emptied is either seen with its loss or not seen as empty.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import type { SearchSchema } from "./SearchRows.ts"

/** The index is not whole, or what was read of it before is not so any more. */
export class SearchOutdated extends Schema.TaggedError<SearchOutdated>()("SearchOutdated", {}) {}

/** The losses of the index that a search has seen; null until its first statement. */
export interface SearchReading {
  losses: number | null
}

export const begin = (losses: number | null = null): SearchReading => ({ losses })

const State = Schema.Struct({ whole: Schema.NullOr(Schema.Boolean), losses: Schema.NullOr(Schema.Number) })
const decodeState = Schema.decodeUnknownEffect(Schema.Tuple([State]))

export const make = (sql: SqlClient.SqlClient, schema: SearchSchema) => {
  // What stands in for the index is made by who searches in it.
  const state =
    schema === "catalog"
      ? sql.literal("catalog.search_state")
      : sql.literal("(SELECT true AS one, true AS whole, 0 AS losses)")

  /** Reads one row of such columns, and fails unless the index is as it was, and whole. */
  return <A>(columns: Schema.Codec<A, unknown>) => {
    const decode = Schema.decodeUnknownEffect(Schema.Tuple([columns]))
    return Effect.fnUntraced(function* (reading: SearchReading, selected: Statement.Fragment) {
      // By its key: a plan that reads a table whole is never taken here (`SearchFinder.settings`).
      const rows = yield* sql`SELECT state.whole, state.losses::float8 AS losses, ${selected}
        FROM (SELECT true AS one) AS it LEFT JOIN ${state} AS state ON state.one = it.one`
      const [{ losses, whole }] = yield* decodeState(rows)
      if (whole !== true || (reading.losses !== null && reading.losses !== losses))
        return yield* new SearchOutdated()
      reading.losses = losses
      const [row] = yield* decode(rows)
      return row
    })
  }
}
