/** Browsers that are told of a hold or an order, and the key by which push services know us. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE notifications.push_subscriptions (
    id text PRIMARY KEY,
    hold_id uuid,
    order_id uuid,
    event_id uuid NOT NULL,
    endpoint text NOT NULL,
    p256dh text NOT NULL,
    auth text NOT NULL,
    -- Of the hold, as it was known last.
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((hold_id IS NULL) <> (order_id IS NULL)),
    CHECK ((hold_id IS NULL) = (expires_at IS NULL))
  )`
  yield* sql`CREATE INDEX push_subscriptions_hold ON notifications.push_subscriptions (hold_id) WHERE hold_id IS NOT NULL`
  yield* sql`CREATE INDEX push_subscriptions_order ON notifications.push_subscriptions (order_id) WHERE order_id IS NOT NULL`
  yield* sql`CREATE TABLE notifications.vapid_keys (
    number smallint PRIMARY KEY CHECK (number > 0),
    public_key text NOT NULL,
    private_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`
})
