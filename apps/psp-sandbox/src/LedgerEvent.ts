/**
 * What can happen in the ledger: one event is one line of its file. Events carry everything that replaying them needs,
 * so that the state after a restart is the state before it, and no token's later change of mind can alter the past.
 */
import { SandboxDispute, SandboxFailureCode } from "@onsale/contracts/payments/Sandbox"
import { Schema } from "effect"

/** `n` counts the lines of the file from 1 without a gap; `at` is Unix time in milliseconds. */
const line = { n: Schema.Int, at: Schema.Int }

/** `webhook` is the id of the webhook that is owed for the change, absent where none is. */
const change = { ...line, id: Schema.String, webhook: Schema.optionalKey(Schema.String) }

/** A process took the file over. */
const LedgerOpened = Schema.Struct({ type: Schema.Literal("ledger.opened"), ...line })

const PaymentCreated = Schema.Struct({
  type: Schema.Literal("payment.created"),
  ...change,
  key: Schema.String,
  amount: Schema.Int,
  currency: Schema.String,
  method: Schema.String,
  reference: Schema.String,
  returnUrl: Schema.optionalKey(Schema.String),
  status: Schema.Literals(["authorised", "failed", "requires_action", "processing"]),
  failureCode: Schema.optionalKey(SandboxFailureCode),
  settlesAt: Schema.optionalKey(Schema.Int),
  /** What the key answers: the payment, or the 500 that the caller got although it was charged. */
  answer: Schema.Literals(["payment", "error"])
})

const PaymentAuthorised = Schema.Struct({ type: Schema.Literal("payment.authorised"), ...change })

const PaymentFailed = Schema.Struct({
  type: Schema.Literal("payment.failed"),
  ...change,
  failureCode: SandboxFailureCode
})

/** `requested` is what the caller asked for, `null` for "all of it": the key remembers the request by it. */
const PaymentCaptured = Schema.Struct({
  type: Schema.Literal("payment.captured"),
  ...change,
  key: Schema.String,
  requested: Schema.NullOr(Schema.Int),
  amount: Schema.Int,
  /** Present where the buyer's bank asks for it back at once. */
  dispute: Schema.optionalKey(Schema.Literal("open"))
})

const PaymentVoided = Schema.Struct({ type: Schema.Literal("payment.voided"), ...change })

const PaymentRefunded = Schema.Struct({
  type: Schema.Literal("payment.refunded"),
  ...change,
  key: Schema.String,
  refundId: Schema.String,
  amount: Schema.Int
})

const PaymentDisputed = Schema.Struct({
  type: Schema.Literal("payment.disputed"),
  ...change,
  outcome: SandboxDispute
})

/** An attempt that was answered 500 and moved no money; counted so that the next attempt works. */
const AttemptFailed = Schema.Struct({
  type: Schema.Literals(["payment.capture_attempt_failed", "payment.refund_attempt_failed"]),
  ...line,
  id: Schema.String
})

/** A webhook needs no more attempts: it was taken, or given up after the last one. */
const WebhookSettled = Schema.Struct({
  type: Schema.Literals(["webhook.delivered", "webhook.abandoned"]),
  ...line,
  webhook: Schema.String
})

export const LedgerEvent = Schema.Union([
  LedgerOpened,
  PaymentCreated,
  PaymentAuthorised,
  PaymentFailed,
  PaymentCaptured,
  PaymentVoided,
  PaymentRefunded,
  PaymentDisputed,
  AttemptFailed,
  WebhookSettled
])
export type LedgerEvent = typeof LedgerEvent.Type

export type EventOf<T extends LedgerEvent["type"]> = Extract<LedgerEvent, { readonly type: T }>
