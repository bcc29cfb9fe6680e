/** What a notice comes to when it is looked up: something to say, or why there is nothing (any more). */
import type { Customer, OrderTicket } from "@onsale/contracts/booking/Order"
import * as CalendarSequence from "@onsale/contracts/booking/CalendarSequence"
import type { CustomerId, TicketId } from "@onsale/contracts/Ids"
import type { KnownEvent } from "./EventCopies.ts"
import type { ConfirmedOrder } from "./NotificationFacts.ts"
import type { NoticeContent } from "./templates/NoticeContent.ts"

/** Which state of an event an entry for a calendar shows (RFC 5546, 2.1.4 and 2.1.5). */
export interface Revision {
  /** Grows with each change of the event and each refund of the order; that of the entry at the order's address. */
  readonly sequence: number
  /** When the event became so, or the order was placed, milliseconds since 1970. */
  readonly atMs: number
  /** It does not take place. */
  readonly cancelled: boolean
}

export interface Told {
  readonly _tag: "Told"
  readonly content: NoticeContent
  /** To whom, the buyer or a holder; null where nobody has said who they are yet: of a hold. */
  readonly customer: Customer | null
  /** Whom a token has named; left out where nobody proved who it is. */
  readonly customerId?: CustomerId | undefined
  /** The order as it is known here; null where it has no tickets (yet), or none are told of. */
  readonly confirmed: ConfirmedOrder | null
  /** Of the entry for a calendar; left out where none goes with it. */
  readonly revision?: Revision
  /** The one ticket that goes with it, where not all of the buyer's do. */
  readonly ticketId?: TicketId
}

/** There is nothing to say (any more). */
export interface Untold {
  readonly _tag: "Untold"
  readonly reason: string
}

export const told = (
  content: NoticeContent,
  customer: (Customer & { readonly customerId?: CustomerId | undefined }) | null,
  confirmed: ConfirmedOrder | null = null
): Told => ({ _tag: "Told", content, customer, customerId: customer?.customerId, confirmed })

export const untold = (reason: string): Untold => ({ _tag: "Untold", reason })

/** Of an event as it is known here, for somebody with tickets of an order, by `atMs` at the earliest. */
export const revisionOf = (
  { cancelled, cancelledAtMs, revision }: Pick<KnownEvent, "cancelled" | "cancelledAtMs" | "revision">,
  tickets: ReadonlyArray<Pick<OrderTicket, "status">>,
  atMs: number
): Revision => ({
  sequence: CalendarSequence.ofTickets(revision, tickets),
  atMs: Math.max(atMs, cancelledAtMs ?? 0),
  cancelled
})
