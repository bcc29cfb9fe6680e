/**
 * The wire of the sandbox payment provider: what its HTTP API takes and answers, and what its webhooks say.
 *
 * It is the contract of a third party, so it leans on none of ours: amounts are integers of minor units beside an
 * ISO 4217 code, times are ISO 8601 in UTC, ids are opaque. What each path and each method token does is told in
 * `apps/psp-sandbox/src/SandboxHttp.ts`.
 */
import { Schema } from "effect"

/** The request header that names a money call; at most 255 characters, as long-lived as the ledger. */
export const idempotencyKeyHeader = "idempotency-key"

/** `true` on an answer that was given before to the same key and body. */
export const idempotentReplayedHeader = "idempotent-replayed"

/** The webhook header `t=<unix seconds>,v1=<hex>`; see {@link SandboxSignature}. */
export const signatureHeader = "sandbox-signature"

/** An amount of minor units that money can be asked for: 1 to 999,999,999,999. */
export const SandboxAmount = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 999_999_999_999 }))

/** A total of minor units that may still be nothing. */
const Total = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999_999_999_999 }))

export const SandboxCurrency = Schema.String.check(Schema.isPattern(/^[A-Z]{3}$/))

export const SandboxIdempotencyKey = Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,255}$/))

const ReturnUrl = Schema.String.check(Schema.isMaxLength(2_000), Schema.isPattern(/^https?:\/\/[^\s"<>]+$/))

/** POST /v1/payments. `reference` is the caller's own id; `returnUrl` is where a 3-D Secure page sends the buyer. */
export const CreateSandboxPayment = Schema.Struct({
  amount: SandboxAmount,
  currency: SandboxCurrency,
  method: Schema.String.check(Schema.isBetweenLength(1, 64)),
  reference: Schema.String.check(Schema.isBetweenLength(1, 200)),
  capture: Schema.Literal("manual"),
  returnUrl: Schema.optionalKey(ReturnUrl)
})
export type CreateSandboxPayment = typeof CreateSandboxPayment.Type

/** POST /v1/payments/{id}/capture. Without an amount all of it is captured; less than all releases the rest. */
export const CaptureSandboxPayment = Schema.Struct({ amount: Schema.optionalKey(SandboxAmount) })
export type CaptureSandboxPayment = typeof CaptureSandboxPayment.Type

/** POST /v1/payments/{id}/refunds. */
export const RefundSandboxPayment = Schema.Struct({ amount: SandboxAmount })
export type RefundSandboxPayment = typeof RefundSandboxPayment.Type

/**
 * `refunded` means all that was captured went back; a payment refunded in part stays `captured` and its `refunded`
 * total tells how much.
 */
export const SandboxPaymentStatus = Schema.Literals([
  "requires_action",
  "processing",
  "authorised",
  "captured",
  "voided",
  "refunded",
  "failed"
])
export type SandboxPaymentStatus = typeof SandboxPaymentStatus.Type

export const SandboxFailureCode = Schema.Literals(["card_declined", "authentication_failed"])
export type SandboxFailureCode = typeof SandboxFailureCode.Type

/** What the buyer's browser has to do before the payment can go on. */
export const SandboxNextAction = Schema.Struct({ type: Schema.Literal("redirect"), url: Schema.String })
export type SandboxNextAction = typeof SandboxNextAction.Type

/** Whether the buyer's bank asks for the money back, and how that was decided. It changes no sum. */
export const SandboxDispute = Schema.Literals(["open", "won", "lost"])
export type SandboxDispute = typeof SandboxDispute.Type

/** POST /v1/payments/{id}/dispute: what the buyer's bank would do. */
export const DisputeSandboxPayment = Schema.Struct({ outcome: SandboxDispute })
export type DisputeSandboxPayment = typeof DisputeSandboxPayment.Type

/** The body of 201, of 402 (`status` is `failed`) and of every read. `captured` and `refunded` are minor units. */
export const SandboxPayment = Schema.Struct({
  id: Schema.String,
  status: SandboxPaymentStatus,
  amount: SandboxAmount,
  currency: SandboxCurrency,
  captured: Total,
  refunded: Total,
  reference: Schema.String,
  failureCode: Schema.optionalKey(SandboxFailureCode),
  nextAction: Schema.optionalKey(SandboxNextAction),
  dispute: Schema.optionalKey(SandboxDispute),
  createdAt: Schema.String
})
export type SandboxPayment = typeof SandboxPayment.Type

/** `inFlight` is true while a call with the key asked for still runs: its outcome is not known yet, ask again. */
export const SandboxPaymentList = Schema.Struct({
  data: Schema.Array(SandboxPayment),
  inFlight: Schema.Boolean
})
export type SandboxPaymentList = typeof SandboxPaymentList.Type

/** GET /v1/payments by time: at most 100, the oldest first; a page may be empty and yet have a next one. */
export const SandboxPaymentPage = Schema.Struct({
  data: Schema.Array(SandboxPayment),
  nextCursor: Schema.NullOr(Schema.String)
})
export type SandboxPaymentPage = typeof SandboxPaymentPage.Type

/** The body of 201 to a refund. `payment` is the payment after it. */
export const SandboxRefund = Schema.Struct({
  id: Schema.String,
  paymentId: Schema.String,
  amount: SandboxAmount,
  currency: SandboxCurrency,
  status: Schema.Literal("succeeded"),
  createdAt: Schema.String,
  payment: SandboxPayment
})
export type SandboxRefund = typeof SandboxRefund.Type

/**
 * | type | status | the caller should |
 * |---|---|---|
 * | authentication_error | 401 | mend its key |
 * | invalid_request | 400, 404, 405, 413 | mend the request |
 * | invalid_state | 409 | read the payment: it cannot do that now |
 * | idempotency_error | 409 first one still runs, 422 key used for another body | wait, or use another key |
 * | api_error | 500, 503 | ask by key what happened, then try again |
 */
export const SandboxErrorType = Schema.Literals([
  "authentication_error",
  "invalid_request",
  "invalid_state",
  "idempotency_error",
  "api_error"
])
export type SandboxErrorType = typeof SandboxErrorType.Type

/** The body of every answer of 400 and above, except a 402. */
export const SandboxErrorBody = Schema.Struct({
  error: Schema.Struct({ type: SandboxErrorType, code: Schema.String, message: Schema.String })
})
export type SandboxErrorBody = typeof SandboxErrorBody.Type

export const SandboxWebhookType = Schema.Literals([
  "payment.authorised",
  "payment.failed",
  "payment.captured",
  "payment.voided",
  "payment.refunded",
  "payment.disputed"
])
export type SandboxWebhookType = typeof SandboxWebhookType.Type

/**
 * The body of a webhook. Delivered at least once and in no promised order: `id` stays the same over retries, `data`
 * is the payment as it was right after the change.
 */
export const SandboxWebhook = Schema.Struct({
  id: Schema.String,
  type: SandboxWebhookType,
  createdAt: Schema.String,
  data: SandboxPayment
})
export type SandboxWebhook = typeof SandboxWebhook.Type

/**
 * The value of {@link signatureHeader}, as `["t=", unix seconds, ",v1=", hex]`: `hex` is the HMAC-SHA-256 of
 * `<t>.<the body's bytes>` under the webhook secret. The receiver compares in constant time and refuses an old `t`.
 */
export const SandboxSignature = Schema.TemplateLiteralParser([
  "t=",
  Schema.FiniteFromString.check(Schema.isInt()),
  ",v1=",
  Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))
])

/**
 * What can go wrong with a money call on command: `error_*` answers 500, `timeout_*` never answers and drops the
 * connection in the end, `reset` drops it at once (before or after the call ran, by the draw), `slow` waits first.
 * `*_before` leaves the ledger untouched, `*_after` strikes once the call is in the ledger.
 */
export const SandboxFaultKind = Schema.Literals([
  "error_before",
  "error_after",
  "timeout_before",
  "timeout_after",
  "reset",
  "slow"
])
export type SandboxFaultKind = typeof SandboxFaultKind.Type

/** POST /v1/faults. `rate` is the part of money calls that is struck; the n-th call of a seed is always struck alike. */
export const SandboxFaults = Schema.Struct({
  rate: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
  kinds: Schema.Array(SandboxFaultKind).check(Schema.isBetweenLength(1, 6)),
  seed: Schema.Int,
  slowMs: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60_000 })))
})
export type SandboxFaults = typeof SandboxFaults.Type

/** GET, POST and DELETE /v1/faults: the plan in force, how many money calls it has seen and what it did to them. */
export const SandboxFaultsReport = Schema.Struct({
  faults: Schema.NullOr(SandboxFaults),
  calls: Schema.Int,
  struck: Schema.Record(SandboxFaultKind, Schema.Int)
})
export type SandboxFaultsReport = typeof SandboxFaultsReport.Type

/** A payment in the ledger: the wire's payment, and what only an auditor may see. */
export const SandboxLedgerPayment = Schema.Struct({
  ...SandboxPayment.fields,
  idempotencyKey: Schema.String,
  method: Schema.String,
  refunds: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      idempotencyKey: Schema.String,
      amount: SandboxAmount,
      createdAt: Schema.String
    })
  )
})
export type SandboxLedgerPayment = typeof SandboxLedgerPayment.Type

/** GET /v1/ledger: everything that is durable at the moment of the request, oldest payment first. */
export const SandboxLedger = Schema.Struct({
  payments: Schema.Array(SandboxLedgerPayment),
  entries: Schema.Int,
  webhooks: Schema.Struct({ undelivered: Schema.Int, abandoned: Schema.Int })
})
export type SandboxLedger = typeof SandboxLedger.Type
