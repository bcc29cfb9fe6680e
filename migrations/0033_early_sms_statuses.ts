import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** What Twilio tells of a message before its reference is on record, which it tells once. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE notifications.early_sms_statuses (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL,
    arrived boolean NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (reference, reason)
  )`
})
