/**
 * What the audit of INV-04 and INV-05 needs to know of payments, computed from the journal and compared
 * with the table of intents: neither is believed alone. Read-only.
 */
import { OrderId, PaymentIntentId } from "@onsale/contracts/Ids"
import { PaymentStatus } from "@onsale/contracts/payments/PaymentIntent"
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { chargebacks, disputed, refundsDue } from "./Ledger.ts"

/** Sums in minor units; all but those of `intent` are from the journal. */
export const AuditedPayment = Schema.Struct({
  intentId: PaymentIntentId,
  /** From the journal's `Created`. */
  orderId: Schema.NullOr(OrderId),
  amount: Schema.NullOr(Schema.Finite),
  currency: Schema.NullOr(Schema.String),
  /** How often it was captured: more than once is a breach of INV-04. */
  captures: Schema.Int,
  captured: Schema.Finite,
  refundRequested: Schema.Finite,
  refunded: Schema.Finite,
  /** What `payments.ledger` says of it. */
  ledger: Schema.Struct({
    /** Entries, or currencies of one, whose lines do not sum to zero. */
    unbalanced: Schema.Int,
    /** At the provider, in dispute or lost in one: captured and not paid back. */
    held: Schema.Finite,
    /** Asked to be paid back, and not yet. */
    refundsDue: Schema.Finite
  }),
  /** The row of `payments.intents`; null where it is missing. */
  intent: Schema.NullOr(
    Schema.Struct({
      /** Unique in its table: where it is the journal's for every payment, no order has two (INV-04). */
      orderId: OrderId,
      status: PaymentStatus,
      watch: Schema.Literals(["open", "late", "settled"]),
      captured: Schema.Finite,
      refunded: Schema.Finite,
      /** An open one without a next check would be forgotten: a breach of INV-05. */
      isWatched: Schema.Boolean
    })
  )
})
export type AuditedPayment = typeof AuditedPayment.Type

const page = 500

const origin = "00000000-0000-0000-0000-000000000000"

export class PaymentAudit extends Context.Service<
  PaymentAudit,
  {
    /** Every payment that was ever created, in the order of intent ids. Bounded memory. */
    readonly payments: Stream.Stream<AuditedPayment>
  }
>()("@onsale/payments/PaymentAudit") {
  static readonly layer = Layer.effect(
    PaymentAudit,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const decode = Schema.decodeUnknownEffect(Schema.Array(AuditedPayment))

      const read = Effect.fn("PaymentAudit.read")(function* (after: string) {
        const rows = yield* sql`WITH streams AS (
            SELECT DISTINCT stream FROM payments.journal WHERE stream > ${after}::uuid ORDER BY stream LIMIT ${page}::int
          ), event AS (
            SELECT j.stream, e.value AS event FROM payments.journal j
            JOIN streams USING (stream) CROSS JOIN LATERAL json_array_elements(j.events) AS e
          ), summed AS (
            SELECT stream,
              min(event->'payment'->>'orderId') FILTER (WHERE event->>'_tag' = 'Created') AS order_id,
              min((event->'payment'->>'amount')::float8) FILTER (WHERE event->>'_tag' = 'Created') AS amount,
              min(event->'payment'->>'currency') FILTER (WHERE event->>'_tag' = 'Created') AS currency,
              count(*) FILTER (WHERE event->>'_tag' = 'Captured') AS captures,
              coalesce(sum((event->>'amount')::float8) FILTER (WHERE event->>'_tag' = 'Captured'), 0) AS captured,
              coalesce(sum((event->>'amount')::float8) FILTER (WHERE event->>'_tag' = 'RefundRequested'), 0) AS refund_requested,
              coalesce(sum((event->>'amount')::float8) FILTER (WHERE event->>'_tag' = 'Refunded'), 0) AS refunded
            FROM event GROUP BY stream
          )
          SELECT s.stream AS "intentId", s.order_id AS "orderId", s.amount, s.currency, s.captures::int AS captures,
            s.captured, s.refund_requested AS "refundRequested", s.refunded,
            json_build_object('unbalanced', l.unbalanced, 'held', l.held, 'refundsDue', l.refunds_due) AS ledger,
            CASE WHEN i.id IS NULL THEN NULL ELSE json_build_object('orderId', i.order_id, 'status', i.status, 'watch', i.watch,
              'captured', i.captured, 'refunded', i.refunded, 'isWatched', i.next_check_at IS NOT NULL) END AS intent
          FROM summed s LEFT JOIN payments.intents i ON i.id = s.stream
          CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE balance <> 0) AS unbalanced, coalesce(sum(held), 0) AS held,
              coalesce(sum(refunds_due), 0) AS refunds_due
            FROM (
              SELECT sum(amount) AS balance,
                sum(amount) FILTER (WHERE account LIKE 'provider:%' OR account IN (${disputed}, ${chargebacks})) AS held,
                -sum(amount) FILTER (WHERE account = ${refundsDue}) AS refunds_due
              FROM payments.ledger WHERE intent_id = s.stream GROUP BY version, currency
            ) AS entry
          ) AS l
          ORDER BY s.stream`
        return yield* decode(rows)
      }, Effect.orDie)

      return PaymentAudit.of({
        payments: Stream.paginate<string, AuditedPayment>(origin, (after) =>
          Effect.map(read(after), (rows) => {
            const last = rows[rows.length - 1]
            return [
              rows,
              rows.length < page || last === undefined ? Option.none() : Option.some(last.intentId)
            ] as const
          })
        )
      })
    })
  )
}
