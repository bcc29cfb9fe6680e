/**
 * What an event has sold and holds, kept the naive way: a list of holds and a list of tickets, looked through
 * from the first to the last for every question. It knows nothing of how the inventory keeps them.
 */
import type { HoldId, OrderId, VoucherId } from "@onsale/contracts/Ids"
import type { AreaClaim } from "@onsale/contracts/inventory/InventoryCommand"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"

export interface Claims {
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<AreaClaim>
}

/** A seat or a place, and whom it counts for. */
export interface Ticket {
  readonly seat: number | null
  readonly area: number | null
  readonly customer: string | null
  readonly voucher: VoucherId | null
}

export interface NaiveHold extends Claims {
  readonly id: HoldId
  readonly capMs: number
  expMs: number
  ownMs: number
  order: OrderId | null
  frozen: boolean
  customer: string | null
  readonly voucher: VoucherId | null
}

export type Quota = NonNullable<SaleLayout["quotas"]>[number]
export type Voucher = NonNullable<SaleLayout["vouchers"]>[number]

export const total = (areas: ReadonlyArray<AreaClaim>) =>
  areas.reduce((sum, { quantity }) => sum + quantity, 0)
export const sorted = (seats: ReadonlyArray<number>) => [...new Set(seats)].sort((a, b) => a - b)
export const list = (seats: ReadonlyArray<number>) => sorted(seats).join(",")
/** Each area once, with all that is asked of it. */
export const merged = (areas: ReadonlyArray<AreaClaim>): ReadonlyArray<AreaClaim> =>
  [...new Set(areas.map(({ area }) => area))].map((area) => ({
    area,
    quantity: total(areas.filter((claim) => claim.area === area))
  }))
export const show = (areas: ReadonlyArray<AreaClaim>) =>
  merged(areas)
    .map(({ area, quantity }) => `${area}:${quantity}`)
    .sort()
    .join(",")

/** Claims as tickets, one a seat and one a place. */
export const ticketsOf = (
  { areas, seats }: Claims,
  customer: string | null,
  voucher: VoucherId | null
): Array<Ticket> => [
  ...seats.map((seat) => ({ seat, area: null, customer, voucher })),
  ...areas.flatMap(({ area, quantity }) =>
    Array.from({ length: Math.max(0, quantity) }, () => ({ seat: null, area, customer, voucher }))
  )
]

/** The seats of a layout one after the other. Made once: layouts do not change. */
const seatsOfLayout = new WeakMap<
  SaleLayout,
  ReadonlyArray<{ readonly tier: number; readonly flags: number; readonly section: number }>
>()
export const seatsIn = (layout: SaleLayout) => {
  const found =
    seatsOfLayout.get(layout) ??
    layout.rows.flatMap(({ seats, section }) => seats.map(({ flags, tier }) => ({ tier, flags, section })))
  seatsOfLayout.set(layout, found)
  return found
}

export class NaiveBooks {
  layout: SaleLayout
  readonly holds: Array<NaiveHold> = []
  readonly sold: Array<Ticket & { readonly order: OrderId }> = []

  constructor(layout: SaleLayout) {
    this.layout = layout
  }

  live(id: HoldId, nowMs: number): NaiveHold | undefined {
    return this.holds.find((hold) => hold.id === id && hold.expMs > nowMs)
  }

  liveHolds(nowMs: number, without?: NaiveHold): ReadonlyArray<NaiveHold> {
    return this.holds.filter((hold) => hold.expMs > nowMs && hold !== without)
  }

  /** Every ticket that is held or sold; a hold left out counts as gone. */
  tickets(nowMs: number, without?: NaiveHold): ReadonlyArray<Ticket> {
    return [
      ...this.sold,
      ...this.liveHolds(nowMs, without).flatMap((hold) => ticketsOf(hold, hold.customer, hold.voucher))
    ]
  }

  seatFree(seat: number, nowMs: number, without?: NaiveHold): boolean {
    return (
      !this.sold.some((ticket) => ticket.seat === seat) &&
      !this.liveHolds(nowMs, without).some(({ seats }) => seats.includes(seat))
    )
  }

  placesLeft(area: number, nowMs: number, without?: NaiveHold): number {
    const capacity = this.layout.areas[area]?.capacity ?? 0
    return capacity - this.tickets(nowMs, without).filter((ticket) => ticket.area === area).length
  }

