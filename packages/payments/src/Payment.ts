/**
 * The payment of one order as a pure state machine: no I/O, no clock.
 *
 * `decide` says what a command means, and `observe` in `PaymentAnswer.ts` what an answer of the provider
 * means: both give the domain events to append, and an empty list where nothing is new. `evolve` applies
 * an event. `nextCall` in `PaymentCall.ts` says which call the provider is owed next.
 *
 * The provider decides whether money moved. Its answers may be repeated, out of order, or come after
 * the payment has ended here: such late money waits for the order's word. It is taken after all, or given
 * back: an authorisation by a void and a capture by a refund.
 */
import { type PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import type {
  NewPayment,
  NextAction,
  PaymentEvent,
  PaymentStatus,
  PaymentView
} from "@onsale/contracts/payments/PaymentIntent"

export interface Refund {
  /** Minor units. */
  readonly amount: number
  readonly made: boolean
  /** Of the request that asked for it; that of the payment when left out. */
  readonly correlation?: string
}

/** How a dispute over the payment stands: the buyer's bank asks for the money, or that was decided. */
export type Dispute = "open" | "won" | "lost"

export interface Payment {
  readonly intentId: PaymentIntentId
  readonly payment: NewPayment
  readonly provider: string
  /** Providers that it was taken from, the first one first: it never goes back to them. */
  readonly left: ReadonlyArray<string>
  /** The provider's id for it; null before its first answer. */
  readonly reference: string | null
  /** What the money does; a dispute stands beside it, see `statusOf`. */
  readonly status: Exclude<PaymentStatus, "disputed">
  readonly captured: number
  readonly refunded: number
  readonly refunds: ReadonlyMap<RefundId, Refund>
  readonly failureCode: string | null
  readonly nextAction: NextAction | null
  /** It shall not be charged any more: what the provider holds or will hold is given back. */
  readonly voidRequested: boolean
  /** It ended without success here, and yet the provider holds an authorisation: to be voided. */
  readonly undo: boolean
  /** It ended without success here, and then money came, that the order has not said a word about. */
  readonly late: boolean
  /** The newest dispute; null where there was none. */
  readonly dispute: Dispute | null
  /** What an open dispute is about: minor units that were captured and not paid back when it began. */
  readonly disputed: number
}

/** More refunds of one order than it has tickets are an error of somebody's. */
export const maxRefunds = 256

/** A buyer waits: after three providers that did nothing a fourth is worth a try, a fifth is not. */
export const maxReroutes = 3

export type Command =
  | { readonly _tag: "Authorise"; readonly payment: NewPayment; readonly provider: string }
  | { readonly _tag: "Capture" }
  | { readonly _tag: "Void" }
  | {
      readonly _tag: "Refund"
      readonly refundId: RefundId
      readonly amount: number
      readonly correlation?: string
    }

export type Decision =
  | { readonly _tag: "Accepted"; readonly events: ReadonlyArray<PaymentEvent> }
  | { readonly _tag: "Refused" }

export const isCaptured = (status: PaymentStatus): boolean =>
  status === "captured" || status === "partially_refunded" || status === "refunded"

/** Not ended: it may still be charged. */
export const isOpen = (status: PaymentStatus): boolean =>
  status === "created" || status === "processing" || status === "requires_action" || status === "authorised"

/** It shall not be charged, or not any more. */
export const isClosed = (state: Payment): boolean =>
  state.voidRequested || state.status === "voided" || state.status === "failed"

/** The provider has never told us of it. */
export const isUnanswered = (state: Payment): boolean =>
  state.reference === null && (state.status === "created" || state.status === "processing")

/**
 * Whether another provider may be asked in its place, as far as is recorded: its own has told nothing, and no outcome
 * was ever unknown. Who asks must know besides that its provider has done nothing: see ADR 0015.
 */
export const mayReroute = (state: Payment): boolean =>
  state.payment.provider === null &&
  state.payment.amount > 0 &&
  state.status === "created" &&
  state.reference === null &&
  !isClosed(state) &&
  state.left.length < maxReroutes

// --- commands -----------------------------------------------------------------------------------

const refused: Decision = { _tag: "Refused" }
const accepted = (...events: ReadonlyArray<PaymentEvent>): Decision => ({ _tag: "Accepted", events })

/** What a command means. An accepted one without events was heard before: it goes on from where the payment stands. */
export const decide = (state: Payment | null, command: Command): Decision => {
  if (state === null) {
    return command._tag === "Authorise"
      ? accepted({ _tag: "Created", payment: command.payment, provider: command.provider })
      : refused
  }
  switch (command._tag) {
    case "Authorise":
      return samePayment(state.payment, command.payment) ? accepted() : refused
    case "Capture":
      if (state.late) return accepted({ _tag: "Reinstated" })
      // What is not answered may be authorised, and the process that knew is gone.
      return !isClosed(state) &&
        (state.status === "authorised" || isCaptured(state.status) || isUnanswered(state))
        ? accepted()
        : refused
    case "Void":
      if (state.late) return accepted(...refuseLateMoney(state))
      if (isClosed(state)) return accepted()
      return isOpen(state.status) ? accepted({ _tag: "VoidRequested" }) : refused
    case "Refund":
      return decideRefund(state, command)
  }
}

/** A payment is undone once, so its own id names the refund. */
export const undoRefundId = (intentId: PaymentIntentId): RefundId => RefundId.make(intentId)

const refuseLateMoney = (state: Payment): ReadonlyArray<PaymentEvent> => [
  { _tag: "LateMoneyRefused" },
  ...(isCaptured(state.status)
    ? [{ _tag: "RefundRequested", refundId: undoRefundId(state.intentId), amount: state.captured } as const]
    : [])
]

const decideRefund = (
  state: Payment,
  { amount, correlation, refundId }: Extract<Command, { readonly _tag: "Refund" }>
): Decision => {
  const known = state.refunds.get(refundId)
  if (known !== undefined) return known.amount === amount ? accepted() : refused
  if (!isCaptured(state.status) || state.refunds.size >= maxRefunds) return refused
  let requested = 0
  for (const refund of state.refunds.values()) requested += refund.amount
  if (!(Number.isSafeInteger(amount) && amount >= 0 && requested + amount <= state.captured)) return refused
  const request = {
    _tag: "RefundRequested",
    refundId,
    amount,
    ...(correlation === undefined ? {} : { correlation })
  } as const
  // A ticket that was free is given back without a provider.
  return amount === 0 ? accepted(request, { _tag: "Refunded", refundId, amount }) : accepted(request)
}

const samePayment = (a: NewPayment, b: NewPayment): boolean =>
  a.orderId === b.orderId &&
  a.amount === b.amount &&
  a.currency === b.currency &&
  a.method === b.method &&
  a.provider === b.provider

/** Of the request that a refund stems from, or the payment itself. */
export const correlationOf = (state: Payment, refundId: RefundId | null): string | undefined =>
  (refundId === null ? undefined : state.refunds.get(refundId)?.correlation) ?? state.payment.correlation

// --- what is unfinished --------------------------------------------------------------------------

/** Requested and not made yet, the oldest first. */
export const waitingRefunds = (state: Payment): ReadonlyArray<readonly [RefundId, Refund]> =>
  [...state.refunds].filter(([, refund]) => !refund.made)

/**
 * `open`: something is unfinished, and the supervisor looks again until it is not. `late`: it was
 * voided before the provider knew of it; a request that was still on its way may yet arrive there.
 */
export type Watch = "open" | "late" | "settled"

export const watch = (state: Payment): Watch => {
  if (state.undo || state.late || isOpen(state.status)) return "open"
  if (isCaptured(state.status)) return waitingRefunds(state).length > 0 ? "open" : "settled"
  return state.status === "voided" && state.reference === null ? "late" : "settled"
}

// --- events -------------------------------------------------------------------------------------

class PaymentInvariantBroken extends Error {
  override readonly name = "PaymentInvariantBroken"
}

const must: (condition: boolean, rule: string, event: PaymentEvent) => asserts condition = (
  condition,
  rule,
  event
) => {
  if (!condition) throw new PaymentInvariantBroken(`${event._tag}: ${rule}`)
}

/** Applies an event. Throws on one that breaks an invariant: a journal that holds it must not be built upon. */
export const evolve = (intentId: PaymentIntentId, state: Payment | null, event: PaymentEvent): Payment => {
  if (event._tag === "Created") {
    must(state === null, "is the first event", event)
    return created(intentId, event.payment, event.provider)
  }
  must(state !== null, "follows Created", event)
  switch (event._tag) {
    case "Rerouted":
      must(mayReroute(state), "nobody can have been charged", event)
      must(
        event.provider !== state.provider && !state.left.includes(event.provider),
        "goes to a new provider",
        event
      )
      return { ...state, provider: event.provider, left: [...state.left, state.provider] }
    case "RequiresAction":
      must(isOpen(state.status), "the payment is open", event)
      return { ...state, status: "requires_action", reference: event.reference, nextAction: event.nextAction }
    case "Processing":
      must(isOpen(state.status), "the payment is open", event)
      return {
        ...state,
        status: "processing",
        reference: event.reference ?? state.reference,
        nextAction: null
      }
    case "Authorised":
      must(!isCaptured(state.status), "comes before the capture", event)
      return isOpen(state.status)
        ? { ...state, status: "authorised", reference: event.reference, nextAction: null }
        : { ...state, reference: event.reference, late: true }
    case "Failed":
      must(isOpen(state.status), "the payment is open", event)
      return {
        ...state,
        status: "failed",
        reference: event.reference ?? state.reference,
        failureCode: event.code,
        nextAction: null
      }
    case "Captured":
      must(!isCaptured(state.status), "captured at most once", event)
      must(event.amount <= state.payment.amount, "captured at most the amount", event)
      return {
        ...state,
        status: "captured",
        captured: event.amount,
        nextAction: null,
        undo: false,
        late: isClosed(state)
      }
    case "VoidRequested":
      must(isOpen(state.status), "the payment is open", event)
      return { ...state, voidRequested: true }
    case "Voided":
      must(!isCaptured(state.status), "comes before the capture", event)
      return {
        ...state,
        status: state.status === "failed" ? "failed" : "voided",
        nextAction: null,
        undo: false,
        late: false
      }
    case "Reinstated":
      must(state.late, "there is late money", event)
      return {
        ...state,
        status: isCaptured(state.status) ? state.status : "authorised",
        voidRequested: false,
        failureCode: null,
        late: false
      }
    case "LateMoneyRefused":
      must(state.late, "there is late money", event)
      return { ...state, late: false, undo: !isCaptured(state.status) }
    case "RefundRequested":
      must(
        isCaptured(state.status) && !state.refunds.has(event.refundId),
        "follows the capture, once an id",
        event
      )
      return {
        ...withRefund(state, event.refundId, {
          amount: event.amount,
          made: false,
          ...(event.correlation === undefined ? {} : { correlation: event.correlation })
        }),
        // Who wants it back does not want it.
        late: false
      }
    case "Refunded":
      return refundMade(state, event)
    case "Disputed":
      must(isCaptured(state.status) && state.dispute !== "open", "follows the capture, one at a time", event)
      return { ...state, dispute: "open", disputed: state.captured - state.refunded }
    case "DisputeClosed":
      must(state.dispute === "open", "closes an open one", event)
      return { ...state, dispute: event.won ? "won" : "lost", disputed: 0 }
  }
}

const created = (intentId: PaymentIntentId, payment: NewPayment, provider: string): Payment => ({
  intentId,
  payment,
  provider,
  left: [],
  reference: null,
  status: "created",
  captured: 0,
  refunded: 0,
  refunds: new Map(),
  failureCode: null,
  nextAction: null,
  voidRequested: false,
  undo: false,
  late: false,
  dispute: null,
  disputed: 0
})

const refundMade = (state: Payment, event: Extract<PaymentEvent, { readonly _tag: "Refunded" }>): Payment => {
  const refund = state.refunds.get(event.refundId)
  must(
    refund !== undefined && !refund.made && refund.amount === event.amount,
    "was requested, is made once",
    event
  )
  const refunded = state.refunded + event.amount
  must(refunded <= state.captured, "refunded at most what was captured", event)
  return {
    ...withRefund(state, event.refundId, { ...refund, made: true }),
    refunded,
    status: refunded === state.captured ? "refunded" : refunded > 0 ? "partially_refunded" : state.status
  }
}

const withRefund = (state: Payment, refundId: RefundId, refund: Refund): Payment => ({
  ...state,
  refunds: new Map(state.refunds).set(refundId, refund)
})

export const evolveAll = (
  intentId: PaymentIntentId,
  state: Payment | null,
  events: ReadonlyArray<PaymentEvent>
): Payment | null => {
  let next = state
  for (const event of events) next = evolve(intentId, next, event)
  return next
}

/** An open dispute is what others must see first; when it is over the status is again what the money does. */
export const statusOf = (state: Payment): PaymentStatus =>
  state.dispute === "open" && state.status !== "refunded" ? "disputed" : state.status

/** The payment as others see it. */
export const view = (state: Payment): PaymentView => ({
  intentId: state.intentId,
  orderId: state.payment.orderId,
  provider: state.provider,
  status: statusOf(state),
  amount: state.payment.amount,
  currency: state.payment.currency,
  captured: state.captured,
  refunded: state.refunded,
  failureCode: state.failureCode,
  nextAction: state.nextAction,
  providerReference: state.reference,
  ...(state.late ? { late: true } : {})
})
