import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** A scan is known by its id and its gate: the same id of two gates is two scans, and both let somebody in. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE booking.scan_conflicts
    DROP CONSTRAINT scan_conflicts_pkey, ADD PRIMARY KEY (ticket_id, scan_id, gate)`
})
