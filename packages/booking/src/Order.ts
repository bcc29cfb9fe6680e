/**
 * The checkout of an order, as a state machine. Pure: `next` says which step to take from where the
 * order stands, `decide` what its outcome means. Every step may be taken again at any time: it is
 * known by the order at whoever carries it out.
 *
 *  0. (before there is an order) Freeze the hold's clock, and write `Placed`
 *  1. Authorise       the payment.           Undone by GiveMoneyBack
 *     AskPayment      while the buyer acts, or the provider thinks
 *     LapsePayment    when the hold's time is over: void what is not authorised by now
 *  2. ConfirmSeats    sell them to the order. Undone by ReturnSeats
 *  3. Capture         the money.             Undone by GiveMoneyBack
 *  4. IssueTickets    and the order is confirmed
 *
 * Money that comes after the order has ended (AskLateMoney): one that was cancelled for want of it goes on at 2, and
 * gets the same seats if they are free; else, and from any other, it is given back.
 *
 * When a step fails for good the order is abandoned, and undone from the last step back:
 * GiveMoneyBack (void, or refund) → ReturnSeats → Unfreeze → `Cancelled`. Seats are given away only
 * after the money is known to be back. A payment that is declined ends with Unfreeze → `PaymentDeclined`.
 *
 * A refund of a confirmed order: RefundMoney → ReturnTickets → `Refunded`. Its tickets stop being
 * valid with `RefundRequested` already, so that a seat is never sold again while its ticket admits.
 */
import { Data, Result } from "effect"
import type { RefundId, TicketId } from "@onsale/contracts/Ids"
import type { OrderEvent, OrderRefund, RefundCause } from "@onsale/contracts/booking/Order"
import type { RefundPolicy } from "@onsale/contracts/catalog/SaleTerms"
import type { RefusalCode } from "@onsale/contracts/inventory/InventoryCommand"
import type { PaymentStatus, PaymentView } from "@onsale/contracts/payments/PaymentIntent"
import {
  claims,
  keptAmount,
  type Order,
  paymentTimeout,
  refundedAmount,
  takesLateMoney,
  validTickets
} from "./OrderState.ts"

export type Step = Data.TaggedEnum<{
  Authorise: {}
  AskPayment: {}
  LapsePayment: {}
  ConfirmSeats: {}
  Capture: {}
  IssueTickets: {}
  GiveMoneyBack: {}
  AskLateMoney: {}
  ReturnSeats: {}
  Unfreeze: {}
  RefundMoney: { readonly refund: OrderRefund }
  ReturnTickets: { readonly refund: OrderRefund }
  /** Nothing to do until somebody resumes the order. */
  Wait: {}
  Done: {}
}>
export const Step = Data.taggedEnum<Step>()

/** What came of a step. */
export type Outcome = Data.TaggedEnum<{
  /** The payment as it now stands; null where the payments know of none. */
  PaymentSeen: { readonly payment: PaymentView | null }
  /** The payments will not even create it, and say why. */
  PaymentRefused: { readonly code: string }
  SeatsSold: { readonly reclaimed: boolean }
  SeatsRefused: { readonly code: RefusalCode }
  TicketsNumbered: { readonly ids: ReadonlyArray<TicketId> }
  /** Nothing of the customer's is held any more; `status` is how the payment ended, null if there was none. */
  MoneyBack: { readonly status: PaymentStatus | null }
  SeatsBack: {}
  Unfrozen: {}
  RefundPaid: { readonly refundId: RefundId }
  TicketsBack: { readonly refundId: RefundId }
  /** It is not known whether the step was carried out. */
  Unavailable: {}
}>
export const Outcome = Data.taggedEnum<Outcome>()

/**
 * What this run through the steps has found out. It dies with the process: the steps it stands for
 * are then simply taken again.
 */
