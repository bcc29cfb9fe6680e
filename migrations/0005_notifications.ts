import * as Jobs from "@onsale/platform/Jobs"
import * as Journal from "@onsale/platform/Journal"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** What the notifications know of events and orders, the jobs that tell people, and what was sent. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE SCHEMA notifications`
  yield* Journal.createTable("notifications")
  yield* Jobs.createTable("notifications")
  // At most sixteen: a code has four bits for the number of its key. 0 is the one given by configuration.
  yield* sql`CREATE TABLE notifications.signing_keys (
    number smallint PRIMARY KEY CHECK (number BETWEEN 1 AND 15),
    jwk json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`
  yield* sql`CREATE TABLE notifications.events (
    event_id uuid PRIMARY KEY,
    facts json NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
  )`
  yield* sql`CREATE TABLE notifications.orders (
    order_id uuid PRIMARY KEY,
    event_id uuid NOT NULL,
    customer json NOT NULL,
    total json NOT NULL,
    tickets json NOT NULL,
    placed_at timestamptz NOT NULL,
    confirmed_at timestamptz NOT NULL
  )`
  yield* sql`CREATE INDEX orders_event ON notifications.orders (event_id)`
  yield* sql`CREATE TABLE notifications.mails (
    id text PRIMARY KEY,
    order_id uuid NOT NULL,
    recipient text NOT NULL,
    subject text NOT NULL,
    message_id text NOT NULL UNIQUE,
    attempts int NOT NULL CHECK (attempts > 0),
    sent_at timestamptz NOT NULL
  )`
  yield* sql`CREATE INDEX mails_order ON notifications.mails (order_id)`
})
