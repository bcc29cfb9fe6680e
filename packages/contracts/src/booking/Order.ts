/** Orders as the HTTP API and typed clients see them, and the domain events they are made of. */
import { Schema } from "effect"
import {
  AreaId,
  CustomerId,
  EventId,
  HoldId,
  OrderId,
  PaymentIntentId,
  RefundId,
  SeatId,
  TicketId,
  TierId,
  VoucherId
} from "../Ids.ts"
import { SaleTerms } from "../catalog/SaleTerms.ts"
import { HeldArea, HeldSeat } from "../inventory/InventoryCommand.ts"
import { Amount, Money } from "../Money.ts"
import { isLine, isStorable } from "../Text.ts"
import { NextAction, PaymentMethod, PaymentStatus, ProviderName } from "../payments/PaymentIntent.ts"
import { CheckIn, Scan, ScanId, ScanRefusal } from "./CheckIn.ts"

/** A language as clients name it: `de`, `de-AT`, `zh-Hant-TW` (BCP 47). */
export const LanguageTag = Schema.String.check(
  Schema.isMaxLength(35),
  Schema.isPattern(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, { expected: "a language tag such as de or de-AT" })
)

export const Customer = Schema.Struct({
  name: Schema.Trimmed.check(Schema.isMinLength(1), Schema.isMaxLength(200), isStorable),
  email: Schema.Trimmed.check(
    Schema.isMaxLength(254),
    isStorable,
    Schema.isPattern(/^[^\s@<>"(),;:\\]+@[^\s@<>"(),;:\\]+\.[^\s@<>"(),;:\\.]+$/, {
      expected: "an e-mail address"
    })
  ),
  /** What messages about the order are written in, if we write it: else English. */
  locale: Schema.optionalKey(LanguageTag)
})
export type Customer = typeof Customer.Type

/** As they may call themselves today. Older orders have names that are no single line, so what is stored is not asked. */
export const NewCustomer = Schema.Struct({
  ...Customer.fields,
  name: Customer.fields.name.check(isLine)
})

export const NewOrder = Schema.Struct({
  holdId: HoldId,
  customer: NewCustomer,
  payment: Schema.Struct({ provider: Schema.optionalKey(ProviderName), method: PaymentMethod })
})
export type NewOrder = typeof NewOrder.Type

export const OrderStatus = Schema.Literals([
  "payment_pending",
  "confirmed",
  "declined",
  "cancelled",
  "partially_refunded",
  "refunded"
])
export type OrderStatus = typeof OrderStatus.Type

export const TicketStatus = Schema.Literals(["valid", "refunded"])

/** A ticket of an order; one a seat, one a place of an area. */
export const OrderTicket = Schema.Struct({
  id: TicketId,
  seatId: Schema.NullOr(SeatId),
  areaId: Schema.NullOr(AreaId),
  label: Schema.String,
  tier: TierId,
  price: Amount,
  status: TicketStatus,
  /** Counts the codes that were issued for it; an older code is refused at the door. */
  codeVersion: Schema.Int,
  /** Whom it was given to; the customer of the order where left out. */
  holder: Schema.optionalKey(Customer),
  /** When it was used; left out where it was not. */
  checkIn: Schema.optionalKey(CheckIn)
})
export type OrderTicket = typeof OrderTicket.Type

/** Who wants a refund: what the terms of the purchase allow depends on it. */
export const RefundCause = Schema.Literals([
  /** The buyer, by the event's refund policy. */
  "customer",
  /** The organiser: all of it, at any time. */
  "organiser",
  /** Nobody: the event does not take place. All of it. */
  "event_cancelled"
])
export type RefundCause = typeof RefundCause.Type

export const OrderRefund = Schema.Struct({
  id: RefundId,
  /** What is paid back; 0 where the fee is as much as the price. */
  amount: Money,
  /** What was kept of the tickets' price; left out in answers that were given before there were fees. */
  fee: Schema.optionalKey(Money),
  cause: Schema.optionalKey(RefundCause),
  tickets: Schema.Array(TicketId),
  reason: Schema.String,
  status: Schema.Literals(["pending", "succeeded"])
})
export type OrderRefund = typeof OrderRefund.Type

