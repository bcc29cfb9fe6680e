/**
 * Quotas and limits checked again: a plain replay of its own beside that of `InventoryAudit`, which counts
 * tickets and knows nothing of `InventoryState`. What was granted is held against the layout that was in force;
 * that a quota or a limit is lowered under what is held and sold is no breach.
 */
import type { HoldId, OrderId } from "@onsale/contracts/Ids"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"

interface Claims {
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<{ readonly area: number; readonly quantity: number }>
}

/** Whom tickets count for, beside the quotas. */
interface Owner {
  readonly customer?: string | undefined
  readonly voucher?: string | undefined
}

interface HeldTickets extends Claims {
  readonly customer: string | undefined
  readonly voucher: string | undefined
  readonly expiresAtMs: number
}

type Breached = (invariant: "INV-01" | "INV-08", detail: string) => void

const ticketsIn = ({ areas, seats }: Claims): number =>
  areas.reduce((sum, { quantity }) => sum + quantity, seats.length)

const add = (totals: Map<string, number>, key: string | undefined, tickets: number): void => {
  if (key !== undefined) totals.set(key, (totals.get(key) ?? 0) + tickets)
}

export class LimitBooks {
  private layout: SaleLayout | undefined
  private seatTier: ReadonlyArray<number> = []
  // On the books are sales and all holds, those whose time is over too: where these could make the difference
  // they are told from the others.
  private readonly holds = new Map<HoldId, HeldTickets>()
  private readonly soldSeats = new Map<number, Owner>()
  private readonly soldPlaces = new Map<string, Array<{ owner: Owner; area: number; quantity: number }>>()
  private readonly ofCustomer = new Map<string, number>()
  private readonly ofVoucher = new Map<string, number>()
  private ofQuota: Array<number> = []
  private readonly breach: Breached

  constructor(breach: Breached) {
    this.breach = breach
  }

  use(layout: SaleLayout): void {
    this.layout = layout
    this.seatTier = layout.rows.flatMap(({ seats }) => seats.map(({ tier }) => tier))
    // What counts against which quota may be another than before.
    this.ofQuota = (layout.quotas ?? []).map(() => 0)
    for (const claims of this.holds.values()) this.countQuotas(claims, 1)
    this.countQuotas({ seats: [...this.soldSeats.keys()], areas: [...this.soldPlaces.values()].flat() }, 1)
  }

  apply(event: InventoryEvent, atMs: number): void {
    switch (event._tag) {
      case "Held": {
        const before = event.replaces === undefined ? undefined : this.holds.get(event.replaces)
        if (event.replaces !== undefined) this.drop(event.replaces)
        const { areas, customer, exp: expiresAtMs, hold, seats, voucher } = event
        this.hold(hold, { seats, areas, customer, voucher, expiresAtMs })
        const by = `hold ${hold}`
        this.checkTiers(event, by)
        // Who has less than before may have it, whatever the limits are now.
        const less = before !== undefined && ticketsIn(event) <= ticketsIn(before)
        this.checkQuotas(event, by, atMs, before)
        if (!(less && customer === before.customer)) this.checkCustomer(customer, by, atMs)
        if (!(less && voucher === before.voucher)) this.checkVoucher(voucher, by, atMs)
        if (voucher !== undefined && !this.vouchers.some(({ id }) => id === voucher))
          this.breach("INV-08", `${by} was made with voucher ${voucher}, which there is not`)
        return
      }
      case "Extended":
      case "Unfrozen":
        return this.changeHold(event.hold, { expiresAtMs: event.exp })
      case "Frozen": {
        const before = this.holds.get(event.hold)?.customer
        const customer = event.customer ?? before
        this.changeHold(event.hold, { expiresAtMs: event.until, customer })
        // Who has it already may have it, whatever the limit is now.
        if (customer !== before) this.checkCustomer(customer, `checkout of hold ${event.hold}`, atMs)
        return
      }
      case "Released":
        return this.drop(event.hold)
      case "Expired":
        return event.holds.forEach((id) => this.drop(id))
      case "Sold": {
        const before = event.reclaimed ? undefined : this.holds.get(event.hold)
        this.drop(event.hold)
        this.sell(event)
        const by = `order ${event.order}`
        if (event.customer !== before?.customer) this.checkCustomer(event.customer, by, atMs)
        if (!event.reclaimed) return
        this.checkQuotas(event, by, atMs)
        this.checkVoucher(event.voucher, by, atMs)
        return
      }
      case "Returned":
        return this.giveBack(event)
      case "Opened":
      case "SoldBefore":
      case "Refused":
        return
    }
  }

  private get vouchers() {
    return this.layout?.vouchers ?? []
  }

  // --- the books

  private countQuotas(claims: Claims, sign: 1 | -1): void {
    this.quotaTickets(claims).forEach((tickets, quota) => {
      this.ofQuota[quota]! += sign * tickets
    })
  }

  /** How many of the claims' tickets each quota is about. */
  private quotaTickets({ areas, seats }: Claims): Array<number> {
    const { areas: ofLayout = [], quotas = [] } = this.layout ?? {}
    return quotas.map((quota) => {
      const tiers = new Set(quota.tiers)
      let tickets = 0
      for (const seat of seats) if (tiers.has(this.seatTier[seat] ?? -1)) tickets++
      for (const { area, quantity } of areas)
        if (quota.areas.includes(area) || tiers.has(ofLayout[area]?.tier ?? -1)) tickets += quantity
      return tickets
    })
  }

