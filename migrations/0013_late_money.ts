/** What became of money that came after its order had ended, for support to find. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE booking.orders
    ADD COLUMN late_money text CHECK (late_money IN ('came', 'taken', 'returned'))`
  yield* sql`CREATE INDEX orders_late_money ON booking.orders (updated_at) WHERE late_money IS NOT NULL`
})
