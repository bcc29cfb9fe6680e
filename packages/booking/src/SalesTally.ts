/** What orders have sold, counted from their journal. Pure. Amounts are minor units. */
import type { OrderEvent, OrderTicket } from "@onsale/contracts/booking/Order"
import type { EventId, TierId } from "@onsale/contracts/Ids"

/** Counts of tickets, and what was paid and given back for them. */
export interface Sums {
  tickets: number
  amount: number
  /** Tickets that were given back. */
  returned: number
  refunded: number
  /** Of the price of those, kept as a fee. */
  kept: number
}

export interface DaySums extends Sums {
  orders: number
}

/** Of one event and currency. */
export interface Sales {
  readonly eventId: EventId
  readonly currency: string
  /** By UTC day, `2026-11-26`: the day of the sale, and of the refund. */
  readonly days: Map<string, DaySums>
  readonly tiers: Map<TierId, Sums>
}

/** By event and currency. */
export type SalesTally = Map<string, Sales>

/** What an order's later events leave to its earlier ones. */
export interface SoldOrder {
  readonly eventId: EventId
  readonly currency: string
  readonly tickets: ReadonlyArray<Pick<OrderTicket, "id" | "tier" | "price">>
}

const none = (): Sums => ({ tickets: 0, amount: 0, returned: 0, refunded: 0, kept: 0 })

const entry = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}

/**
 * Adds an event of an order, which was written at `atMs` (milliseconds since 1970). Refunds count from when they
 * are asked for. A fee is told of a refund as a whole: tiers share it by their tickets' prices, the last has the rest.
 */
export const add = (tally: SalesTally, order: SoldOrder, event: OrderEvent, atMs: number): void => {
  if (event._tag !== "Confirmed" && event._tag !== "RefundRequested") return
  const { currency, eventId } = order
  const sales = entry(tally, `${eventId} ${currency}`, () => ({
    eventId,
    currency,
    days: new Map<string, DaySums>(),
    tiers: new Map<TierId, Sums>()
  }))
  const day = entry(sales.days, new Date(atMs).toISOString().slice(0, 10), () => ({ orders: 0, ...none() }))
  const tier = (id: TierId) => entry(sales.tiers, id, none)
  if (event._tag === "Confirmed") {
    day.orders++
    for (const ticket of event.tickets) {
      for (const sums of [day, tier(ticket.tier)]) {
        sums.tickets++
        sums.amount += ticket.price
      }
    }
    return
  }
  const named = new Set(event.tickets)
  const tickets = order.tickets.filter(({ id }) => named.has(id))
  const price = tickets.reduce((sum, ticket) => sum + ticket.price, 0)
  const fee = event.fee ?? 0
  let shared = 0
  for (const [index, ticket] of tickets.entries()) {
    const isLast = index === tickets.length - 1
    const kept =
      isLast || price === 0 ? (isLast ? fee - shared : 0) : Math.floor((fee * ticket.price) / price)
    shared += kept
    for (const sums of [day, tier(ticket.tier)]) {
      sums.returned++
      sums.kept += kept
      sums.refunded += ticket.price - kept
    }
  }
}
