/** What the journal of an order says about it, as far as its buyer is told. Pure. */
import type { Customer, OrderEvent, OrderTicket, RefundCause } from "@onsale/contracts/booking/Order"
import type { CustomerId, EventId, RefundId, TicketId } from "@onsale/contracts/Ids"
import type { Money } from "@onsale/contracts/Money"
import { maxTicketsInDocument } from "@onsale/contracts/notifications/TicketDocument"
import type { OrderContent } from "./templates/NoticeContent.ts"
import * as TicketHolders from "./TicketHolders.ts"

export interface StoryRefund {
  readonly amount: number
  readonly fee: number
  readonly cause: RefundCause
  readonly tickets: ReadonlyArray<TicketId>
  readonly reason: string
  /** All of the tickets that were valid until then. */
  readonly whole: boolean
}

export interface OrderStory {
  readonly eventId: EventId
  readonly customer: Customer
  /** Whom a token has named. */
  readonly customerId: CustomerId | undefined
  readonly total: Money
  readonly payUntilMs: number
  /** Seats and places, before there are tickets. */
  readonly claims: OrderContent["tickets"]
  readonly status: "open" | "pending" | "declined" | "abandoned" | "cancelled" | "confirmed"
  /** Where the buyer has to act. */
  readonly actionUrl: string | null
  /** Money was taken, or may have been, before it was cancelled. */
  readonly paid: boolean
  /** As they are now: with their newest holder and code. */
  readonly tickets: ReadonlyArray<OrderTicket>
  readonly refunds: ReadonlyMap<RefundId, StoryRefund>
  /** Tickets that were given to others, oldest first. */
  readonly gifts: ReadonlyArray<{
    readonly ticketId: TicketId
    readonly codeVersion: number
    readonly holder: Customer
    readonly atMs: number
  }>
}

const begin = (placed: OrderEvent & { readonly _tag: "Placed" }): OrderStory => {
  const price = (amount: number): Money => ({ amount, currency: placed.total.currency })
  return {
    eventId: placed.eventId,
    customer: placed.customer,
    customerId: placed.customerId,
    total: placed.total,
    payUntilMs: placed.payUntilMs,
    claims: [
      ...placed.seats.map((seat) => ({ label: seat.label, price: price(seat.price) })),
      ...placed.areas.flatMap((area) =>
        Array.from({ length: Math.min(area.quantity, maxTicketsInDocument) }, () => ({
          label: area.name,
          price: price(area.price)
        }))
      )
    ],
    status: "open",
    actionUrl: null,
    paid: false,
    tickets: [],
    refunds: new Map(),
    gifts: []
  }
}

const evolve = (story: OrderStory, event: OrderEvent, atMs: number): OrderStory => {
  switch (event._tag) {
    case "PaymentPending":
      return { ...story, status: "pending", actionUrl: event.nextAction?.url ?? null }
    case "PaymentAuthorised":
      return { ...story, status: "open", actionUrl: null, paid: true }
    case "PaymentDeclined":
      return { ...story, status: "declined" }
    case "Abandoned":
      return { ...story, status: "abandoned" }
    case "Cancelled":
      return { ...story, status: "cancelled", paid: story.paid && event.payment !== "failed" }
    case "LateMoneyCame":
      return { ...story, status: "open", paid: true }
    case "LateMoneyReturned":
      return { ...story, status: "cancelled", paid: true }
    case "Confirmed":
      return { ...story, status: "confirmed", tickets: event.tickets }
    case "TicketReissued": {
      const { codeVersion, holder, ticketId } = event
      const given = holder === undefined ? {} : { holder }
      return {
        ...story,
        tickets: story.tickets.map((ticket) =>
          ticket.id === ticketId ? { ...ticket, codeVersion, ...given } : ticket
        ),
        gifts: holder === undefined ? story.gifts : [...story.gifts, { ticketId, codeVersion, holder, atMs }]
      }
    }
    case "RefundRequested": {
      const gone = new Set(event.tickets)
      const tickets = story.tickets.map((ticket) =>
        gone.has(ticket.id) ? { ...ticket, status: "refunded" as const } : ticket
      )
      return {
        ...story,
        tickets,
        refunds: new Map(story.refunds).set(event.refundId, {
          amount: event.amount,
          fee: event.fee ?? 0,
          cause: event.cause ?? "customer",
          tickets: event.tickets,
          reason: event.reason,
          whole: tickets.every(({ status }) => status !== "valid")
        })
      }
    }
    default:
      return story
  }
}

/**
 * Of rows of an order's stream, oldest first: all of them, or those behind what a story knows already. Undefined where
 * they do not begin with `Placed`.
 */
export const of = (
  rows: ReadonlyArray<{ readonly atMs: number; readonly events: ReadonlyArray<OrderEvent> }>,
  known?: OrderStory
): OrderStory | undefined => {
  let story = known
  for (const { atMs, events } of rows) {
    for (const event of events) {
      if (story !== undefined) story = evolve(story, event, atMs)
      else if (event._tag === "Placed") story = begin(event)
      else return undefined
    }
  }
  return story
}

/** How whoever had a ticket with the code of a version came by it; undefined where that is the buyer. */
export const giftAt = (
  { gifts }: OrderStory,
  ticketId: TicketId,
  codeVersion: number
): OrderStory["gifts"][number] | undefined =>
  gifts.findLast((gift) => gift.ticketId === ticketId && gift.codeVersion <= codeVersion)

/** As a message shows it to its buyer: the valid tickets that are still with them, else what was to be bought. */
export const contentOf = (orderId: OrderContent["orderId"], story: OrderStory): OrderContent =>
  story.tickets.length === 0
    ? { orderId, holder: story.customer.name, total: story.total, tickets: story.claims }
    : TicketHolders.buyersContent({ ...story, orderId })
