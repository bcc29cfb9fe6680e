/**
 * The provider's rules as a pure function: {@link decide} looks at the ledger and a command and says what is to be
 * written and answered. It does no I/O and reads no clock; ids and time come with the command as its {@link Stamp}.
 *
 * A key is spent by a command that ran, and then answers for ever what it answered first. A command that is refused
 * (a bad state, an error before anything happened) writes nothing, so the same key may try again.
 */
import type { SandboxDispute, SandboxErrorType } from "@onsale/contracts/payments/Sandbox"
import type { EventOf, LedgerEvent } from "./LedgerEvent.ts"
import { fingerprint, isVoidable, type KeyRecord, type LedgerState, type Payment } from "./LedgerState.ts"
import { behaviourOf, looksLikeCardNumber } from "./Method.ts"

export type Command =
  | {
      readonly type: "create"
      readonly key: string
      readonly amount: number
      readonly currency: string
      readonly method: string
      readonly reference: string
      readonly returnUrl?: string | undefined
    }
  | { readonly type: "capture"; readonly key: string; readonly id: string; readonly amount: number | null }
  | { readonly type: "void"; readonly id: string }
  | { readonly type: "refund"; readonly key: string; readonly id: string; readonly amount: number }
  /** The buyer's answer on the 3-D Secure page. */
  | { readonly type: "authenticate"; readonly id: string; readonly approve: boolean }
  /** What the buyer's bank does: it asks for the money, or that is decided. */
  | { readonly type: "dispute"; readonly id: string; readonly outcome: SandboxDispute }
  /** The time of a late payment has come. */
  | { readonly type: "settle"; readonly id: string }

/** Which changes are told by webhook: all, those that no call of the merchant made, or none. */
export type WebhookPolicy = "all" | "asynchronous" | "none"

/** `at` is Unix time in ms, `unique` a fresh UUIDv7 for the ids that the command may need. */
export interface Stamp {
  readonly at: number
  readonly unique: string
  readonly webhooks: WebhookPolicy
}

export interface Refusal {
  readonly status: number
  readonly type: SandboxErrorType
  readonly code: string
  readonly message: string
}

export type Decision =
  /** Write `event`, then answer: with the payment (or the refund) after it, with a 500, or never. */
  | { readonly type: "commit"; readonly event: LedgerEvent; readonly answer: "given" | "error" | "held" }
  /** The key ran before: the same answer again. */
  | { readonly type: "replay"; readonly record: KeyRecord }
  /** What was asked for is so already. */
  | { readonly type: "unchanged"; readonly payment: Payment }
  | { readonly type: "refuse"; readonly refusal: Refusal }

/** Decides one command. The caller applies the event to the same state before it decides the next. */
export const decide = (state: LedgerState, command: Command, stamp: Stamp): Decision => {
  switch (command.type) {
    case "create":
      return spent(state, command.key, fingerprint.create(command)) ?? create(state, command, stamp)
    case "capture": {
      const print = fingerprint.capture(command.id, command.amount)
      return (
        spent(state, command.key, print) ?? withPayment(state, command.id, capture(state, command, stamp))
      )
    }
    case "refund": {
      const print = fingerprint.refund(command.id, command.amount)
      return spent(state, command.key, print) ?? withPayment(state, command.id, refund(state, command, stamp))
    }
    case "void":
      return withPayment(state, command.id, (payment) => {
        if (payment.status === "voided") return { type: "unchanged", payment }
        if (!isVoidable(payment.status)) return refuse(wrongState("payment_not_voidable", payment))
        return commit({ type: "payment.voided", ...change(state, payment.id, stamp, "all") })
      })
    case "authenticate":
      return withPayment(state, command.id, (payment) => {
        if (payment.status !== "requires_action") return { type: "unchanged", payment }
        const line = change(state, payment.id, stamp, "asynchronous")
        return command.approve
          ? commit({ type: "payment.authorised", ...line })
          : commit({ type: "payment.failed", ...line, failureCode: "authentication_failed" })
      })
    case "dispute":
      return withPayment(state, command.id, (payment) => {
        if (payment.dispute === command.outcome) return { type: "unchanged", payment }
        if (payment.captured === 0 || (payment.dispute !== "open") !== (command.outcome === "open"))
          return refuse(wrongState("payment_not_disputable", payment))
        return commit({
          type: "payment.disputed",
          ...change(state, payment.id, stamp, "asynchronous"),
          outcome: command.outcome
        })
      })
    case "settle":
      return withPayment(state, command.id, (payment) =>
        payment.status === "processing"
          ? commit({ type: "payment.authorised", ...change(state, payment.id, stamp, "asynchronous") })
          : { type: "unchanged", payment }
      )
  }
}

