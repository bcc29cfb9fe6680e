/** What a notice comes to when it is looked up: something to say, or why there is nothing (any more). */
import type { Customer } from "@onsale/contracts/booking/Order"
import type { CustomerId, TicketId } from "@onsale/contracts/Ids"
import type { ConfirmedOrder } from "./NotificationFacts.ts"
import type { NoticeContent } from "./templates/NoticeContent.ts"

/** Which state of an event an entry for a calendar shows (RFC 5546, 2.1.4 and 2.1.5). */
export interface Revision {
  /** Grows with each change of the event; 0 for what was published. */
  readonly sequence: number
  /** When it became so, milliseconds since 1970, where the letter is about that. */
  readonly atMs?: number
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
  /** Of the event, as it is told of: an entry for a calendar that is newer has a higher one. */
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
