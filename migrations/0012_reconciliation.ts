/** How far our payments were compared with each provider's own list, and what was found to differ. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE payments.reconciliations (
    provider text PRIMARY KEY,
    done_to timestamptz,
    claimed_until timestamptz NOT NULL,
    last_started_at timestamptz,
    last_completed_at timestamptz,
    listed bigint NOT NULL DEFAULT 0,
    differences int NOT NULL DEFAULT 0
  )`
  yield* sql`CREATE TABLE payments.differences (
    id uuid PRIMARY KEY,
    provider text NOT NULL,
    reference text NOT NULL,
    intent_id uuid NOT NULL,
    kind text NOT NULL,
    ours json,
    theirs json,
    found_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    mended_at timestamptz,
    resolution text,
    CHECK ((mended_at IS NULL) = (resolution IS NULL))
  )`
  // One that is open is told once, however often it is seen.
  yield* sql`CREATE UNIQUE INDEX differences_open ON payments.differences (provider, reference, kind)
    WHERE mended_at IS NULL`
  yield* sql`CREATE INDEX differences_intent ON payments.differences (intent_id)`
})