  soldTo(order: OrderId, what: { readonly seat?: number; readonly area?: number }): number {
    return this.sold.filter(
      (ticket) =>
        ticket.order === order &&
        (what.seat === undefined || ticket.seat === what.seat) &&
        (what.area === undefined || ticket.area === what.area)
    ).length
  }

  // --- rules of the layout

  tierOf({ area, seat }: Pick<Ticket, "seat" | "area">): number {
    const found = seat !== null ? seatsIn(this.layout)[seat] : this.layout.areas[area!]
    return found === undefined ? -1 : found.tier
  }

  voucherById(id: VoucherId | null | undefined): Voucher | undefined {
    return this.layout.vouchers?.find((voucher) => voucher.id === id)
  }

  /** The block of a seat, or undefined. */
  blockOf(seat: number): number | undefined {
    const found = (this.layout.blocks ?? []).findIndex(({ seats }) => seats.includes(seat))
    return found === -1 ? undefined : found
  }

  blocked(block: number | undefined, voucher: Voucher | undefined): boolean {
    return block !== undefined && voucher?.blocks.includes(block) !== true
  }

  covers(quota: Quota, ticket: Pick<Ticket, "seat" | "area">): boolean {
    const tier = this.tierOf(ticket)
    return (
      (tier !== -1 && quota.tiers.includes(tier)) ||
      (ticket.area !== null && quota.areas.includes(ticket.area))
    )
  }

  /** Tickets that a quota leaves once `wanted` has its own, with what is reserved kept back. */
  quotaLeft(quota: Quota, nowMs: number, wanted: ReadonlyArray<Ticket> = [], without?: NaiveHold): number {
    const taken = [...this.tickets(nowMs, without), ...wanted]
    return (
      quota.capacity -
      taken.filter((ticket) => this.covers(quota, ticket)).length -
      this.layout.areas.reduce((sum, { reserved = 0 }, area) => {
        if (!this.covers(quota, { seat: null, area })) return sum
        return sum + Math.max(0, reserved - taken.filter((ticket) => ticket.area === area).length)
      }, 0)
    )
  }

  customerLeft(customer: string | null, nowMs: number, without?: NaiveHold): number {
    if (customer === null || this.layout.maxPerCustomer === undefined) return Number.POSITIVE_INFINITY
    const has = this.tickets(nowMs, without).filter((ticket) => ticket.customer === customer).length
    return this.layout.maxPerCustomer - has
  }

  voucherLeft(voucher: Voucher, nowMs: number, without?: NaiveHold): number {
    return (
      voucher.maxTickets -
      this.tickets(nowMs, without).filter((ticket) => ticket.voucher === voucher.id).length
    )
  }

  // --- what is told

  heldSeats(nowMs: number): Array<number> {
    return sorted(this.liveHolds(nowMs).flatMap(({ seats }) => seats))
  }

  soldSeats(): Array<number> {
    return sorted(this.sold.flatMap(({ seat }) => (seat === null ? [] : [seat])))
  }

  /** As `AvailabilityView`, without its version. */
  availability(nowMs: number) {
    const { areas, quotas = [], tiers } = this.layout
    const seats = seatsIn(this.layout)
    const sold = this.soldSeats()
    const held = this.heldSeats(nowMs)
    const blocked = seats.flatMap(({ tier }, seat) =>
      tier !== -1 && this.blockOf(seat) !== undefined && !sold.includes(seat) ? [seat] : []
    )
    return {
      total: seats.filter(({ tier }) => tier !== -1).length,
      held: sorted([...held, ...blocked]),
      sold,
      areas: areas.map(({ block, capacity, reserved = 0 }, area) => {
        const claimed = capacity - this.placesLeft(area, nowMs)
        const own = Math.max(0, reserved - claimed)
        const left = quotas
          .filter((quota) => this.covers(quota, { seat: null, area }))
          .map((quota) => this.quotaLeft(quota, nowMs) + own)
        const available = Math.max(0, Math.min(capacity - claimed, ...left))
        return { capacity, available: block === undefined ? available : 0 }
      }),
      tiers: tiers.flatMap(({ id }, tier) => {
        const left = quotas
          .filter((quota) => quota.tiers.includes(tier))
          .map((quota) => this.quotaLeft(quota, nowMs))
        return left.length === 0 ? [] : [{ tier: id, available: Math.max(0, Math.min(...left)) }]
      })
    }
  }
}
