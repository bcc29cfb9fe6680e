/** All that is on record of one payment, for support: read from the tables, of any that was ever created. */
import { PaymentIntentId } from "@onsale/contracts/Ids"
import { PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { type StoredDifference, ReconciliationTable } from "./ReconciliationTable.ts"

const Rows = Schema.Array(
  Schema.Struct({ at: Schema.Date, version: Schema.Int, events: Schema.Array(PaymentEvent) })
)
const Lines = Schema.Array(
  Schema.Struct({
    version: Schema.Int,
    account: Schema.String,
    amount: Schema.Int,
    currency: Schema.String
  })
)
const Webhooks = Schema.Array(
  Schema.Struct({ at: Schema.Date, provider: Schema.String, eventId: Schema.String })
)

export interface PaymentTrail {
  readonly intentId: PaymentIntentId
  /** The rows of its journal, with what each moved in minor units. */
  readonly rows: ReadonlyArray<
    (typeof Rows.Type)[number] & { readonly lines: ReadonlyArray<(typeof Lines.Type)[number]> }
  >
  readonly webhooks: typeof Webhooks.Type
  readonly differences: ReadonlyArray<StoredDifference>
}

/** By the intent's id or the order's; null where there is none. */
export const find = Effect.fn("PaymentTrail.find")(
  function* (id: string) {
    const sql = yield* SqlClient.SqlClient
    const [found] = yield* sql`SELECT id::text AS id FROM payments.intents
    WHERE id = ${id}::uuid OR order_id = ${id}::uuid LIMIT 1`.pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: PaymentIntentId }))))
    )
    if (found === undefined) return null
    const intentId = found.id
    const rows = yield* sql`SELECT at, version::int AS version, events FROM payments.journal
    WHERE stream = ${intentId}::uuid ORDER BY version`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(Rows)))
    const lines = yield* sql`SELECT version::int AS version, account, amount::float8 AS amount, currency
    FROM payments.ledger WHERE intent_id = ${intentId}::uuid ORDER BY version, line`.pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(Lines))
    )
    const webhooks =
      yield* sql`SELECT received_at AS at, provider, event_id AS "eventId" FROM payments.webhook_events
    WHERE intent_id = ${intentId}::uuid ORDER BY received_at`.pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(Webhooks))
      )
    const differences = yield* Effect.flatMap(ReconciliationTable, (table) => table.ofIntent(intentId))
    const trail: PaymentTrail = {
      intentId,
      rows: rows.map((row) => ({ ...row, lines: lines.filter(({ version }) => version === row.version) })),
      webhooks,
      differences
    }
    return trail
  },
  Effect.orDie,
  Effect.provide(ReconciliationTable.layer)
)
