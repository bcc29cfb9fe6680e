/** Refunds that were asked for and are not made: the provider is asked again every hour, and past a day a person must look. */
import { OrderId, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"

/** Providers take minutes, and their outages hours. */
export const stuckAfterMs = 24 * 60 * 60_000

const StuckRefund = Schema.Struct({
  intentId: PaymentIntentId,
  orderId: OrderId,
  provider: Schema.String,
  refundId: RefundId,
  /** Minor units. */
  amount: Schema.Finite,
  currency: Schema.String,
  requestedAt: Schema.Date,
  /** When the provider is asked again; null where nobody does, which the audit calls a breach, too. */
  nextCheckAt: Schema.NullOr(Schema.Date)
})
export type StuckRefund = typeof StuckRefund.Type

const decode = Schema.decodeUnknownEffect(Schema.Array(StuckRefund))

/** Those that were asked for longer ago than `olderThanMs`, the oldest first. */
export const list = Effect.fn("StuckRefunds.list")(function* (
  nowMs: number,
  olderThanMs: number,
  limit: number
) {
  const sql = yield* SqlClient.SqlClient
  const rows =
    yield* sql`SELECT i.id AS "intentId", i.order_id AS "orderId", i.provider, e.value->>'refundId' AS "refundId",
      (e.value->>'amount')::float8 AS amount, i.currency, j.at AS "requestedAt", i.next_check_at AS "nextCheckAt"
    FROM payments.intents i
    JOIN payments.journal j ON j.stream = i.id
    CROSS JOIN LATERAL json_array_elements(j.events) e
    WHERE i.watch = 'open' AND i.captured > 0 AND j.at <= to_timestamp(${nowMs - olderThanMs}::float8 / 1000)
      AND e.value->>'_tag' = 'RefundRequested'
      AND NOT EXISTS (
        SELECT 1 FROM payments.journal k CROSS JOIN LATERAL json_array_elements(k.events) m
        WHERE k.stream = i.id AND m.value->>'_tag' = 'Refunded' AND m.value->>'refundId' = e.value->>'refundId')
    ORDER BY j.at, i.id LIMIT ${limit}::int`
  return yield* decode(rows)
}, Effect.orDie)

/** One in a line, for logs and people. */
export const tell = ({
  amount,
  currency,
  intentId,
  orderId,
  provider,
  refundId,
  requestedAt
}: StuckRefund): string =>
  `refund ${refundId} of ${amount} ${currency} of order ${orderId} (payment ${intentId}) was asked for at ${requestedAt.toISOString()} and is not made at ${provider}`
