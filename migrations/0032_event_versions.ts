import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** How far the notifications have read of an event: who needs its newest facts reads what is behind that, too. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Runners of an older build go on without it: then more is read than is needed.
  yield* sql`ALTER TABLE notifications.events ADD COLUMN version int NOT NULL DEFAULT 0`
  yield* sql`UPDATE notifications.events e SET version = j.version
    FROM (
      SELECT j.stream, max(j.version) AS version FROM catalog.journal j
      JOIN notifications.cursor c ON c.name = 'catalog' AND (j.txid, j.position) <= (c.txid, c.position)
      GROUP BY j.stream
    ) j
    WHERE j.stream = e.event_id`
})
