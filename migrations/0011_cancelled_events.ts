/** Events that do not take place: in the catalog, and as booking refunds their orders. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Told: the sale is closed in the inventory, and the journal says so; from then on orders are refunded.
  yield* sql`ALTER TABLE catalog.events
    ADD COLUMN cancelled_at timestamptz,
    ADD COLUMN cancel_reason text,
    ADD COLUMN cancel_told boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT events_cancelled CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL AND cancel_reason IS NOT NULL))`
  yield* sql`CREATE INDEX events_to_close ON catalog.events (id) WHERE state = 'cancelled' AND NOT cancel_told`

  // How far the refunds are: orders up to the cursor were asked for in this round.
  yield* sql`CREATE TABLE booking.cancelled_events (
    event_id uuid PRIMARY KEY,
    reason text NOT NULL,
    cancelled_at timestamptz NOT NULL,
    started_at timestamptz,
    cursor_at timestamptz,
    cursor_id uuid,
    rounds int NOT NULL DEFAULT 0,
    next_check_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT cancelled_events_end CHECK ((finished_at IS NULL) = (next_check_at IS NOT NULL))
  )`
  yield* sql`CREATE INDEX cancelled_events_due ON booking.cancelled_events (next_check_at) WHERE next_check_at IS NOT NULL`
})
