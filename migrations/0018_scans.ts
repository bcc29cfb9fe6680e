/** How far who keeps copies has gone through the whole catalog, so that the next process goes on there. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Of each the newest scan only; `after` is the last id that is done.
  yield* sql`CREATE TABLE catalog.scans (
    name text PRIMARY KEY,
    scan text NOT NULL,
    after uuid NOT NULL,
    updated_at timestamptz NOT NULL
  )`
})
