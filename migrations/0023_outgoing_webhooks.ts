import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Whom organisers have told, what is to be sent there, and what came of each attempt. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Secrets are as `WebhookVault` seals them. No event types are all of them, and no event is every event.
  yield* sql`CREATE TABLE notifications.webhooks (
    id uuid PRIMARY KEY,
    url text NOT NULL,
    event_types text[],
    event_id uuid,
    description text NOT NULL,
    secret text NOT NULL,
    previous_secret text,
    previous_until timestamptz,
    disabled_reason text CHECK (disabled_reason IN ('organiser', 'gone', 'failing')),
    disabled_at timestamptz,
    failing_since timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT webhooks_disabled CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
    CONSTRAINT webhooks_previous CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
  )`
  // Attempts before it was replayed do not count for its pauses. The position is the order of a stream: one transaction of its projection after the other writes it.
  yield* sql`CREATE TABLE notifications.webhook_deliveries (
    id text PRIMARY KEY,
    webhook_id uuid NOT NULL REFERENCES notifications.webhooks ON DELETE CASCADE,
    stream text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    type text NOT NULL,
    body text NOT NULL,
    correlation text,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'dead')),
    attempts int NOT NULL DEFAULT 0,
    attempts_before int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    run_at timestamptz NOT NULL,
    leased_until timestamptz,
    first_attempt_at timestamptz,
    settled_at timestamptz,
    last_error text
  )`
  yield* sql`CREATE INDEX webhook_deliveries_due ON notifications.webhook_deliveries (webhook_id, run_at)
    WHERE status = 'waiting'`
  yield* sql`CREATE INDEX webhook_deliveries_stream ON notifications.webhook_deliveries (webhook_id, stream, position)
    WHERE status = 'waiting'`
  yield* sql`CREATE INDEX webhook_deliveries_leased ON notifications.webhook_deliveries (webhook_id, leased_until)
    WHERE leased_until IS NOT NULL`
  yield* sql`CREATE INDEX webhook_deliveries_log ON notifications.webhook_deliveries (webhook_id, position)`
  yield* sql`CREATE INDEX webhook_deliveries_settled ON notifications.webhook_deliveries (status, settled_at)
    WHERE settled_at IS NOT NULL`
  yield* sql`CREATE TABLE notifications.webhook_attempts (
    delivery_id text NOT NULL REFERENCES notifications.webhook_deliveries ON DELETE CASCADE,
    attempt int NOT NULL,
    started_at timestamptz NOT NULL,
    duration_ms int NOT NULL,
    outcome text NOT NULL,
    status int,
    error text,
    response text,
    PRIMARY KEY (delivery_id, attempt)
  )`
})
