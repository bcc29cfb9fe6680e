import * as Journal from "@onsale/platform/Journal"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** The journal of payments, a row an intent for whoever looks for unfinished ones, and the webhooks that were seen. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE SCHEMA payments`
  yield* Journal.createTable("payments")
  // INV-04 by the database: an order has one intent, and an intent is captured for its amount at most.
  yield* sql`CREATE TABLE payments.intents (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL UNIQUE,
    provider text NOT NULL,
    provider_reference text,
    status text NOT NULL,
    watch text NOT NULL CHECK (watch IN ('open', 'late', 'settled')),
    amount bigint NOT NULL CHECK (amount >= 0),
    currency text NOT NULL,
    captured bigint NOT NULL CHECK (captured BETWEEN 0 AND amount),
    refunded bigint NOT NULL CHECK (refunded BETWEEN 0 AND captured),
    checks int NOT NULL,
    next_check_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  ) WITH (fillfactor = 70)`
  yield* sql`CREATE INDEX intents_due ON payments.intents (next_check_at) WHERE next_check_at IS NOT NULL`
  yield* sql`CREATE TABLE payments.webhook_events (
    provider text NOT NULL,
    event_id text NOT NULL,
    intent_id uuid,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, event_id)
  )`
  yield* sql`CREATE INDEX webhook_events_age ON payments.webhook_events (received_at)`
})