/** An order as it stands. */
export const OrderView = Schema.Struct({
  id: OrderId,
  status: OrderStatus,
  eventId: EventId,
  holdId: HoldId,
  customer: Customer,
  total: Money,
  tickets: Schema.Array(OrderTicket),
  payment: Schema.Struct({
    intentId: PaymentIntentId,
    provider: Schema.NullOr(Schema.String),
    status: Schema.NullOr(PaymentStatus),
    failureCode: Schema.NullOr(Schema.String)
  }),
  nextAction: Schema.NullOr(NextAction),
  refunds: Schema.Array(OrderRefund),
  /** Why it was cancelled; null where it was not. */
  reason: Schema.NullOr(Schema.String),
  /** UTC instants, ISO 8601. */
  createdAt: Schema.String,
  updatedAt: Schema.String
})
export type OrderView = typeof OrderView.Type

/**
 * The domain events of an order, as they stand in `booking.journal`; the stream is the order's id.
 * `Placed` is the first of every stream and the only one that names the customer, the event and the total;
 * an event tells what it changes. So whoever tells a customer reads `Placed` too, and for what a `Refunded`
 * pays back the `RefundRequested` of the same refund.
 */
export const OrderEvent = Schema.TaggedUnion({
  Placed: {
    /** Of the request that placed it; it stands in the log of everything that follows. */
    correlation: Schema.optionalKey(Schema.String),
    eventId: EventId,
    holdId: HoldId,
    customer: Customer,
    /** Whom a token has named; left out where nobody proved who buys. Limits count for it, else for the e-mail address. */
    customerId: Schema.optionalKey(CustomerId),
    intentId: PaymentIntentId,
    provider: Schema.NullOr(Schema.String),
    method: Schema.String,
    total: Money,
    seats: Schema.Array(HeldSeat),
    areas: Schema.Array(HeldArea),
    /** The voucher that the hold was made with. */
    voucher: Schema.optionalKey(VoucherId),
    /** The terms of the event at the purchase. */
    terms: Schema.optionalKey(SaleTerms),
    /** Until when the hold is frozen for it, milliseconds since 1970: who has not paid by then loses the seats. */
    payUntilMs: Schema.Int
  },
  PaymentPending: { provider: Schema.String, status: PaymentStatus, nextAction: Schema.NullOr(NextAction) },
  PaymentAuthorised: { provider: Schema.String },
  PaymentDeclined: { provider: Schema.String, code: Schema.String },
  /** The seats are sold to this order in the inventory. */
  SeatsSold: { reclaimed: Schema.Boolean },
  Confirmed: { tickets: Schema.Array(OrderTicket) },
  /** It cannot succeed any more; from here on everything is undone, and `Cancelled` ends it. */
  Abandoned: { reason: Schema.String },
  /** Ended without tickets; whatever was paid is on its way back. */
  Cancelled: { reason: Schema.String, payment: Schema.NullOr(PaymentStatus) },
  /** Money came after the order was cancelled because it had not: it goes on from there, and tries for the same seats. */
  LateMoneyCame: { provider: Schema.String },
  /** Money came after the order had ended, and went back; `payment` is how the payment ended. */
  LateMoneyReturned: { provider: Schema.String, payment: Schema.NullOr(PaymentStatus) },
  RefundRequested: {
    refundId: RefundId,
    /** Of the request that asked for it; that of the purchase when left out. */
    correlation: Schema.optionalKey(Schema.String),
    amount: Amount,
    /** Kept of the price of the tickets, in minor units; nothing when left out. */
    fee: Schema.optionalKey(Amount),
    /** The customer when left out. */
    cause: Schema.optionalKey(RefundCause),
    tickets: Schema.Array(TicketId),
    reason: Schema.String
  },
  /** The seats of the refund are free again. */
  SeatsReturned: { refundId: RefundId },
  Refunded: { refundId: RefundId },
  /** The ticket was used. `replaces` is the scan that counted until one came to us which was earlier. */
  TicketAdmitted: { ...Scan.fields, replaces: Schema.optionalKey(ScanId) },
  /** A gate without network has let somebody in by a scan that does not count. */
  ScanRefused: { ...Scan.fields, reason: ScanRefusal },
  /** The ticket has a new code, and the older ones admit nobody; with `holder` it was given to that person. */
  TicketReissued: { ticketId: TicketId, codeVersion: Schema.Int, holder: Schema.optionalKey(Customer) }
})
export type OrderEvent = typeof OrderEvent.Type
