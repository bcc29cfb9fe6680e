import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** What the door has seen: the scan that each ticket was used by, and those that let somebody in and do not count. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE booking.idempotency DROP CONSTRAINT idempotency_operation_check`
  yield* sql`ALTER TABLE booking.idempotency
    ADD CONSTRAINT idempotency_operation_check
      CHECK (operation IN ('place', 'refund', 'cancellation', 'reissue'))`

  // INV-06: a ticket is used once. `scanned_at` is by the gate's clock, `received_at` by ours.
  yield* sql`CREATE TABLE booking.check_ins (
    ticket_id uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    event_id uuid NOT NULL,
    scan_id text NOT NULL,
    gate text NOT NULL,
    code_version int NOT NULL,
    scanned_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
  )`
  yield* sql`CREATE INDEX check_ins_event ON booking.check_ins (event_id)`

  yield* sql`CREATE TABLE booking.scan_conflicts (
    ticket_id uuid NOT NULL,
    order_id uuid NOT NULL,
    event_id uuid NOT NULL,
    scan_id text NOT NULL,
    gate text NOT NULL,
    code_version int NOT NULL,
    scanned_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    reason text NOT NULL CHECK (reason IN ('used', 'cancelled')),
    PRIMARY KEY (ticket_id, scan_id)
  )`
  yield* sql`CREATE INDEX scan_conflicts_event ON booking.scan_conflicts (event_id, scanned_at, ticket_id, scan_id)`

  // The door takes all tickets of its event.
  yield* sql`CREATE INDEX tickets_event ON booking.tickets (event_id)`
})
