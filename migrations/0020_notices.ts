/**
 * Every notice in every channel: the messages, each attempt at them, addresses that are not written to, and what of
 * an event was told to whom. The mails that were sent become messages; runners of an older build are stopped before.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE notifications.events ADD COLUMN starts_at timestamptz, ADD COLUMN cancelled_at timestamptz`
  yield* sql`UPDATE notifications.events SET starts_at = (facts ->> 'startsAt')::timestamptz`
  yield* sql`ALTER TABLE notifications.events ALTER COLUMN starts_at SET NOT NULL`
  yield* sql`CREATE INDEX events_starts ON notifications.events (starts_at) WHERE cancelled_at IS NULL`

  // What an event was before a change that its buyers are told of.
  yield* sql`CREATE TABLE notifications.event_changes (
    event_id uuid NOT NULL,
    change int NOT NULL,
    before json NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (event_id, change)
  )`
  // How far a notice to all orders of an event has come.
  yield* sql`CREATE TABLE notifications.fan_outs (
    id text PRIMARY KEY,
    last_order uuid,
    told int NOT NULL DEFAULT 0
  )`
  yield* sql`CREATE INDEX orders_event_order ON notifications.orders (event_id, order_id)`
  yield* sql`DROP INDEX notifications.orders_event`

  yield* sql`CREATE TABLE notifications.messages (
    id text PRIMARY KEY,
    notice json NOT NULL,
    order_id uuid,
    event_id uuid,
    channel text,
    -- Of several recipients in one channel, which.
    key text,
    recipient text,
    subject text,
    correlation text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at timestamptz,
    skipped text,
    provider text,
    reference text,
    attempts int NOT NULL DEFAULT 0,
    -- Since it was replayed last: attempts that said how they ended, those that may have sent it, and the last of these.
    rounds int NOT NULL DEFAULT 0,
    unknowns int NOT NULL DEFAULT 0,
    maybe_sent_by text,
    replays int NOT NULL DEFAULT 0,
    bounced_at timestamptz,
    CHECK (channel IS NOT NULL OR skipped IS NOT NULL)
  )`
  yield* sql`CREATE INDEX messages_order ON notifications.messages (order_id)`
  yield* sql`CREATE INDEX messages_newest ON notifications.messages (created_at DESC, id DESC)`
  yield* sql`CREATE INDEX messages_open ON notifications.messages (created_at) WHERE sent_at IS NULL AND skipped IS NULL`
  yield* sql`CREATE INDEX messages_reference ON notifications.messages (reference) WHERE reference IS NOT NULL`
  yield* sql`CREATE TABLE notifications.attempts (
    message_id text NOT NULL,
    n bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    provider text,
    outcome text NOT NULL,
    reason text,
    PRIMARY KEY (message_id, n)
  )`
  yield* sql`CREATE TABLE notifications.suppressions (
    address text PRIMARY KEY CHECK (address = lower(address)),
    reason text NOT NULL,
    provider text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
  )`

  yield* sql`INSERT INTO notifications.messages
      (id, notice, order_id, channel, recipient, subject, created_at, sent_at, reference, attempts)
    SELECT id || ':email', json_build_object('_tag', 'OrderConfirmed', 'orderId', order_id), order_id, 'email', recipient,
      subject, sent_at, sent_at, message_id, attempts
    FROM notifications.mails`
  yield* sql`DROP TABLE notifications.mails`
  // A job of the old queue has the id and the payload of the notice that it is now.
  yield* sql`UPDATE notifications.jobs SET queue = 'notice', leased_until = NULL WHERE queue = 'mail'`
})
