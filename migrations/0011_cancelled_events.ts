import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Events that do not take place: when and why, and how far the refunds of their orders are. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE catalog.events
    ADD COLUMN cancelled_at timestamptz,
    ADD COLUMN cancel_reason text,
    ADD CONSTRAINT events_cancelled CHECK
      ((state = 'cancelled') = (cancelled_at IS NOT NULL) AND (cancelled_at IS NULL) = (cancel_reason IS NULL))`
  // A cancelled event is listed too, and the inventory has to take its last layout.
  yield* sql`DROP INDEX catalog.events_by_start`
  yield* sql`DROP INDEX catalog.events_by_venue`
  yield* sql`DROP INDEX catalog.events_to_open`
  yield* sql`CREATE INDEX events_by_start ON catalog.events (starts_at, id) WHERE state <> 'draft'`
  yield* sql`CREATE INDEX events_by_venue ON catalog.events (venue_id, starts_at, id) WHERE state <> 'draft'`
  yield* sql`CREATE INDEX events_to_open ON catalog.events (id)
    WHERE state <> 'draft' AND opened_revision < revision`

  // What the cancellation asks for has keys of its own, that no buyer can use.
  yield* sql`ALTER TABLE booking.idempotency DROP CONSTRAINT idempotency_operation_check`
  yield* sql`ALTER TABLE booking.idempotency
    ADD CONSTRAINT idempotency_operation_check CHECK (operation IN ('place', 'refund', 'cancellation'))`

  // The cursor is the last order of the round that was asked to be refunded; null before the first. `failed` are
  // those of this round that could not be. `next_check_at` is null once all is done.
  yield* sql`CREATE TABLE booking.cancelled_events (
    event_id uuid PRIMARY KEY,
    reason text NOT NULL,
    cancelled_at timestamptz NOT NULL,
    cursor_created_at timestamptz,
    cursor_order_id uuid,
    requested int NOT NULL DEFAULT 0,
    failed int NOT NULL DEFAULT 0,
    rounds int NOT NULL DEFAULT 0,
    started_at timestamptz,
    finished_at timestamptz,
    next_check_at timestamptz,
    CONSTRAINT cancelled_events_cursor CHECK ((cursor_created_at IS NULL) = (cursor_order_id IS NULL)),
    CONSTRAINT cancelled_events_end CHECK ((finished_at IS NULL) = (next_check_at IS NOT NULL))
  )`
  yield* sql`CREATE INDEX cancelled_events_due ON booking.cancelled_events (next_check_at)
    WHERE next_check_at IS NOT NULL`
})
