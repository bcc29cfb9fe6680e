/**
 * The ledger in memory: what a list of {@link LedgerEvent}s adds up to. {@link apply} is the only way to change it,
 * live and at start alike, and it dies on an event that would break an invariant of the ledger:
 *
 * - captured never passes what was authorised, refunded never passes what was captured;
 * - an idempotency key runs once, so it authorises at most once;
 * - money moves only along the arrows of {@link SandboxPaymentStatus}.
 */
import type {
  SandboxDispute,
  SandboxFailureCode,
  SandboxPaymentStatus,
  SandboxWebhookType
} from "@onsale/contracts/payments/Sandbox"
import type { LedgerEvent } from "./LedgerEvent.ts"

export interface Refund {
  readonly id: string
  readonly key: string
  readonly amount: number
  readonly createdAt: number
}

/** Never changed in place: an answer given for a key keeps the payment as it was then. Amounts in minor units. */
export interface Payment {
  readonly id: string
  /** The idempotency key it was created with. */
  readonly key: string
  readonly status: SandboxPaymentStatus
  readonly amount: number
  readonly currency: string
  readonly method: string
  readonly reference: string
  readonly returnUrl: string | undefined
  readonly captured: number
  readonly refunded: number
  readonly failureCode: SandboxFailureCode | undefined
  /** When a payment that is `processing` becomes authorised, Unix ms. */
  readonly settlesAt: number | undefined
  readonly createdAt: number
  readonly refunds: ReadonlyArray<Refund>
  readonly dispute: SandboxDispute | undefined
  readonly failedCaptures: number
  readonly failedRefunds: number
}

/** What a money call answered, kept for as long as the ledger. */
export interface KeyRecord {
  /** The line of the event; the record may be told only once that line is on disk. */
  readonly n: number
  /** The request in a canonical form: another one under the same key is refused. */
  readonly fingerprint: string
  readonly answer: "payment" | "refund" | "error"
  readonly payment: Payment
  readonly refund: Refund | undefined
}

export interface OwedWebhook {
  readonly n: number
  readonly id: string
  readonly type: SandboxWebhookType
  readonly createdAt: number
  readonly payment: Payment
}

export interface LedgerState {
  /** The line of the newest event. */
  n: number
  readonly payments: Map<string, Payment>
  /** Their ids, the oldest first. */
  readonly order: Array<string>
  readonly keys: Map<string, KeyRecord>
  readonly references: Map<string, Array<string>>
  /** Undelivered webhooks, oldest first. */
  readonly webhooks: Map<string, OwedWebhook>
  abandoned: number
}

export const empty = (): LedgerState => ({
  n: 0,
  payments: new Map(),
  order: [],
  keys: new Map(),
  references: new Map(),
  webhooks: new Map(),
  abandoned: 0
})

/** The canonical form of a request, by which a key knows it again. */
export const fingerprint = {
  create: (request: {
    readonly amount: number
    readonly currency: string
    readonly method: string
    readonly reference: string
    readonly returnUrl?: string | undefined
  }) =>
    JSON.stringify([
      "create",
      request.amount,
      request.currency,
      request.method,
      request.reference,
      request.returnUrl ?? null
    ]),
  capture: (id: string, requested: number | null) => JSON.stringify(["capture", id, requested]),
  refund: (id: string, amount: number) => JSON.stringify(["refund", id, amount])
}

class LedgerBroken extends Error {
  override readonly name = "LedgerBroken"
}

const must: (condition: boolean, rule: string, event: LedgerEvent) => asserts condition = (
  condition,
  rule,
  event
) => {
  if (!condition) throw new LedgerBroken(`line ${event.n} (${event.type}): ${rule}`)
}

