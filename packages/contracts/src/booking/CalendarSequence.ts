/**
 * The SEQUENCE of a calendar entry (RFC 5545, 3.8.7.4), counted in one way by all that make one: mails and the address
 * of an order have the same UID, and a calendar keeps the entry with the larger number. It is the revision of the event
 * and what has become of the order, neither of which goes back. Pure.
 */
import type { OrderTicket, OrderView } from "./Order.ts"

/** Of an order with tickets. Each refund takes some of them, at the moment that it is asked for. */
export const ofTickets = (revision: number, tickets: ReadonlyArray<Pick<OrderTicket, "status">>): number =>
  revision + 2 + tickets.filter(({ status }) => status === "refunded").length

/**
 * Of an order in any state. One that has ended without tickets may go on once, where its money came late: from then on
 * it counts as it did at its end, until it has tickets.
 */
export const ofOrder = (
  revision: number,
  { payment, status, tickets }: Pick<OrderView, "payment" | "status" | "tickets">
): number => {
  if (tickets.length > 0) return ofTickets(revision, tickets)
  return revision + (status === "payment_pending" && payment.status !== "authorised" ? 0 : 1)
}
