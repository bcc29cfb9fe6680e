/**
 * What has to be written so that the rows stand for a state: the difference between what was read and what has
 * become of it. Pure.
 *
 * Holds, counters and buyers are written as they are now; nobody else changes them meanwhile, the event's head
 * is locked. Of seats, what they were before is written along: the database looks whether it is true.
 */
import type { HoldId, OrderId, VoucherId } from "@onsale/contracts/Ids"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { Hold, State } from "../InventoryState.ts"
import { type HoldRow, neverMs, type Part } from "./RowPart.ts"

/** Seats that become the same claim, and were the same. */
export interface SeatChange {
  readonly seats: Array<number>
  readonly hold: HoldId | null
  readonly order: OrderId | null
  /** 0 where they are free now. */
  readonly untilMs: number
  readonly wasHold: HoldId | null
  readonly wasOrder: OrderId | null
}

export interface Changes {
  /** Of seats that nobody had a claim on. */
  readonly claimed: ReadonlyArray<SeatChange>
  /** Of seats that somebody had. */
  readonly moved: ReadonlyArray<SeatChange>
  /** New, or other than before. */
  readonly holds: ReadonlyArray<HoldRow>
  readonly ended: ReadonlyArray<HoldId>
  readonly areas: ReadonlyArray<{
    readonly area: number
    readonly capacity: number
    readonly held: number
    readonly sold: number
  }>
  readonly quotas: ReadonlyArray<{ readonly quota: number; readonly taken: number }>
  /** Of these and what follows, those with no tickets are to be taken away. */
  readonly places: ReadonlyArray<{
    readonly area: number
    readonly order: OrderId
    readonly tickets: number
  }>
  readonly buyers: ReadonlyArray<{
    readonly order: OrderId
    readonly customer: string | null
    readonly voucher: VoucherId | null
    readonly tickets: number
  }>
  readonly customers: ReadonlyArray<{ readonly customer: string; readonly tickets: number }>
  readonly vouchers: ReadonlyArray<{ readonly voucher: VoucherId; readonly tickets: number }>
}

/** Of the table of sales, which has a seat as long as it is sold. */
export interface SaleChanges {
  readonly sold: ReadonlyArray<{ readonly seat: number; readonly order: OrderId }>
  /** Went from one order to another. */
  readonly moved: ReadonlyArray<{ readonly seat: number; readonly order: OrderId; readonly was: OrderId }>
  readonly returned: ReadonlyArray<{ readonly seat: number; readonly order: OrderId }>
}

interface Claim {
  readonly hold: HoldId | null
  readonly order: OrderId | null
  readonly untilMs: number
}

const free: Claim = { hold: null, order: null, untilMs: 0 }

const claimOf = (state: State, seat: number, nowMs: number): Claim => {
  const order = state.sold[seat]
  if (order !== undefined) return { hold: null, order, untilMs: neverMs }
  const owner = state.owner[seat]
  return owner === undefined || owner.expiresAtMs <= nowMs
    ? free
    : { hold: owner.id, order: null, untilMs: owner.expiresAtMs }
}

/** The claims that were read, those of live holds too. */
const claimsBefore = (part: Part, nowMs: number): ReadonlyMap<number, Claim> => {
  const claims = new Map<number, Claim>()
  for (const { expiresAtMs, id, seats } of part.holds) {
    if (expiresAtMs <= nowMs) continue
    for (const seat of seats) claims.set(seat, { hold: id, order: null, untilMs: expiresAtMs })
  }
  for (const { hold, order, seat, untilMs } of part.seats) {
    claims.set(seat, order === null ? { hold, order, untilMs } : { hold: null, order, untilMs: neverMs })
  }
  return claims
}

/** The seats whose claims the batch may have changed. */
const touched = (part: Part, state: State, events: ReadonlyArray<InventoryEvent>): ReadonlySet<number> => {
  const seats = new Set<number>()
  for (const hold of part.holds) for (const seat of hold.seats) seats.add(seat)
  for (const hold of state.holds.values()) for (const seat of hold.seats) seats.add(seat)
  for (const event of events)
    if (event._tag === "Sold" || event._tag === "Returned") for (const seat of event.seats) seats.add(seat)
  return seats
}

class Groups {
  private readonly byClaims = new Map<string, SeatChange>()

  add(seat: number, { hold, order, untilMs }: Claim, was: Claim): void {
    const key = `${hold} ${order} ${was.hold} ${was.order}`
    const found = this.byClaims.get(key)
    if (found !== undefined) found.seats.push(seat)
    else
      this.byClaims.set(key, {
        seats: [seat],
        hold,
        order,
        untilMs,
        wasHold: was.hold,
        wasOrder: was.order
      })
  }

  get all(): ReadonlyArray<SeatChange> {
    return Array.from(this.byClaims.values())
  }
}

const rowOf = ({ areas, gone: _, ...hold }: Hold): HoldRow => ({
  ...hold,
  areas: areas.map(({ area }) => area),
  quantities: areas.map(({ quantity }) => quantity)
})