/** Changes `state` by one event, in place. Throws on an event that breaks an invariant; the process must not go on. */
export const apply = (state: LedgerState, event: LedgerEvent): void => {
  must(event.n === state.n + 1, `follows line ${state.n}`, event)
  switch (event.type) {
    case "payment.created":
      created(state, event)
      break
    case "payment.authorised": {
      const payment = existing(state, event)
      must(payment.status === "requires_action" || payment.status === "processing", "authorised once", event)
      update(state, event, { ...payment, status: "authorised", settlesAt: undefined })
      break
    }
    case "payment.failed": {
      const payment = existing(state, event)
      must(
        payment.status === "requires_action" || payment.status === "processing",
        "fails before it is paid",
        event
      )
      update(state, event, {
        ...payment,
        status: "failed",
        failureCode: event.failureCode,
        settlesAt: undefined
      })
      break
    }
    case "payment.captured": {
      const payment = existing(state, event)
      must(payment.status === "authorised" && payment.captured === 0, "captured once, when authorised", event)
      must(event.amount > 0 && event.amount <= payment.amount, "captured at most what was authorised", event)
      const print = fingerprint.capture(event.id, event.requested)
      keep(state, event, event.key, print, "payment", undefined, {
        ...payment,
        status: "captured",
        captured: event.amount,
        dispute: event.dispute
      })
      break
    }
    case "payment.voided": {
      const payment = existing(state, event)
      must(isVoidable(payment.status), "voided before it is captured", event)
      update(state, event, { ...payment, status: "voided", settlesAt: undefined })
      break
    }
    case "payment.refunded": {
      const payment = existing(state, event)
      const refunded = payment.refunded + event.amount
      must(event.amount > 0 && refunded <= payment.captured, "refunded at most what was captured", event)
      const refund = { id: event.refundId, key: event.key, amount: event.amount, createdAt: event.at }
      keep(state, event, event.key, fingerprint.refund(event.id, event.amount), "refund", refund, {
        ...payment,
        status: refunded === payment.captured ? "refunded" : "captured",
        refunded,
        refunds: [...payment.refunds, refund]
      })
      break
    }
    case "payment.disputed": {
      const payment = existing(state, event)
      must(payment.captured > 0, "what was captured can be disputed", event)
      must((payment.dispute === "open") !== (event.outcome === "open"), "is opened, then decided", event)
      update(state, event, { ...payment, dispute: event.outcome })
      break
    }
    case "payment.capture_attempt_failed": {
      const payment = existing(state, event)
      state.payments.set(payment.id, { ...payment, failedCaptures: payment.failedCaptures + 1 })
      break
    }
    case "payment.refund_attempt_failed": {
      const payment = existing(state, event)
      state.payments.set(payment.id, { ...payment, failedRefunds: payment.failedRefunds + 1 })
      break
    }
    case "webhook.delivered":
      state.webhooks.delete(event.webhook)
      break
    case "webhook.abandoned":
      if (state.webhooks.delete(event.webhook)) state.abandoned++
      break
    case "ledger.opened":
      break
  }
  state.n = event.n
}

export const isVoidable = (status: SandboxPaymentStatus): boolean =>
  status === "authorised" || status === "requires_action" || status === "processing"

type ChangeEvent = Extract<LedgerEvent, { readonly type: "payment.created" | SandboxWebhookType }>

const created = (
  state: LedgerState,
  event: Extract<LedgerEvent, { readonly type: "payment.created" }>
): void => {
  must(!state.payments.has(event.id), "a payment is created once", event)
  const payment: Payment = {
    id: event.id,
    key: event.key,
    status: event.status,
    amount: event.amount,
    currency: event.currency,
    method: event.method,
    reference: event.reference,
    returnUrl: event.returnUrl,
    captured: 0,
    refunded: 0,
    failureCode: event.failureCode,
    settlesAt: event.settlesAt,
    createdAt: event.at,
    refunds: [],
    dispute: undefined,
    failedCaptures: 0,
    failedRefunds: 0
  }
  keep(state, event, event.key, fingerprint.create(event), event.answer, undefined, payment)
  state.order.push(event.id)
  const others = state.references.get(event.reference)
  if (others === undefined) state.references.set(event.reference, [event.id])
  else others.push(event.id)
}

const existing = (state: LedgerState, event: LedgerEvent & { readonly id: string }): Payment => {
  const payment = state.payments.get(event.id)
  must(payment !== undefined, "its payment exists", event)
  return payment
}

const keep = (
  state: LedgerState,
  event: ChangeEvent,
  key: string,
  print: string,
  answer: KeyRecord["answer"],
  refund: Refund | undefined,
  payment: Payment
): void => {
  must(!state.keys.has(key), "a key runs once", event)
  state.keys.set(key, { n: event.n, fingerprint: print, answer, payment, refund })
  update(state, event, payment)
}

const update = (state: LedgerState, event: ChangeEvent, payment: Payment): void => {
  state.payments.set(payment.id, payment)
  if (event.webhook === undefined) return
  const type = webhookType(payment, event)
  state.webhooks.set(event.webhook, { n: event.n, id: event.webhook, type, createdAt: event.at, payment })
}

/** A payment that is created authorised or failed tells so like one that became it later. */
const webhookType = (payment: Payment, event: ChangeEvent): SandboxWebhookType => {
  if (event.type !== "payment.created") return event.type
  must(payment.status === "authorised" || payment.status === "failed", "a webhook tells an outcome", event)
  return payment.status === "authorised" ? "payment.authorised" : "payment.failed"
}
