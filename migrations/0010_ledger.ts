/** The ledger of payments: what each row of their journal moves, in lines that sum to zero. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE payments.ledger (
    intent_id uuid NOT NULL,
    version bigint NOT NULL,
    line int NOT NULL,
    account text NOT NULL,
    amount bigint NOT NULL CHECK (amount <> 0),
    currency text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (intent_id, version, line)
  )`
  yield* sql`CREATE INDEX ledger_account ON payments.ledger (account, currency, at)`

  // What was written before there was a ledger, by the rules of that time: all events were of the house.
  yield* sql`INSERT INTO payments.ledger (intent_id, version, line, account, amount, currency, at)
    SELECT j.stream, j.version, 2 * e.ordinality + side.n, side.account, side.sign * (e.value->>'amount')::bigint, i.currency, j.at
    FROM payments.journal j
    JOIN payments.intents i ON i.id = j.stream
    CROSS JOIN LATERAL json_array_elements(j.events) WITH ORDINALITY AS e
    CROSS JOIN LATERAL (
      SELECT 'provider:' || i.provider AS provider, 'organiser:house' AS organiser, 'refunds_due' AS due
    ) AS name
    CROSS JOIN LATERAL (VALUES
      ('Captured', 0, name.provider, 1), ('Captured', 1, name.organiser, -1),
      ('RefundRequested', 0, name.organiser, 1), ('RefundRequested', 1, name.due, -1),
      ('Refunded', 0, name.due, 1), ('Refunded', 1, name.provider, -1)
    ) AS side (tag, n, account, sign)
    WHERE side.tag = e.value->>'_tag' AND (e.value->>'amount')::bigint <> 0`
})
