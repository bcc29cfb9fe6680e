/** Whose event it is, what its buyers get back, and what was kept of an order's price when it was given back. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Null: nobody is named, and everything is paid back at any time.
  yield* sql`ALTER TABLE catalog.events ADD COLUMN organiser text, ADD COLUMN refund_policy json`
  yield* sql`ALTER TABLE booking.orders ADD COLUMN kept_amount bigint NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE booking.orders DROP CONSTRAINT orders_refunds`
  yield* sql`ALTER TABLE booking.orders ADD CONSTRAINT orders_refunds
    CHECK (refunded_amount >= 0 AND kept_amount >= 0 AND refunded_amount + kept_amount <= total_amount)`
})
