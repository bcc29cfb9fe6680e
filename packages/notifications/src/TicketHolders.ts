/** Who has the tickets of an order: its buyer, and whoever was given some. Pure. */
import type { Customer, OrderTicket } from "@onsale/contracts/booking/Order"
import type { OrderId } from "@onsale/contracts/Ids"
import type { Money } from "@onsale/contracts/Money"
import { HolderKey } from "@onsale/contracts/notifications/Notice"
import { createHash } from "node:crypto"
import { keyOf as addressKeyOf } from "./Preferences.ts"
import type { OrderContent } from "./templates/NoticeContent.ts"

/** As much of an order as says who has what. */
interface Order {
  readonly orderId: OrderId
  readonly customer: Customer
  readonly total: Money
  readonly tickets: ReadonlyArray<OrderTicket>
}

/** Somebody who was given tickets of an order. */
export interface TicketHolder {
  readonly key: HolderKey
  /** By the name on the first of the tickets; without a language of their own, in that of the order. */
  readonly reader: Customer
  readonly tickets: ReadonlyArray<OrderTicket>
}

/** 128 bits of a hash: an order's id is not guessed from it, not even by who knows the address. */
export const keyOf = (orderId: OrderId, email: string): HolderKey =>
  HolderKey.make(
    createHash("sha256")
      .update(`${orderId}\n${addressKeyOf(email)}`)
      .digest("hex")
      .slice(0, 32)
  )

/** Two addresses that one letter reaches. */
export const isSameAddress = (a: string, b: string): boolean => addressKeyOf(a) === addressKeyOf(b)

/** What was made out to another name at the buyer's own address stays with the buyer, who hears of it as such. */
const isBuyers = ({ customer }: Order, { holder }: OrderTicket): boolean =>
  holder === undefined || isSameAddress(holder.email, customer.email)

/** As one reads who was given a ticket of the buyer's. */
export const readerOf = (holder: Customer, { locale }: Customer): Customer =>
  holder.locale !== undefined || locale === undefined ? holder : { ...holder, locale }

/** Whoever was given some of these tickets, once an address. */
export const of = (
  order: Order,
  tickets: ReadonlyArray<OrderTicket> = order.tickets.filter(({ status }) => status === "valid")
): ReadonlyArray<TicketHolder> => {
  const byKey = new Map<HolderKey, TicketHolder>()
  for (const ticket of tickets) {
    if (ticket.holder === undefined || isBuyers(order, ticket)) continue
    const key = keyOf(order.orderId, ticket.holder.email)
    const known = byKey.get(key) ?? { key, reader: readerOf(ticket.holder, order.customer), tickets: [] }
    byKey.set(key, { ...known, tickets: [...known.tickets, ticket] })
  }
  return [...byKey.values()]
}

/** The order as it is shown to its buyer: the valid tickets that are still with them. */
export const buyersContent = (order: Order): OrderContent => ({
  orderId: order.orderId,
  holder: order.customer.name,
  total: order.total,
  tickets: order.tickets
    .filter((ticket) => ticket.status === "valid" && isBuyers(order, ticket))
    .map(({ label, price }) => ({ label, price: { amount: price, currency: order.total.currency } }))
})

/** The order as it is shown to somebody who was given these tickets of it. What they cost is not theirs to know. */
export const holdersContent = (
  { customer, orderId, total }: Order,
  { reader, tickets }: Pick<TicketHolder, "reader" | "tickets">
): OrderContent => {
  const nothing: Money = { amount: 0, currency: total.currency }
  return {
    orderId,
    toHolder: reader.name,
    holder: customer.name,
    total: nothing,
    tickets: tickets.map(({ label }) => ({ label, price: nothing }))
  }
}
