/** What stands on the tickets of an order: all that a PDF needs, and nothing that it would have to look up. */
import { Schema, Struct } from "effect"
import { EventPlan } from "../catalog/EventPlan.ts"
import { RefundPolicy } from "../catalog/SaleTerms.ts"
import { OrderId, TicketId } from "../Ids.ts"
import { Money } from "../Money.ts"
import { Locale } from "./Locale.ts"
import { TicketCode } from "./TicketCode.ts"

/** Pages of one document at most, which is also the most tickets an order can have. */
export const maxTicketsInDocument = 1000

/** A seat on a plan, with what is beside it. */
export const SeatPlace = Schema.Struct({
  /** The index of its section. */
  section: Schema.Int,
  x: Schema.Int,
  y: Schema.Int,
  /** From one seat to the next. */
  pitch: Schema.Int,
  /** Other seats of the section near it: `[x, y, x, y, …]`. */
  near: Schema.Array(Schema.Int)
})
export type SeatPlace = typeof SeatPlace.Type

/** What all pages show of the hall: see `EventPlan`. */
export const DocumentPlan = Schema.Struct({
  ...Struct.pick(EventPlan.fields, ["width", "height", "focus"]),
  outlines: Schema.Array(Schema.Array(Schema.Int))
})
export type DocumentPlan = typeof DocumentPlan.Type

export const DocumentTicket = Schema.Struct({
  id: TicketId,
  /** "Section Row-Seat", or the name of an area. */
  label: Schema.String,
  /** True for a place of an area, where nobody has a seat of their own. */
  isArea: Schema.optionalKey(Schema.Literal(true)),
  /** Where its seat is, where that is known; in units of the document's plan. */
  place: Schema.optionalKey(SeatPlace),
  /** Null where the name of its tier is not known. */
  tier: Schema.NullOr(Schema.String),
  /** Left out of one that was given away: what it cost is nobody's to know but the buyer's. */
  price: Schema.optionalKey(Money),
  /** Whom it was given to; the buyer where left out. */
  holder: Schema.optionalKey(Schema.String),
  code: TicketCode
})
export type DocumentTicket = typeof DocumentTicket.Type

export const TicketDocument = Schema.Struct({
  orderId: OrderId,
  /** The buyer's name. */
  holder: Schema.String,
  event: Schema.Struct({
    name: Schema.String,
    /** UTC instant, ISO 8601. */
    startsAt: Schema.String,
    /** IANA name. */
    timeZone: Schema.String,
    venue: Schema.Struct({ name: Schema.String, location: Schema.String }),
    performers: Schema.Array(Schema.String)
  }),
  /** What its pages are written in: the language of the letter that it goes with, else that of the order. */
  locale: Locale,
  /** What was agreed at the purchase for who does not want to come. Only the buyer can ask for it, so it stands on no other's ticket. */
  refunds: RefundPolicy,
  /** Left out where none of the tickets has a place on it. */
  plan: Schema.optionalKey(DocumentPlan),
  tickets: Schema.Array(DocumentTicket).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(maxTicketsInDocument)
  ),
  /** When the order was placed, milliseconds since 1970: the same document has the same bytes. */
  issuedAtMs: Schema.Int
})
export type TicketDocument = typeof TicketDocument.Type

/** Nothing is known of tickets of this order; its confirmation may be on its way here. */
export class TicketsNotFound extends Schema.TaggedError<TicketsNotFound>()("TicketsNotFound", {
  orderId: OrderId
}) {}

/** The order is known but cannot be printed: `EventUnknown` passes by itself, `NoValidTickets` does not. */
export class TicketsNotReady extends Schema.TaggedError<TicketsNotReady>()("TicketsNotReady", {
  orderId: OrderId,
  reason: Schema.Literals(["EventUnknown", "NoValidTickets"])
}) {
  override get message(): string {
    return `the tickets of order ${this.orderId} cannot be printed: ${this.reason}`
  }
}