const create = (
  state: LedgerState,
  command: Extract<Command, { readonly type: "create" }>,
  stamp: Stamp
): Decision => {
  if (looksLikeCardNumber(command.method) || looksLikeCardNumber(command.reference)) return refuse(cardNumber)
  const behaviour = behaviourOf(command.method)
  if (behaviour === undefined) return refuse(unknownMethod)
  if (behaviour.create === "error_before") return refuse(providerError)
  const told = behaviour.outcome === "authorised" || behaviour.outcome === "failed"
  const { webhook, ...line } = change(state, `pay_${stamp.unique}`, stamp, "all")
  const event: EventOf<"payment.created"> = {
    type: "payment.created",
    ...line,
    key: command.key,
    amount: command.amount,
    currency: command.currency,
    method: command.method,
    reference: command.reference,
    status: behaviour.outcome,
    answer: behaviour.create === "error_after" ? "error" : "payment",
    ...(command.returnUrl === undefined ? {} : { returnUrl: command.returnUrl }),
    ...(behaviour.outcome === "failed" ? { failureCode: "card_declined" } : {}),
    ...(behaviour.settleAfterMs === undefined ? {} : { settlesAt: stamp.at + behaviour.settleAfterMs }),
    ...(told && webhook !== undefined ? { webhook } : {})
  }
  return commit(
    event,
    behaviour.create === "hold" ? "held" : behaviour.create === "answer" ? "given" : "error"
  )
}

const capture =
  (state: LedgerState, command: Extract<Command, { readonly type: "capture" }>, stamp: Stamp) =>
  (payment: Payment): Decision => {
    if (payment.status !== "authorised") return refuse(wrongState("payment_not_capturable", payment))
    const amount = command.amount ?? payment.amount
    if (amount > payment.amount) return refuse(tooMuch("capture_exceeds_authorised", payment.amount))
    const mood = behaviourOf(payment.method)?.capture
    if (mood === "error_first" && payment.failedCaptures === 0) {
      const event = {
        type: "payment.capture_attempt_failed",
        n: state.n + 1,
        at: stamp.at,
        id: payment.id
      } as const
      return commit(event, "error")
    }
    return commit(
      {
        type: "payment.captured",
        ...change(state, payment.id, stamp, "all"),
        key: command.key,
        requested: command.amount,
        amount,
        ...(behaviourOf(payment.method)?.disputed === true ? { dispute: "open" as const } : {})
      },
      mood === "hold_first" ? "held" : "given"
    )
  }

const refund =
  (state: LedgerState, command: Extract<Command, { readonly type: "refund" }>, stamp: Stamp) =>
  (payment: Payment): Decision => {
    if (payment.status !== "captured" && payment.status !== "refunded") {
      return refuse(wrongState("payment_not_refundable", payment))
    }
    const left = payment.captured - payment.refunded
    if (command.amount > left) return refuse(tooMuch("refund_exceeds_captured", left))
    if (behaviourOf(payment.method)?.refund === "error_first" && payment.failedRefunds === 0) {
      const event = {
        type: "payment.refund_attempt_failed",
        n: state.n + 1,
        at: stamp.at,
        id: payment.id
      } as const
      return commit(event, "error")
    }
    return commit({
      type: "payment.refunded",
      ...change(state, payment.id, stamp, "all"),
      key: command.key,
      refundId: `re_${stamp.unique}`,
      amount: command.amount
    })
  }

const spent = (state: LedgerState, key: string, print: string): Decision | undefined => {
  const record = state.keys.get(key)
  if (record === undefined) return undefined
  return record.fingerprint === print ? { type: "replay", record } : refuse(keyReused)
}

const withPayment = (state: LedgerState, id: string, use: (payment: Payment) => Decision): Decision => {
  const payment = state.payments.get(id)
  return payment === undefined ? refuse(unknownPayment) : use(payment)
}

const change = (
  state: LedgerState,
  id: string,
  stamp: Stamp,
  from: "all" | "asynchronous"
): { readonly n: number; readonly at: number; readonly id: string; readonly webhook?: string } => {
  const line = { n: state.n + 1, at: stamp.at, id }
  return stamp.webhooks === "all" || stamp.webhooks === from
    ? { ...line, webhook: `evt_${stamp.unique}` }
    : line
}

const commit = (event: LedgerEvent, answer: "given" | "error" | "held" = "given"): Decision => ({
  type: "commit",
  event,
  answer
})

const refuse = (refusal: Refusal): Decision => ({ type: "refuse", refusal })

/** The 500 of every token that errs. */
export const providerError: Refusal = {
  status: 500,
  type: "api_error",
  code: "provider_error",
  message: "Something went wrong on our side"
}

export const unknownPayment: Refusal = {
  status: 404,
  type: "invalid_request",
  code: "payment_unknown",
  message: "There is no such payment"
}

export const cardNumber: Refusal = {
  status: 400,
  type: "invalid_request",
  code: "card_number_refused",
  message: "Card numbers are never accepted here: send a method token"
}

const unknownMethod: Refusal = {
  status: 400,
  type: "invalid_request",
  code: "method_unknown",
  message: "There is no such method token"
}

const keyReused: Refusal = {
  status: 422,
  type: "idempotency_error",
  code: "key_reused",
  message: "The idempotency key was used before with another request"
}

const wrongState = (code: string, payment: Payment): Refusal => ({
  status: 409,
  type: "invalid_state",
  code,
  message: `The payment is ${payment.status}`
})

const tooMuch = (code: string, most: number): Refusal => ({
  status: 409,
  type: "invalid_state",
  code,
  message: `At most ${most} minor units are left for that`
})
