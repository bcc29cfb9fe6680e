/** An inventory's state read from journal rows and snapshots, and written as one. Pure. */
import type { OrderId, VoucherId } from "@onsale/contracts/Ids"
import type { AreaClaim } from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { claim, empty, evolve, type Hold, remember, sell, type State } from "./InventoryState.ts"
import type { Layout } from "./Layout.ts"

/** Makes a row of the journal part of the state; of one that a snapshot covers, only its answers. */
export const apply = (
  state: State,
  row: { readonly version: number; readonly atMs: number; readonly events: ReadonlyArray<InventoryEvent> },
  onlyAnswers: boolean
): void => {
  for (const event of row.events) {
    if (!onlyAnswers) evolve(state, event, row.version, row.atMs)
    else if ("cmd" in event) remember(state, event, row.version, row.atMs)
  }
}

/** The state as plain data, without the answers: these are read from the journal. */
export interface Snapshot {
  readonly version: number
  readonly atMs: number
  readonly layout: number
  readonly holds: ReadonlyArray<Omit<Hold, "gone">>
  readonly sold: ReadonlyArray<{
    readonly order: OrderId
    readonly seats: ReadonlyArray<number>
    readonly areas: ReadonlyArray<AreaClaim>
    readonly customer: string | null
    readonly voucher: VoucherId | null
  }>
  readonly returns: ReadonlyArray<string>
}

export const snapshotOf = (state: State): Snapshot => {
  const sold = new Map<
    OrderId,
    Snapshot["sold"][number] & { readonly seats: Array<number>; readonly areas: Array<AreaClaim> }
  >()
  const of = (order: OrderId) => {
    const { customer = null, voucher = null } = state.counts.buyers.get(order) ?? {}
    const found = sold.get(order) ?? { order, seats: [], areas: [], customer, voucher }
    sold.set(order, found)
    return found
  }
  state.sold.forEach((order, seat) => {
    if (order !== undefined) of(order).seats.push(seat)
  })
  state.areaSold.forEach(({ byOrder }, area) => {
    for (const [order, quantity] of byOrder) of(order).areas.push({ area, quantity })
  })
  return {
    version: state.version,
    atMs: state.atMs,
    layout: state.layout.version,
    holds: Array.from(state.holds.values(), ({ gone: _, ...hold }) => hold),
    sold: Array.from(sold.values()),
    returns: Array.from(state.returns)
  }
}

export const restore = (layout: Layout, snapshot: Snapshot): State => {
  const state = empty(layout)
  state.version = snapshot.version
  state.atMs = snapshot.atMs
  for (const sale of snapshot.sold) sell(state, sale.order, sale)
  for (const hold of snapshot.holds) claim(state, { ...hold, gone: false })
  for (const id of snapshot.returns) state.returns.add(id)
  return state
}
