/**
 * The rules look at an inventory's state; over rows they are shown the part of it that a batch is about. What
 * is not there is free. Pure.
 */
import { HoldId } from "@onsale/contracts/Ids"
import { ExpiryHeap } from "../ExpiryHeap.ts"
import type { Hold, State } from "../InventoryState.ts"
import type { Layout } from "../Layout.ts"
import * as TicketCounts from "../TicketCounts.ts"
import type { HoldRow, Part } from "./RowPart.ts"

const holdOf = ({ areas, quantities, ...row }: HoldRow): Hold => ({
  ...row,
  areas: areas.map((area, i) => ({ area, quantity: quantities[i]! })),
  gone: false
})

/** A hold of which no more is known than when it ends. */
export const unknownHold = (id: HoldId, expiresAtMs: number): Hold => ({
  id,
  seats: [],
  areas: [],
  expiresAtMs,
  ownExpiryMs: expiresAtMs,
  capMs: expiresAtMs,
  order: null,
  frozenOnce: false,
  customer: null,
  voucher: null,
  gone: false
})

/** Who has a seat of which only that is known. */
export const somebody = unknownHold(
  HoldId.make("00000000-0000-7000-8000-000000000000"),
  Number.POSITIVE_INFINITY
)

const freeByLayout = new WeakMap<Layout, Int32Array>()

const allFree = (layout: Layout): Int32Array => {
  const known = freeByLayout.get(layout)
  if (known !== undefined) return known
  const free = Int32Array.from(layout.rows.map(({ count }) => count))
  freeByLayout.set(layout, free)
  return free
}

/**
 * A state of these rows, of an inventory that was written last as `version`, at `atMs`. It may be changed
 * (`evolve`) by what the commands come to that the part was read for.
 */
export const stateOf = (
  layout: Layout,
  part: Part,
  { atMs, version }: { readonly version: number; readonly atMs: number } = { version: 0, atMs: 0 }
): State => {
  const { areas } = layout.source
  const state: State = {
    layout,
    version,
    atMs,
    holds: new Map(),
    // Sparse: an event may have 100,000 seats, a batch is about a few hundred.
    owner: [],
    sold: [],
    // Right where somebody looks for the best seats, which is who asks: then all that are taken are known.
    freeInRow: allFree(layout).slice(),
    areaHeld: areas.map(() => 0),
    areaSold: areas.map(() => ({ total: 0, byOrder: new Map() })),
    counts: TicketCounts.none(layout),
    expiries: new ExpiryHeap(),
    answers: new Map(),
    returns: new Set()
  }
  const take = (seat: number) => {
    const row = layout.seatRow[seat]
    if (state.owner[seat] === undefined && state.sold[seat] === undefined && row !== undefined)
      state.freeInRow[row]!--
  }
  for (const row of part.holds) {
    const hold = holdOf(row)
    state.holds.set(hold.id, hold)
    state.expiries.push(hold)
    for (const seat of hold.seats) {
      take(seat)
      state.owner[seat] = hold
    }
  }
  for (const { hold, order, seat, untilMs } of part.seats) {
    take(seat)
    if (order !== null) state.sold[seat] = order
    else if (hold !== null) state.owner[seat] ??= unknownHold(hold, untilMs)
  }
  for (const seat of part.taken) {
    take(seat)
    if (state.sold[seat] === undefined) state.owner[seat] ??= somebody
  }
  for (const { area, held, sold } of part.areas) {
    if (state.areaHeld[area] === undefined) continue
    state.areaHeld[area] = held
    state.areaSold[area]!.total = sold
  }
  for (const { area, order, quantity } of part.places) state.areaSold[area]?.byOrder.set(order, quantity)
  const { buyers, customers, quotaTaken, vouchers } = state.counts
  for (const { quota, taken } of part.quotas) if (quota < quotaTaken.length) quotaTaken[quota] = taken
  for (const { customer, tickets } of part.customers) customers.set(customer, tickets)
  for (const { tickets, voucher } of part.vouchers) vouchers.set(voucher, tickets)
  for (const { order, ...buyer } of part.buyers) buyers.set(order, { ...buyer })
  for (const { atMs: at, cmd, event, returned, version: of } of part.answers) {
    if (event !== null && "cmd" in event) state.answers.set(cmd, { event, version: of, atMs: at })
    if (returned) state.returns.add(cmd)
  }
  return state
}
