/** What is said of an inventory: answers to commands, holds, availability. Pure. */
import type { HoldId, OrderId } from "@onsale/contracts/Ids"
import type {
  AreaClaim,
  AvailabilityView,
  HeldArea,
  HeldSeat,
  HoldView,
  InventoryAnswer,
  Refused
} from "@onsale/contracts/inventory/InventoryCommand"
import { areaFree, type CommandEvent, isFree, type State } from "./InventoryState.ts"
import { heldArea, type Layout } from "./Layout.ts"

/** A refusal, of an event that was decided or of a command that was not carried out at all. */
export const refusal = (
  code: Refused["code"],
  seats: ReadonlyArray<number> = [],
  areas: ReadonlyArray<number> = [],
  limit: number | null = null
): Refused => ({ _tag: "Refused", code, seats, areas, limit })

/** What a command is answered, from nothing but the event that was decided: a repeat gets the same. */
export const answerOf = (layout: Layout, event: CommandEvent, version: number): InventoryAnswer => {
  switch (event._tag) {
    case "Held":
    case "Extended":
    case "Unfrozen":
      return heldAnswer(view(layout, event.hold, event, event.exp, version, null))
    case "Frozen":
      return heldAnswer(view(layout, event.hold, event, event.until, version, event.order))
    case "Released":
      return { _tag: "Released" }
    case "Sold":
      return { _tag: "Sold", version, reclaimed: event.reclaimed }
    case "SoldBefore":
      return { _tag: "Sold", version, reclaimed: false }
    case "Returned":
      return { _tag: "Returned", version }
    case "Refused":
      return refusal(event.code, event.seats, event.areas, event.limit)
  }
}

const heldAnswer = (hold: HoldView | Refused): InventoryAnswer =>
  "_tag" in hold ? hold : { _tag: "Held", hold }

/** What a hold says, or the seats of it that a later layout has no more: an answer long past can have such. */
const view = (
  layout: Layout,
  holdId: HoldId,
  claims: { readonly seats: ReadonlyArray<number>; readonly areas: ReadonlyArray<AreaClaim> },
  expiresAtMs: number,
  version: number,
  orderId: OrderId | null
): HoldView | Refused => {
  let amount = 0
  const seats: Array<HeldSeat> = []
  for (const seat of claims.seats) {
    const found = layout.held[seat]
    if (found === null || found === undefined) return refusal("seats_unknown", [seat])
    amount += found.price
    seats.push(found)
  }
  const areas: Array<HeldArea> = []
  for (const { area, quantity } of claims.areas) {
    const found = heldArea(layout, area, quantity)
    if (found === undefined) return refusal("seats_unknown", [], [area])
    amount += found.price * quantity
    areas.push(found)
  }
  return { holdId, seats, areas, amount, currency: layout.source.currency, expiresAtMs, version, orderId }
}

/** A hold that is live at `nowMs`, or the refusal. */
export const holdView = (state: State, holdId: HoldId, nowMs: number): HoldView | Refused => {
  const hold = state.holds.get(holdId)
  if (hold === undefined) return refusal("hold_not_found")
  if (hold.expiresAtMs <= nowMs) return refusal("hold_expired")
  return view(state.layout, hold.id, hold, hold.expiresAtMs, state.version, hold.order)
}

/** What is not free at `nowMs`, of the seats that are for sale. */
export const availability = (state: State, nowMs: number): AvailabilityView => {
  const held: Array<number> = []
  const sold: Array<number> = []
  for (let seat = 0; seat < state.layout.seatCount; seat++) {
    if (state.sold[seat] !== undefined) sold.push(seat)
    else if (!isFree(state, seat, nowMs)) held.push(seat)
  }
  // Their places are free though nobody has swept them yet.
  const expired = state.layout.source.areas.map(() => 0)
  for (const hold of state.holds.values()) {
    if (hold.expiresAtMs <= nowMs) for (const { area, quantity } of hold.areas) expired[area]! += quantity
  }
  return {
    version: state.version,
    total: state.layout.forSale,
    held,
    sold,
    areas: state.layout.source.areas.map(({ capacity }, area) => ({
      capacity,
      available: areaFree(state, area) + expired[area]!
    }))
  }
}
