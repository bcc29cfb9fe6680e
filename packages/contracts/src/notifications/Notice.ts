/**
 * What buyers are told, and whoever they gave a ticket to, each from one fact of a journal. A notice has ids only:
 * what it says, in which language and by which channels, is looked up when it is sent.
 */
import { Schema } from "effect"
import { EventId, HoldId, OrderId, RefundId, TicketId } from "../Ids.ts"

/**
 * Somebody who was given tickets of an order, by the order and the address: the same for all of those tickets, so
 * one letter tells of them all. It goes to the reader, and leads nobody to the order.
 */
export const HolderKey = Schema.String.check(Schema.isPattern(/^[0-9a-f]{32}$/)).pipe(
  Schema.brand("HolderKey")
)
export type HolderKey = typeof HolderKey.Type

/** To whom it is said, where that is not the buyer. */
const toHolder = { holder: Schema.optionalKey(HolderKey) }

export const Notice = Schema.TaggedUnion({
  /** The order is paid, here are the tickets. */
  OrderConfirmed: { orderId: OrderId },
  /** The buyer has to act at the bank, or the provider takes its time. */
  PaymentPending: { orderId: OrderId },
  /** The seats of a pending order are given up soon. */
  PaymentExpiring: { orderId: OrderId },
  /** The provider refused; the hold lives on until its expiry. */
  PaymentDeclined: { orderId: OrderId },
  /** It ended without tickets; whatever was paid is on its way back. */
  OrderCancelled: { orderId: OrderId },
  /** Money went back, for all tickets or for some. */
  Refunded: { orderId: OrderId, refundId: RefundId },
  /** Time, place or performers of the event are others now; `change` is the version of the event's stream that says so. */
  EventChanged: { orderId: OrderId, eventId: EventId, change: Schema.Int, ...toHolder },
  /** The event does not take place; the refund is on its way. */
  EventCancelled: { orderId: OrderId, eventId: EventId, ...toHolder },
  /** The doors open soon. A time that was moved makes another reminder. */
  EventReminder: { orderId: OrderId, eventId: EventId, startsAt: Schema.String, ...toHolder },
  /** A ticket was given to another person, or its code made anew: the code of that version is the valid one. */
  TicketReissued: { orderId: OrderId, ticketId: TicketId, codeVersion: Schema.Int },
  /** A ticket was given to another person; said to whoever had it until then. */
  TicketGiven: { orderId: OrderId, ticketId: TicketId, codeVersion: Schema.Int },
  /** Tickets that somebody was given were returned by who bought them, or by the organiser; the money is the buyer's. */
  TicketReturned: { orderId: OrderId, refundId: RefundId, holder: HolderKey },
  /**
   * A hold is about to expire; only who has asked to be told of it hears it. One that was extended after it, to another
   * `expiresAtMs` (since 1970), makes another; notices of before there was that have none.
   */
  HoldExpiring: { eventId: EventId, holdId: HoldId, expiresAtMs: Schema.optionalKey(Schema.Int) }
})
export type Notice = typeof Notice.Type

/**
 * One id a fact, so that the same fact is told once: the ids of jobs and messages are made of it. Those go to the reader
 * too, so what is said to somebody who was given a ticket names the ticket or its holder, and not the order.
 */
export const noticeId = (notice: Notice): string => {
  switch (notice._tag) {
    case "OrderConfirmed":
      return `${notice.orderId}:confirmed`
    case "PaymentPending":
      return `${notice.orderId}:payment-pending`
    case "PaymentExpiring":
      return `${notice.orderId}:payment-expiring`
    case "PaymentDeclined":
      return `${notice.orderId}:declined`
    case "OrderCancelled":
      return `${notice.orderId}:cancelled`
    case "Refunded":
      return `${notice.orderId}:refunded:${notice.refundId}`
    case "EventChanged":
      return `${notice.holder ?? notice.orderId}:event-changed:${notice.change}`
    case "EventCancelled":
      return `${notice.holder ?? notice.orderId}:event-cancelled`
    case "EventReminder":
      return `${notice.holder ?? notice.orderId}:reminder:${notice.startsAt}`
    case "TicketReissued":
      return `${notice.ticketId}:reissued:${notice.codeVersion}`
    case "TicketGiven":
      return `${notice.ticketId}:given:${notice.codeVersion}`
    case "TicketReturned":
      return `${notice.holder}:returned:${notice.refundId}`
    case "HoldExpiring":
      return notice.expiresAtMs === undefined
        ? `${notice.holdId}:expiring`
        : `${notice.holdId}:expiring:${notice.expiresAtMs}`
  }
}
