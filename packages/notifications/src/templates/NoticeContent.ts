/** All that a template says, by the notice it renders: nothing has to be looked up any more. */
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { OrderId } from "@onsale/contracts/Ids"
import type { Money } from "@onsale/contracts/Money"

/** An order as a message shows it. */
export interface OrderContent {
  readonly orderId: OrderId
  /** The name of somebody who was given a ticket, to whom this is said: must not learn the id, by which the others could be returned. */
  readonly toHolder?: string
  /** The buyer's name. */
  readonly holder: string
  readonly total: Money
  /** Those of the reader's that are valid, or of which it is told; for an order without tickets yet, its seats and places. */
  readonly tickets: ReadonlyArray<{ readonly label: string; readonly price: Money }>
}

interface About {
  readonly order: OrderContent
  readonly event: EventFacts
}

/** What became of a ticket that the buyer had: the name of whom it was given to, null where it was returned. */
export interface GoneTicket {
  readonly label: string
  readonly price: Money
  readonly to: string | null
}

export type NoticeContent =
  /** `gone`: of the order, and not with its buyer any more by the time that it is told. */
  | ({ readonly _tag: "OrderConfirmed"; readonly gone: ReadonlyArray<GoneTicket> } & About)
  /** Milliseconds since 1970 until the seats are given up; `actionUrl` where the buyer has to act. */
  | ({
      readonly _tag: "PaymentPending"
      readonly payUntilMs: number
      readonly actionUrl: string | null
    } & About)
  | ({
      readonly _tag: "PaymentExpiring"
      readonly payUntilMs: number
      readonly actionUrl: string | null
    } & About)
  | ({ readonly _tag: "PaymentDeclined" } & About)
  /** `paid`: money had been taken, and goes back. */
  | ({ readonly _tag: "OrderCancelled"; readonly paid: boolean } & About)
  | ({
      readonly _tag: "Refunded"
      readonly amount: Money
      /** Kept of the price; of amount 0 where nothing was. */
      readonly fee: Money
      /** Of the tickets that were given back. */
      readonly labels: ReadonlyArray<string>
      /** No ticket of the order is left. */
      readonly whole: boolean
      /** Nobody else can have the seats. */
      readonly isEventCancelled: boolean
    } & About)
  /** What the buyer knew before, null where that is not known. */
  | ({ readonly _tag: "EventChanged"; readonly before: EventFacts | null } & About)
  /** `reason`: the organiser's words. */
  | ({ readonly _tag: "EventCancelled"; readonly reason: string; readonly amount: Money } & About)
  | ({ readonly _tag: "EventReminder" } & About)
  /** `transferred`: given to another person, to whom this is said. */
  | ({ readonly _tag: "TicketReissued"; readonly label: string; readonly transferred: boolean } & About)
  /** To whoever had the ticket until it was given to `to`; nothing of it is attached. */
  | ({ readonly _tag: "TicketGiven"; readonly label: string; readonly to: string } & About)
  /** To whoever was given the tickets, which admit nobody any more. */
  | ({ readonly _tag: "TicketReturned" } & About)
  | { readonly _tag: "HoldExpiring"; readonly event: EventFacts; readonly expiresAtMs: number }

/** One content in the words of each channel. */
export interface RenderedNotice {
  readonly subject: string
  readonly text: string
  /** A whole document. */
  readonly html: string
  /** At most 320 characters. */
  readonly sms: string
  readonly push: { readonly title: string; readonly body: string }
}