export interface Run {
  /** No run before this one can have taken a step: the order was placed just now, by us. */
  readonly first: boolean
  /** An order that ended without tickets is looked over again: is there money or a seat left of it? */
  readonly sweep: boolean
  readonly blocked: boolean
  /** The payment was asked for, and has to be waited for. */
  readonly asked: boolean
  readonly declined: { readonly provider: string; readonly code: string } | null
  readonly captured: boolean
  /** Whose money came after the order had ended, null where none did; undefined while that was not asked. */
  readonly lateMoney: string | null | undefined
  readonly moneyBack: { readonly status: PaymentStatus | null } | null
  readonly seatsBack: boolean
  readonly refundPaid: RefundId | null
}

const freshRun: Run = {
  first: false,
  sweep: false,
  blocked: false,
  asked: false,
  declined: null,
  captured: false,
  lateMoney: undefined,
  moneyBack: null,
  seatsBack: false,
  refundPaid: null
}

/** The run of whoever has just placed the order. */
export const firstRun: Run = { ...freshRun, first: true }
/** Any later one. */
export const laterRun: Run = { ...freshRun, sweep: true }

/** The step to take now. */
export const next = (order: Order, run: Run, nowMs: number): Step => {
  if (run.blocked) return Step.Wait()
  switch (order.stage) {
    case "placed":
    case "pending":
      if (run.declined !== null) return undo(run, false)
      if (run.asked) return Step.Wait()
      if (nowMs >= order.placed.payUntilMs) return Step.LapsePayment()
      return order.stage === "placed" ? Step.Authorise() : Step.AskPayment()
    case "authorised":
      return Step.ConfirmSeats()
    case "sold":
      return run.captured ? Step.IssueTickets() : Step.Capture()
    case "abandoned":
      return run.moneyBack === null ? Step.GiveMoneyBack() : undo(run, order.sold)
    case "confirmed": {
      const refund = order.refunds.find(({ status }) => status === "pending")
      if (refund === undefined) return Step.Done()
      return run.refundPaid === refund.id ? Step.ReturnTickets({ refund }) : Step.RefundMoney({ refund })
    }
    case "declined":
    case "cancelled":
      if (!run.sweep) return Step.Done()
      if (run.moneyBack === null) {
        return run.lateMoney === undefined ? Step.AskLateMoney() : Step.GiveMoneyBack()
      }
      return run.seatsBack ? Step.Done() : Step.ReturnSeats()
  }
}

/** A run that was cut off may have sold the seats and not come to write it down. */
const undo = (run: Run, sold: boolean): Step =>
  (sold || !run.first) && !run.seatsBack ? Step.ReturnSeats() : Step.Unfreeze()

/** What led to this step must be in the journal before it is taken, or a crash would forget the reason. */
export const needsJournal = (step: Step): boolean =>
  step._tag === "GiveMoneyBack" || step._tag === "ReturnSeats" || step._tag === "Unfreeze"

export interface Decision {
  readonly events: ReadonlyArray<OrderEvent>
  readonly run: Run
}

