import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * By how much the revision of an event is ahead of its version in the journal: changes of its draft, and by SQL, have no
 * row there. Entries in calendars are counted by the revision, by which orders' addresses have counted them before.
 */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // It only grows: runners of an older build, which go on without it, leave one that is at most too small.
  yield* sql`ALTER TABLE notifications.events ADD COLUMN untold_revisions int NOT NULL DEFAULT 0`
  yield* sql`UPDATE notifications.events n SET untold_revisions = greatest(0, e.revision - j.version)
    FROM catalog.events e, LATERAL (SELECT max(version) AS version FROM catalog.journal WHERE stream = e.id) AS j
    WHERE e.id = n.event_id`
})
