/** Why there is nothing to show (any more) where a ticket was, in words for whoever asks. Pure. */
import type { OrderTicket } from "@onsale/contracts/booking/Order"

type Gone = Pick<OrderTicket, "holder" | "status">

/** Of one ticket. */
export const detailOf = ({ holder, status }: Gone): { readonly detail?: string } => {
  if (status === "refunded") return { detail: "It was refunded." }
  return holder === undefined
    ? {}
    : { detail: "It is valid, and was given to another person: it is in the letter to its holder." }
}

/** Of an order; one that never had any needs no more words. */
export const detailOfOrder = (tickets: ReadonlyArray<Gone>): { readonly detail?: string } => {
  if (tickets.length === 0) return {}
  const given = tickets.filter(({ holder, status }) => status === "valid" && holder !== undefined).length
  if (given === 0) return { detail: "All of its tickets were refunded." }
  return {
    detail:
      given === tickets.length
        ? "All of its tickets were given to other people: each is in the letter to its holder."
        : "Its valid tickets were given to other people: each is in the letter to its holder. The others were refunded."
  }
}
