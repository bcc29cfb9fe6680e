/**
 * What the tickets of an event are counted by beside their seats and areas: quotas, customers, vouchers. A
 * ticket counts from its hold until the hold ends or what was sold is returned; an expired hold counts until
 * it is swept. Pure, but changed in place, as the state that it is a part of.
 */
import type { OrderId, VoucherId } from "@onsale/contracts/Ids"
import type { AreaClaim } from "@onsale/contracts/inventory/InventoryCommand"
import type { Layout } from "./Layout.ts"

/** Claims and whom they are counted for. */
export interface Counted {
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<AreaClaim>
  readonly customer: string | null
  readonly voucher: VoucherId | null
}

/** Whose the sold tickets of an order are. */
export interface Buyer {
  readonly customer: string | null
  readonly voucher: VoucherId | null
  tickets: number
}

export interface TicketCounts {
  /** Tickets that count against each quota of the layout. */
  quotaTaken: Array<number>
  readonly customers: Map<string, number>
  readonly vouchers: Map<VoucherId, number>
  /** Of orders that have a customer or a voucher. */
  readonly buyers: Map<OrderId, Buyer>
}

export const none = (layout: Layout): TicketCounts => ({
  quotaTaken: layout.rules.quotas.map(() => 0),
  customers: new Map(),
  vouchers: new Map(),
  buyers: new Map()
})

/** One ticket a seat and a place. */
export const ticketsIn = ({ areas, seats }: Pick<Counted, "seats" | "areas">): number => {
  let tickets = seats.length
  for (const { quantity } of areas) tickets += quantity
  return tickets
}

/** How many of the claims' tickets count against each quota. */
export const quotaUse = (
  layout: Layout,
  { areas, seats }: Pick<Counted, "seats" | "areas">
): Array<number> => {
  const { quotas, quotasOfArea, quotasOfTier } = layout.rules
  const use = quotas.map(() => 0)
  if (quotas.length === 0) return use
  for (const seat of seats) for (const quota of quotasOfTier[layout.seatTier[seat]!] ?? []) use[quota]!++
  for (const { area, quantity } of areas)
    for (const quota of quotasOfArea[area] ?? []) use[quota]! += quantity
  return use
}

const add = <Key>(totals: Map<Key, number>, key: Key | null, tickets: number): void => {
  if (key === null || tickets === 0) return
  const total = (totals.get(key) ?? 0) + tickets
  if (total === 0) totals.delete(key)
  else totals.set(key, total)
}

const countQuotas = (counts: TicketCounts, layout: Layout, claims: Counted, sign: 1 | -1): void => {
  if (layout.rules.quotas.length === 0) return
  quotaUse(layout, claims).forEach((tickets, quota) => {
    counts.quotaTaken[quota]! += sign * tickets
  })
}

/** Counts a hold, or takes it out again. */
export const count = (counts: TicketCounts, layout: Layout, hold: Counted, sign: 1 | -1): void => {
  countQuotas(counts, layout, hold, sign)
  if (hold.customer === null && hold.voucher === null) return
  const tickets = sign * ticketsIn(hold)
  add(counts.customers, hold.customer, tickets)
  add(counts.vouchers, hold.voucher, tickets)
}

/** A hold goes over to another customer. */
export const changeCustomer = (counts: TicketCounts, hold: Counted, customer: string | null): void => {
  const tickets = ticketsIn(hold)
  add(counts.customers, hold.customer, -tickets)
  add(counts.customers, customer, tickets)
}

/** Counts what is sold to an order. */
export const countSale = (counts: TicketCounts, layout: Layout, order: OrderId, sale: Counted): void => {
  count(counts, layout, sale, 1)
  const { customer, voucher } = sale
  if (customer === null && voucher === null) return
  const buyer = counts.buyers.get(order)
  if (buyer === undefined) counts.buyers.set(order, { customer, voucher, tickets: ticketsIn(sale) })
  else buyer.tickets += ticketsIn(sale)
}

/** Takes out what an order gives back: its customer may buy, and its voucher be used, again. */
export const countReturn = (
  counts: TicketCounts,
  layout: Layout,
  order: OrderId,
  { areas, seats }: Pick<Counted, "seats" | "areas">
): void => {
  const buyer = counts.buyers.get(order)
  count(
    counts,
    layout,
    { seats, areas, customer: buyer?.customer ?? null, voucher: buyer?.voucher ?? null },
    -1
  )
  if (buyer === undefined) return
  buyer.tickets -= ticketsIn({ seats, areas })
  if (buyer.tickets <= 0) counts.buyers.delete(order)
}
