/** Whether the search's index is whole. It is lost in the transaction that empties it, by triggers (migration 0028). */
import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"

const State = Schema.Struct({ whole: Schema.Boolean, losses: Schema.Number })
export type SearchState = typeof State.Type

const decode = Schema.decodeUnknownEffect(Schema.Array(State))

const unknown: SearchState = { whole: false, losses: 0 }

export const read = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const rows = yield* decode(yield* sql`SELECT whole, losses::float8 AS losses FROM catalog.search_state`)
  return rows[0] ?? unknown
})

/** It has everything again, unless something was lost since `before` was read. */
export const markWhole = (sql: SqlClient.SqlClient, before: SearchState) =>
  sql`INSERT INTO catalog.search_state AS state (whole, losses) VALUES (true, ${before.losses}::bigint)
    ON CONFLICT (one) DO UPDATE SET whole = true WHERE state.losses = excluded.losses`
