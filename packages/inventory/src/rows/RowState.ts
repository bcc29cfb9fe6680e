/**
 * The rules (`decide`) look at an inventory's state; over rows they are shown the part of it that a command
 * is about. What is not there is free.
 */
import { HoldId, type OrderId } from "@onsale/contracts/Ids"
import { ExpiryHeap } from "../ExpiryHeap.ts"
import type { Hold, State } from "../InventoryState.ts"
import type { Layout } from "../Layout.ts"
import type { Counter } from "./RowAreas.ts"
import * as TicketCounts from "../TicketCounts.ts"
import type { Claim } from "./RowSeats.ts"

export interface Part {
  readonly layout: Layout
  readonly version?: number
  readonly holds?: ReadonlyArray<Hold>
  readonly claims?: ReadonlyArray<Claim>
  /** Seats that are not free, whosesoever they are. */
  readonly taken?: ReadonlyArray<number>
  readonly counters?: ReadonlyArray<Counter>
  /** Places that are sold to an order. */
  readonly sales?: {
    readonly order: OrderId
    readonly places: ReadonlyArray<{ readonly area: number; readonly quantity: number }>
  }
}

/** A state of these parts. Seats of holds that are named by their claims alone count as held. */
export const stateOf = (part: Part): State => {
  const { claims = [], counters = [], holds = [], layout, sales, taken = [], version = 0 } = part
  const areas = layout.source.areas
  const state: State = {
    layout,
    version,
    atMs: 0,
    holds: new Map(holds.map((hold) => [hold.id, hold])),
    // Sparse: most have none.
    owner: [],
    sold: [],
    freeInRow: Int32Array.from(layout.rows.map(({ count }) => count)),
    areaHeld: areas.map(() => 0),
    areaSold: areas.map(() => ({ total: 0, byOrder: new Map() })),
    counts: TicketCounts.none(layout),
    expiries: new ExpiryHeap(),
    answers: new Map(),
    returns: new Set()
  }
  for (const { expiresAtMs, holdId, orderId, seat } of claims) {
    if (orderId !== null) state.sold[seat] = orderId
    else if (holdId !== null) state.owner[seat] = state.holds.get(holdId) ?? unknownHold(holdId, expiresAtMs)
    const row = layout.seatRow[seat]
    if (row !== undefined) state.freeInRow[row]!--
  }
  for (const seat of taken) state.owner[seat] = somebody
  for (const { area, held, sold } of counters) {
    if (state.areaHeld[area] === undefined) continue
    state.areaHeld[area] = held
    state.areaSold[area]!.total = sold
  }
  for (const { area, quantity } of sales?.places ?? []) {
    if (sales !== undefined) state.areaSold[area]?.byOrder.set(sales.order, quantity)
  }
  return state
}

/** A hold of which no more is known. */
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

const somebody = unknownHold(HoldId.make("00000000-0000-7000-8000-000000000000"), Number.POSITIVE_INFINITY)