  private count(claims: Claims, { customer, voucher }: Owner, sign: 1 | -1): void {
    this.countQuotas(claims, sign)
    const tickets = sign * ticketsIn(claims)
    add(this.ofCustomer, customer, tickets)
    add(this.ofVoucher, voucher, tickets)
  }

  private hold(id: HoldId, held: HeldTickets): void {
    this.drop(id)
    this.holds.set(id, held)
    this.count(held, held, 1)
  }

  private drop(id: HoldId): void {
    const held = this.holds.get(id)
    if (held === undefined) return
    this.holds.delete(id)
    this.count(held, held, -1)
  }

  private changeHold(id: HoldId, change: Partial<HeldTickets>): void {
    const held = this.holds.get(id)
    if (held !== undefined) this.hold(id, { ...held, ...change })
  }

  private sell(sale: Claims & Owner & { readonly order: OrderId }): void {
    const owner = { customer: sale.customer, voucher: sale.voucher }
    for (const seat of sale.seats) this.soldSeats.set(seat, owner)
    const places = this.soldPlaces.get(sale.order) ?? []
    places.push(...sale.areas.map((claim) => ({ owner, ...claim })))
    if (places.length > 0) this.soldPlaces.set(sale.order, places)
    this.count(sale, owner, 1)
  }

  private giveBack({ areas, order, seats }: Claims & { readonly order: OrderId }): void {
    for (const seat of seats) {
      const owner = this.soldSeats.get(seat)
      if (owner === undefined) continue
      this.soldSeats.delete(seat)
      this.count({ seats: [seat], areas: [] }, owner, -1)
    }
    for (const { area, quantity } of areas) {
      let left = quantity
      for (const parcel of this.soldPlaces.get(order) ?? []) {
        if (parcel.area !== area) continue
        const taken = Math.min(left, parcel.quantity)
        parcel.quantity -= taken
        left -= taken
        this.count({ seats: [], areas: [{ area, quantity: taken }] }, parcel.owner, -1)
      }
    }
  }

  // --- what must hold

  /** Tickets of holds whose time is over and that nobody has swept. */
  private expired(atMs: number, of: (held: HeldTickets) => number): number {
    let tickets = 0
    for (const held of this.holds.values()) if (held.expiresAtMs <= atMs) tickets += of(held)
    return tickets
  }

  private checkTiers({ areas, seats }: Claims, by: string): void {
    this.layout?.tiers.forEach(({ maxPerOrder, minPerOrder, name }, tier) => {
      if (maxPerOrder === undefined && minPerOrder === undefined) return
      const tickets = ticketsIn({
        seats: seats.filter((seat) => this.seatTier[seat] === tier),
        areas: areas.filter(({ area }) => this.layout?.areas[area]?.tier === tier)
      })
      if (maxPerOrder !== undefined && tickets > maxPerOrder)
        this.breach("INV-08", `${by} has ${tickets} tickets of tier ${name}, of at most ${maxPerOrder}`)
      if (minPerOrder !== undefined && tickets > 0 && tickets < minPerOrder)
        this.breach("INV-08", `${by} has ${tickets} tickets of tier ${name}, of at least ${minPerOrder}`)
    })
  }

  private checkQuotas(claims: Claims, by: string, atMs: number, before?: Claims): void {
    const quotas = this.layout?.quotas ?? []
    if (quotas.length === 0) return
    const had = before === undefined ? [] : this.quotaTickets(before)
    this.quotaTickets(claims).forEach((wanted, quota) => {
      const { capacity, name } = quotas[quota]!
      if (wanted <= (had[quota] ?? 0) || this.ofQuota[quota]! <= capacity) return
      const taken = this.ofQuota[quota]! - this.expired(atMs, (held) => this.quotaTickets(held)[quota]!)
      if (taken > capacity)
        this.breach(
          "INV-01",
          `with ${by} quota ${name} has ${taken} live holds and sales for ${capacity} tickets`
        )
    })
  }

  private checkCustomer(customer: string | undefined, by: string, atMs: number): void {
    const most = this.layout?.maxPerCustomer
    if (customer === undefined || most === undefined || this.ofCustomer.get(customer)! <= most) return
    const has =
      this.ofCustomer.get(customer)! -
      this.expired(atMs, (held) => (held.customer === customer ? ticketsIn(held) : 0))
    if (has > most)
      this.breach("INV-08", `with ${by} customer ${customer} has ${has} tickets of at most ${most}`)
  }

  private checkVoucher(voucher: string | undefined, by: string, atMs: number): void {
    const most = this.vouchers.find(({ id }) => id === voucher)?.maxTickets
    if (voucher === undefined || most === undefined || this.ofVoucher.get(voucher)! <= most) return
    const has =
      this.ofVoucher.get(voucher)! -
      this.expired(atMs, (held) => (held.voucher === voucher ? ticketsIn(held) : 0))
    if (has > most)
      this.breach("INV-08", `with ${by} voucher ${voucher} has ${has} tickets of at most ${most}`)
  }
}
