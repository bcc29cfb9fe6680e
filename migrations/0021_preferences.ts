/** What customers want to hear, and the keys of the links by which they say so without a token. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE notifications.preferences (
    email text PRIMARY KEY CHECK (email = lower(email) AND length(email) <= 254),
    customer_id text UNIQUE,
    preferences json NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
  )`
  yield* sql`CREATE TABLE notifications.link_keys (
    number smallint PRIMARY KEY CHECK (number > 0),
    secret bytea NOT NULL CHECK (length(secret) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
  )`
  // 244 random bits.
  yield* sql`INSERT INTO notifications.link_keys (number, secret)
    VALUES (1, sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')))`
})