const sameHold = (a: HoldRow, b: Hold): boolean =>
  a.expiresAtMs === b.expiresAtMs &&
  a.ownExpiryMs === b.ownExpiryMs &&
  a.order === b.order &&
  a.frozenOnce === b.frozenOnce &&
  a.customer === b.customer &&
  // A hold may have ended and another one begun under its id.
  a.seats === b.seats

/** Totals that are other than they were; 0 for those that are no more. */
const totals = <Key, Row>(
  before: ReadonlyMap<Key, number>,
  after: ReadonlyMap<Key, number>,
  row: (key: Key, tickets: number) => Row
): ReadonlyArray<Row> => [
  ...Array.from(after).flatMap(([key, tickets]) =>
    (before.get(key) ?? 0) === tickets ? [] : [row(key, tickets)]
  ),
  ...Array.from(before.keys()).flatMap((key) => (after.has(key) ? [] : [row(key, 0)]))
]

const countersOf = (part: Part, state: State) => {
  const areas = new Map(part.areas.map((row) => [row.area, row]))
  const quotas = new Map(part.quotas.map(({ quota, taken }) => [quota, taken]))
  return {
    areas: state.layout.source.areas.flatMap(({ capacity }, area) => {
      const before = areas.get(area) ?? { held: 0, sold: 0 }
      const [held, sold] = [state.areaHeld[area]!, state.areaSold[area]!.total]
      return held === before.held && sold === before.sold ? [] : [{ area, capacity, held, sold }]
    }),
    quotas: state.counts.quotaTaken.flatMap((taken, quota) =>
      (quotas.get(quota) ?? 0) === taken ? [] : [{ quota, taken }]
    )
  }
}

const placesOf = (part: Part, state: State) => {
  const keyOf = (area: number, order: OrderId) => `${area} ${order}`
  const before = new Map(part.places.map(({ area, order, quantity }) => [keyOf(area, order), quantity]))
  const changed: Array<Changes["places"][number]> = []
  state.areaSold.forEach(({ byOrder }, area) => {
    for (const [order, tickets] of byOrder) {
      if (before.get(keyOf(area, order)) !== tickets) changed.push({ area, order, tickets })
    }
  })
  for (const { area, order } of part.places) {
    if (state.areaSold[area]?.byOrder.has(order) !== true) changed.push({ area, order, tickets: 0 })
  }
  return changed
}

const buyersOf = (part: Part, state: State): Changes["buyers"] => {
  const before = new Map(part.buyers.map((buyer) => [buyer.order, buyer]))
  const { buyers } = state.counts
  return [
    ...Array.from(buyers).flatMap(([order, { customer, tickets, voucher }]) => {
      const was = before.get(order)
      return was?.tickets === tickets && was.customer === customer && was.voucher === voucher
        ? []
        : [{ order, customer, voucher, tickets }]
    }),
    ...part.buyers.flatMap((buyer) => (buyers.has(buyer.order) ? [] : [{ ...buyer, tickets: 0 }]))
  ]
}

/**
 * What has become of `part` in `state`, at `nowMs`, by `events`. `seats` are those whose claims may be others,
 * where it is not the events that tell.
 */
export const changesOf = (
  part: Part,
  state: State,
  nowMs: number,
  events: ReadonlyArray<InventoryEvent>,
  seats: Iterable<number> = touched(part, state, events)
): { readonly rows: Changes; readonly sales: SaleChanges } => {
  const before = claimsBefore(part, nowMs)
  const claimed = new Groups()
  const moved = new Groups()
  const sales = {
    sold: [] as Array<SaleChanges["sold"][number]>,
    moved: [] as Array<SaleChanges["moved"][number]>,
    returned: [] as Array<SaleChanges["returned"][number]>
  }
  for (const seat of seats) {
    const was = before.get(seat) ?? free
    const is = claimOf(state, seat, nowMs)
    if (was.hold === is.hold && was.order === is.order && was.untilMs === is.untilMs) continue
    if (was === free) claimed.add(seat, is, was)
    else moved.add(seat, is, was)
    if (was.order === is.order) continue
    if (was.order === null && is.order !== null) sales.sold.push({ seat, order: is.order })
    else if (was.order !== null && is.order !== null)
      sales.moved.push({ seat, order: is.order, was: was.order })
    else if (was.order !== null) sales.returned.push({ seat, order: was.order })
  }
  const holdsBefore = new Map(part.holds.map((hold) => [hold.id, hold]))
  const rows: Changes = {
    claimed: claimed.all,
    moved: moved.all,
    holds: Array.from(state.holds.values()).flatMap((hold) => {
      const was = holdsBefore.get(hold.id)
      return was !== undefined && sameHold(was, hold) ? [] : [rowOf(hold)]
    }),
    ended: part.holds.flatMap(({ id }) => (state.holds.has(id) ? [] : [id])),
    ...countersOf(part, state),
    places: placesOf(part, state),
    buyers: buyersOf(part, state),
    customers: totals(
      new Map(part.customers.map(({ customer, tickets }) => [customer, tickets])),
      state.counts.customers,
      (customer, tickets) => ({ customer, tickets })
    ),
    vouchers: totals(
      new Map(part.vouchers.map(({ tickets, voucher }) => [voucher, tickets])),
      state.counts.vouchers,
      (voucher, tickets) => ({ voucher, tickets })
    )
  }
  return { rows, sales }
}
