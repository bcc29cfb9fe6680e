/** How the ledger's payments look on the wire. */
import type {
  SandboxErrorBody,
  SandboxLedgerPayment,
  SandboxPayment,
  SandboxRefund,
  SandboxWebhook
} from "@onsale/contracts/payments/Sandbox"
import type { Refusal } from "./Ledger.ts"
import type { OwedWebhook, Payment, Refund } from "./LedgerState.ts"

const iso = (ms: number): string => new Date(ms).toISOString()

/** `origin` is where this process serves now, so the page of an old payment is found again after a restart. */
export const payment = (value: Payment, origin: string): SandboxPayment => ({
  id: value.id,
  status: value.status,
  amount: value.amount,
  currency: value.currency,
  captured: value.captured,
  refunded: value.refunded,
  reference: value.reference,
  ...(value.failureCode === undefined ? {} : { failureCode: value.failureCode }),
  ...(value.status === "requires_action"
    ? { nextAction: { type: "redirect" as const, url: `${origin}/3ds/${value.id}` } }
    : {}),
  ...(value.dispute === undefined ? {} : { dispute: value.dispute }),
  createdAt: iso(value.createdAt)
})

export const refund = (value: Refund, of: Payment, origin: string): SandboxRefund => ({
  id: value.id,
  paymentId: of.id,
  amount: value.amount,
  currency: of.currency,
  status: "succeeded",
  createdAt: iso(value.createdAt),
  payment: payment(of, origin)
})

export const ledgerPayment = (value: Payment, origin: string): SandboxLedgerPayment => ({
  ...payment(value, origin),
  idempotencyKey: value.key,
  method: value.method,
  refunds: value.refunds.map((one) => ({
    id: one.id,
    idempotencyKey: one.key,
    amount: one.amount,
    createdAt: iso(one.createdAt)
  }))
})

/** A webhook tells an outcome, never that the buyer has to act: no page of ours is linked from it. */
export const webhook = (value: OwedWebhook): SandboxWebhook => ({
  id: value.id,
  type: value.type,
  createdAt: iso(value.createdAt),
  data: payment(value.payment, "")
})

export const error = (refusal: Refusal): SandboxErrorBody => ({
  error: { type: refusal.type, code: refusal.code, message: refusal.message }
})
