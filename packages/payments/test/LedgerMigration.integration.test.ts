import { assert, layer } from "@effect/vitest"
import { layerEmptyDatabase } from "@onsale/testing/PostgresFixture"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Runs a migration of the workspace, without those before it. */
const migrate = (name: string): Effect.Effect<void, unknown, SqlClient.SqlClient> =>
  Effect.flatten(
    Effect.promise(async () => {
      const { default: migration } = await import(`../../../migrations/${name}.ts`)
      return migration
    })
  )

const intentId = "019a0000-0000-7000-8000-000000000001"

layer(layerEmptyDatabase, { excludeTestServices: true })("the ledger's migration", (it) => {
  it.effect("books what was written before there was a ledger", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* migrate("0004_payments")
      yield* sql`INSERT INTO payments.intents (id, order_id, provider, status, watch, amount, currency, captured, refunded,
          checks, created_at, updated_at)
        VALUES (${intentId}::uuid, ${intentId}::uuid, 'stripe', 'partially_refunded', 'settled', 5000, 'EUR', 5000, 2000, 0,
          now(), now())`
      const rows = [
        [{ _tag: "Created" }],
        [{ _tag: "Authorised" }, { _tag: "Captured", amount: 5000 }],
        [
          { _tag: "RefundRequested", amount: 2000 },
          { _tag: "RefundRequested", amount: 0 },
          { _tag: "Refunded", amount: 0 }
        ],
        [{ _tag: "Refunded", amount: 2000 }]
      ]
      for (const [index, events] of rows.entries()) {
        yield* sql`INSERT INTO payments.journal (stream, version, at, events)
          VALUES (${intentId}::uuid, ${index + 1}::int, now(), ${JSON.stringify(events)}::json)`
      }
      yield* migrate("0010_ledger")
      const balances = yield* sql`SELECT account, sum(amount)::int AS balance FROM payments.ledger
        GROUP BY account ORDER BY account`
      assert.deepStrictEqual(balances, [
        { account: "organiser:house", balance: -3000 },
        { account: "provider:stripe", balance: 3000 },
        { account: "refunds_due", balance: 0 }
      ])
      const entries = yield* sql`SELECT version::int AS version FROM payments.ledger
        GROUP BY version HAVING sum(amount) <> 0`
      assert.deepStrictEqual(entries, [])
    })
  )
})