/** What the outcome of a step means. A step that answers with what is not an answer to it dies. */
export const decide = (order: Order, run: Run, step: Step, outcome: Outcome): Decision => {
  const nothing = (change: Partial<Run>): Decision => ({ events: [], run: { ...run, ...change } })
  const write = (...events: ReadonlyArray<OrderEvent>): Decision => ({ events, run })
  const abandon = (reason: string) => write({ _tag: "Abandoned", reason })
  if (outcome._tag === "Unavailable") return nothing({ blocked: true })
  const misfit = () => new Error(`order ${order.id}: ${outcome._tag} is no outcome of ${step._tag}`)

  switch (step._tag) {
    case "Authorise":
    case "AskPayment":
    case "LapsePayment": {
      if (outcome._tag === "PaymentRefused") {
        return nothing({ declined: { provider: order.provider ?? "", code: outcome.code } })
      }
      if (outcome._tag !== "PaymentSeen") throw misfit()
      const lapsed = step._tag === "LapsePayment"
      if (outcome.payment === null) return lapsed ? abandon(paymentTimeout) : nothing({ blocked: true })
      const { failureCode, nextAction, provider, status } = outcome.payment
      switch (status) {
        case "created":
        case "requires_action":
        case "processing":
          // After the void was sent, only its outcome can be waited for.
          if (lapsed) return nothing({ blocked: true })
          return {
            events: isKnown(order, outcome.payment)
              ? []
              : [{ _tag: "PaymentPending", provider, status, nextAction }],
            run: { ...run, asked: true }
          }
        case "authorised":
        case "captured":
        case "disputed":
          return write({ _tag: "PaymentAuthorised", provider })
        case "failed":
          return nothing({ declined: { provider, code: failureCode ?? "declined" } })
        case "voided":
        case "partially_refunded":
        case "refunded":
          return abandon(lapsed ? paymentTimeout : "payment_voided")
      }
    }
    case "ConfirmSeats":
      if (outcome._tag === "SeatsSold") return write({ _tag: "SeatsSold", reclaimed: outcome.reclaimed })
      if (outcome._tag === "SeatsRefused") return abandon(outcome.code)
      throw misfit()
    case "Capture": {
      if (outcome._tag !== "PaymentSeen") throw misfit()
      switch (outcome.payment?.status) {
        case "captured":
        // Disputed already, and all the same captured: the dispute is decided elsewhere.
        case "disputed":
          // A payment is captured once, so what is missing does not come any more: no ticket for part of the money.
          return outcome.payment.captured >= order.placed.total.amount
            ? nothing({ captured: true })
            : abandon("captured_in_part")
        case "created":
        case "requires_action":
        case "processing":
        case "authorised":
          // Whether it was captured is not known: the seats stay sold.
          return nothing({ blocked: true })
        default:
          return abandon("capture_failed")
      }
    }
    case "IssueTickets": {
      if (outcome._tag !== "TicketsNumbered") throw misfit()
      const { ids } = outcome
      return write({
        _tag: "Confirmed",
        tickets: claims(order).map((claim, i) => {
          const id = ids[i]
          if (id === undefined) throw misfit()
          return { ...claim, id, status: "valid", codeVersion: 1 }
        })
      })
    }
    case "AskLateMoney": {
      if (outcome._tag !== "PaymentSeen") throw misfit()
      const { payment } = outcome
      if (payment?.late !== true) return nothing({ lateMoney: null })
      const { provider } = payment
      return takesLateMoney(order)
        ? write({ _tag: "LateMoneyCame", provider })
        : nothing({ lateMoney: provider })
    }
    case "GiveMoneyBack": {
      if (outcome._tag !== "MoneyBack") throw misfit()
      const { status } = outcome
      const provider = run.lateMoney ?? null
      return {
        events:
          provider === null || order.lateMoney === "returned"
            ? []
            : [{ _tag: "LateMoneyReturned", provider, payment: status }],
        run: { ...run, moneyBack: { status } }
      }
    }
    case "ReturnSeats":
      if (outcome._tag !== "SeatsBack") throw misfit()
      if (order.stage === "abandoned" && order.sold)
        return { ...write(...ending(order, run)), run: { ...run, seatsBack: true } }
      return nothing({ seatsBack: true })
    case "Unfreeze":
      if (outcome._tag !== "Unfrozen") throw misfit()
      return { ...write(...ending(order, run)), run: { ...run, sweep: false } }
    case "RefundMoney":
      if (outcome._tag !== "RefundPaid") throw misfit()
      return nothing({ refundPaid: outcome.refundId })
    case "ReturnTickets":
      if (outcome._tag !== "TicketsBack") throw misfit()
      return write(
        { _tag: "SeatsReturned", refundId: outcome.refundId },
        { _tag: "Refunded", refundId: outcome.refundId }
      )
    case "Wait":
    case "Done":
      throw misfit()
  }
}

const isKnown = (order: Order, payment: PaymentView): boolean =>
  order.stage === "pending" &&
  order.provider === payment.provider &&
  order.paymentStatus === payment.status &&
  order.nextAction?.url === payment.nextAction?.url

