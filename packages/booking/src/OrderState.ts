/**
 * An order as it is folded from its domain events. Pure.
 *
 * `evolve` takes an event only where it fits: one that was written twice or out of turn is a broken
 * invariant and crashes (INV-04, INV-06), it is never made the best of.
 */
import { DateTime } from "effect"
import * as Ids from "@onsale/contracts/Ids"
import type { OrderId, RefundId, TicketId } from "@onsale/contracts/Ids"
import type {
  OrderEvent,
  OrderRefund,
  OrderStatus,
  OrderTicket,
  OrderView
} from "@onsale/contracts/booking/Order"
import type { NextAction, PaymentStatus } from "@onsale/contracts/payments/PaymentIntent"
import * as TicketDoor from "./TicketDoor.ts"

/**
 * How far it has come:
 * placed → (pending) → authorised → sold → confirmed, or → declined, or → abandoned → cancelled; and once, where
 * the money comes late, cancelled → authorised.
 */
export type Stage =
  | "placed"
  | "pending"
  | "authorised"
  | "sold"
  | "confirmed"
  | "abandoned"
  | "declined"
  | "cancelled"

export type Placed = Extract<OrderEvent, { readonly _tag: "Placed" }>

export interface Order {
  readonly id: OrderId
  readonly stage: Stage
  readonly placed: Placed
  /** True once the journal knows its seats to be sold to it. */
  readonly sold: boolean
  readonly provider: string | null
  readonly paymentStatus: PaymentStatus | null
  readonly failureCode: string | null
  readonly nextAction: NextAction | null
  /** Why it was abandoned. */
  readonly reason: string | null
  /** What became of money that came after the order had ended; null where none did. */
  readonly lateMoney: "came" | "taken" | "returned" | null
  readonly tickets: ReadonlyArray<OrderTicket>
  readonly refunds: ReadonlyArray<OrderRefund>
  /** Of the requests for refunds: the correlation id that what follows from them bears. */
  readonly refundCorrelations: ReadonlyMap<RefundId, string>
  /** What the door knows of each ticket. */
  readonly doors: ReadonlyMap<TicketId, TicketDoor.TicketDoor>
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** The event does not fit the order: the journal, or the code that wrote to it, is broken. */
export class OrderEventMisfit extends Error {
  override readonly name = "OrderEventMisfit"
  constructor(orderId: OrderId, event: OrderEvent["_tag"], stage: Stage | "none", why = "") {
    super(`${event} does not fit order ${orderId} at stage ${stage}${why === "" ? "" : `: ${why}`}`)
  }
}

/** What the order claims: one ticket each. */
export const claimCount = ({ areas, seats }: Pick<Placed, "areas" | "seats">): number =>
  seats.length + areas.reduce((sum, area) => sum + area.quantity, 0)

/** Minor units of all refunds, those that are still under way included. */
export const refundedAmount = (order: Order): number =>
  order.refunds.reduce((sum, refund) => sum + refund.amount.amount, 0)

/** Minor units that were kept of the price of tickets that were given back. */
export const keptAmount = (order: Order): number =>
  order.refunds.reduce((sum, refund) => sum + (refund.fee?.amount ?? 0), 0)

/** The order after an event that was written at `atMs`; `order` is undefined before the first. */
export const evolve = (
  order: Order | undefined,
  event: OrderEvent,
  at: { readonly orderId: OrderId; readonly atMs: number }
): Order => {
  if (event._tag === "Placed") {
    if (order !== undefined) throw new OrderEventMisfit(at.orderId, event._tag, order.stage)
    return {
      id: at.orderId,
      stage: "placed",
      placed: event,
      sold: false,
      provider: event.provider,
      paymentStatus: null,
      failureCode: null,
      nextAction: null,
      reason: null,
      lateMoney: null,
      tickets: [],
      refunds: [],
      refundCorrelations: new Map(),
      doors: new Map(),
      createdAtMs: at.atMs,
      updatedAtMs: at.atMs
    }
  }
  if (order === undefined) throw new OrderEventMisfit(at.orderId, event._tag, "none")
  return { ...order, ...change(order, event, at.atMs), updatedAtMs: at.atMs }
}

const change = (
  order: Order,
  event: Exclude<OrderEvent, { readonly _tag: "Placed" }>,
  atMs: number
): Partial<Order> => {
  const misfit = (why?: string) => new OrderEventMisfit(order.id, event._tag, order.stage, why)
  const from = (...stages: ReadonlyArray<Stage>) => {
    if (!stages.includes(order.stage)) throw misfit()
  }
  switch (event._tag) {
    case "PaymentPending":
      from("placed", "pending")
      return {
        stage: "pending",
        provider: event.provider,
        paymentStatus: event.status,
        nextAction: event.nextAction
      }
    case "PaymentAuthorised":
      from("placed", "pending")
      return { stage: "authorised", provider: event.provider, paymentStatus: "authorised", nextAction: null }
    case "PaymentDeclined":
      from("placed", "pending")
      return {
        stage: "declined",
        provider: event.provider,
        paymentStatus: "failed",
        failureCode: event.code,
        nextAction: null
      }
    case "SeatsSold":
      from("authorised")
      return { stage: "sold", sold: true }
    case "Confirmed":
      from("sold")
      checkTickets(order, event.tickets, misfit)
      return {
        stage: "confirmed",
        tickets: event.tickets,
        doors: new Map(event.tickets.map(({ id }) => [id, TicketDoor.issued(atMs)])),
        paymentStatus: "captured",
        lateMoney: order.lateMoney === null ? null : "taken"
      }
    case "Abandoned":
      from("placed", "pending", "authorised", "sold")
      return { stage: "abandoned", reason: event.reason, nextAction: null }
    case "Cancelled":
      from("abandoned")
      return {
        stage: "cancelled",
        reason: event.reason,
        paymentStatus: event.payment,
        lateMoney: order.lateMoney === null ? null : "returned"
      }
    case "LateMoneyCame":
      from("cancelled")
      if (!takesLateMoney(order)) throw misfit("it is not one whose money is awaited")
      return {
        stage: "authorised",
        provider: event.provider,
        paymentStatus: "authorised",
        reason: null,
        lateMoney: "came"
      }
    case "LateMoneyReturned":
      from("cancelled", "declined")
      if (order.lateMoney === "returned") throw misfit("it came and went before")
      return { provider: event.provider, paymentStatus: event.payment, lateMoney: "returned" }
    case "RefundRequested": {
      from("confirmed")
      if (order.refunds.some(({ id }) => id === event.refundId)) throw misfit("requested before")
      const named = new Set(event.tickets)
      const refunded = order.tickets.filter(({ id, status }) => named.has(id) && status === "valid")
      if (named.size === 0 || refunded.length !== event.tickets.length) throw misfit("a ticket is not valid")
      // The sum is looked at again as a whole, so that no change of the rules above pays back too much.
      const { currency } = order.placed.total
      const fee = event.fee ?? 0
      if (refundedAmount(order) + keptAmount(order) + event.amount + fee > order.placed.total.amount)
        throw misfit("more than was paid")
      return {
        tickets: order.tickets.map((ticket) =>
          named.has(ticket.id) ? { ...ticket, status: "refunded" } : ticket
        ),
        doors: new Map(
          [...order.doors].map(([id, door]) => [id, named.has(id) ? { ...door, refundedMs: atMs } : door])
        ),
        refunds: [
          ...order.refunds,
          {
            id: event.refundId,
            amount: { amount: event.amount, currency },
            fee: { amount: fee, currency },
            cause: event.cause ?? "customer",
            tickets: event.tickets,
            reason: event.reason,
            status: "pending"
          }
        ],
        ...(event.correlation === undefined
          ? {}
          : {
              refundCorrelations: new Map(order.refundCorrelations).set(event.refundId, event.correlation)
            })
      }
    }
    case "TicketAdmitted":
    case "ScanRefused":
    case "TicketReissued": {
      from("confirmed")
      const door = order.doors.get(event.ticketId)
      if (door === undefined) throw misfit("the ticket is not of this order")
      const after = TicketDoor.evolve(door, event, atMs)
      if (typeof after === "string") throw misfit(after)
      return {
        doors: new Map(order.doors).set(event.ticketId, after),
        tickets: order.tickets.map((ticket) =>
          ticket.id === event.ticketId ? { ...ticket, ...atDoor(event) } : ticket
        )
      }
    }
    case "SeatsReturned":
      pendingRefund(order, event.refundId, misfit)
      return {}
    case "Refunded": {
      pendingRefund(order, event.refundId, misfit)
      const refunds = order.refunds.map((refund) =>
        refund.id === event.refundId ? { ...refund, status: "succeeded" as const } : refund
      )
      return {
        refunds,
        paymentStatus: paymentAfter(order, refunds)
      }
    }
  }
}

/** What the buyer sees of it. */
const atDoor = (
  event: Extract<OrderEvent, { readonly _tag: "TicketAdmitted" | "ScanRefused" | "TicketReissued" }>
): Partial<OrderTicket> => {
  switch (event._tag) {
    case "TicketAdmitted":
      return { checkIn: { gate: event.gate, atMs: event.atMs } }
    case "ScanRefused":
      return {}
    case "TicketReissued":
      return {
        codeVersion: event.codeVersion,
        ...(event.holder === undefined ? {} : { holder: event.holder })
      }
  }
}

const checkTickets = (
  order: Order,
  tickets: ReadonlyArray<OrderTicket>,
  misfit: (why: string) => Error
): void => {
  const { areas, eventId, seats } = order.placed
  const want = claimKeys(order)
  const got = tickets.map((ticket) => `${ticket.seatId ?? ""}/${ticket.areaId ?? ""}`).sort()
  if (tickets.length !== claimCount({ areas, seats }) || want.some((key, i) => key !== got[i])) {
    throw misfit(`the tickets are not its claims of event ${eventId}`)
  }
  if (new Set(tickets.map(({ id }) => id)).size !== tickets.length) throw misfit("a ticket id twice")
}

const claimKeys = (order: Order): ReadonlyArray<string> =>
  claims(order)
    .map(({ areaId, seatId }) => `${seatId ?? ""}/${areaId ?? ""}`)
    .sort()

const pendingRefund = (order: Order, refundId: RefundId, misfit: (why: string) => Error): void => {
  if (order.refunds.find(({ id }) => id === refundId)?.status !== "pending")
    throw misfit("no such refund is under way")
}

/** Why an order is cancelled that was not paid in time. */
export const paymentTimeout = "payment_timeout"

/** It ended because its money did not come, so that it may yet come; and it has not tried before. */
export const takesLateMoney = ({ lateMoney, reason, stage }: Order): boolean =>
  stage === "cancelled" && reason === paymentTimeout && lateMoney === null

/** What each ticket of the order is for, without its id: a seat each, then a place of an area each. */
export const claims = (order: Order): ReadonlyArray<Omit<OrderTicket, "id" | "status" | "codeVersion">> => {
  const { areas, eventId, seats } = order.placed
  return [
    ...seats.map(({ label, price, seat, tier }) => ({
      seatId: Ids.seatId(eventId, seat),
      areaId: null,
      label,
      tier,
      price
    })),
    ...areas.flatMap(({ area, name, price, quantity, tier }) =>
      Array.from({ length: quantity }, () => ({
        seatId: null,
        areaId: Ids.areaId(eventId, area),
        label: name,
        tier,
        price
      }))
    )
  ]
}

/** What refunds make of the payment: a fee that was kept stays captured, also where all tickets are given back. */
const paymentAfter = (order: Order, refunds: ReadonlyArray<OrderRefund>): PaymentStatus => {
  const back = refunds.reduce(
    (sum, { amount, status }) => (status === "succeeded" ? sum + amount.amount : sum),
    0
  )
  if (back === order.placed.total.amount) return "refunded"
  return back === 0 ? "captured" : "partially_refunded"
}

const isWhollyRefunded = (order: Order): boolean =>
  order.tickets.every(({ status }) => status === "refunded") &&
  order.refunds.every(({ status }) => status === "succeeded")

export const statusOf = (order: Order): OrderStatus => {
  switch (order.stage) {
    case "confirmed":
      return order.refunds.some(({ status }) => status === "succeeded")
        ? isWhollyRefunded(order)
          ? "refunded"
          : "partially_refunded"
        : "confirmed"
    case "declined":
    case "cancelled":
      return order.stage
    default:
      return "payment_pending"
  }
}

/** It has not come to its end: its hold is its own. */
export const isAtWork = ({ stage }: Order): boolean =>
  stage !== "confirmed" && stage !== "declined" && stage !== "cancelled"

/** The tickets of the order that still admit, in their order. */
export const validTickets = (order: Order): ReadonlyArray<OrderTicket & { readonly id: TicketId }> =>
  order.tickets.filter(({ status }) => status === "valid")

const instant = (ms: number): string => DateTime.formatIso(DateTime.makeUnsafe(ms))

export const toView = (order: Order): OrderView => ({
  id: order.id,
  status: statusOf(order),
  eventId: order.placed.eventId,
  holdId: order.placed.holdId,
  customer: order.placed.customer,
  total: order.placed.total,
  tickets: order.tickets,
  payment: {
    intentId: order.placed.intentId,
    provider: order.provider,
    status: order.paymentStatus,
    failureCode: order.failureCode
  },
  nextAction: order.nextAction,
  refunds: order.refunds,
  reason: order.reason,
  createdAt: instant(order.createdAtMs),
  updatedAt: instant(order.updatedAtMs)
})