const ending = (order: Order, run: Run): ReadonlyArray<OrderEvent> =>
  run.declined !== null && order.stage !== "abandoned"
    ? [{ _tag: "PaymentDeclined", ...run.declined }]
    : [{ _tag: "Cancelled", reason: order.reason ?? "", payment: run.moneyBack?.status ?? null }]

/** Why tickets cannot be refunded, and which. */
export interface RefundRefusal {
  readonly message: string
  readonly tickets: ReadonlyArray<TicketId>
  /** Where it is too late: since when, in milliseconds since 1970. */
  readonly deadlineMs?: number
  /** Where the tickets were used at the door. */
  readonly used?: boolean
}

export interface RefundRequest {
  readonly refundId: RefundId
  /** Null for all that are valid. */
  readonly tickets: ReadonlyArray<TicketId> | null
  readonly reason: string
  readonly cause: RefundCause
}

/** What of a ticket's price is kept under a policy: never more than the price. Minor units. */
export const feeOf = (price: number, { feeAmount = 0, feeBasisPoints = 0 }: RefundPolicy): number =>
  // Exact: prices are below 2^39, basis points below 2^14.
  Math.min(price, Math.floor((price * feeBasisPoints) / 10_000) + feeAmount)

const everything: RefundPolicy = {}

/**
 * The refund of some tickets at `nowMs`, or why not. What is paid back is the price of tickets that are valid, less
 * what the terms of the purchase keep of it where it is the customer who wants it; and a ticket that is refunded is
 * valid no more, so nothing is paid back twice.
 */
export const requestRefund = (
  order: Order,
  request: RefundRequest,
  nowMs: number
): Result.Result<Extract<OrderEvent, { readonly _tag: "RefundRequested" }>, RefundRefusal> => {
  const byBuyer = request.cause === "customer"
  // Who names none gives back what he can: what was used the organiser alone pays back.
  const all = validTickets(order).filter(({ checkIn }) => !byBuyer || checkIn === undefined)
  const named = [...new Set(request.tickets ?? all.map(({ id }) => id))]
  if (order.stage !== "confirmed") {
    return Result.fail({ message: "The order has no tickets that could be refunded.", tickets: named })
  }
  if (named.length === 0)
    return Result.fail({ message: "All tickets of the order are refunded or used.", tickets: [] })
  const byId = new Map(order.tickets.map((ticket) => [ticket.id, ticket]))
  const foreign = named.filter((id) => !byId.has(id))
  if (foreign.length > 0)
    return Result.fail({ message: "The tickets are not of this order.", tickets: foreign })
  const gone = named.filter((id) => byId.get(id)?.status !== "valid")
  if (gone.length > 0) return Result.fail({ message: "The tickets were refunded before.", tickets: gone })
  const used = byBuyer ? named.filter((id) => byId.get(id)?.checkIn !== undefined) : []
  if (used.length > 0)
    return Result.fail({ message: "The tickets were used at the door.", tickets: used, used: true })
  const policy = byBuyer ? (order.placed.terms?.refunds ?? everything) : everything
  if (policy.untilMs !== undefined && nowMs >= policy.untilMs) {
    const message = "The time in which tickets of this order could be given back is over."
    return Result.fail({ message, tickets: named, deadlineMs: policy.untilMs })
  }
  const prices = named.map((id) => byId.get(id)?.price ?? 0)
  const fee = prices.reduce((sum, price) => sum + feeOf(price, policy), 0)
  const amount = prices.reduce((sum, price) => sum + price, 0) - fee
  if (refundedAmount(order) + keptAmount(order) + amount + fee > order.placed.total.amount) {
    throw new Error(`order ${order.id}: a refund of ${amount} would pay back more than was paid`)
  }
  return Result.succeed({
    _tag: "RefundRequested",
    refundId: request.refundId,
    amount,
    ...(fee === 0 ? {} : { fee }),
    ...(request.cause === "customer" ? {} : { cause: request.cause }),
    tickets: named,
    reason: request.reason
  })
}
