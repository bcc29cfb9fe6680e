/** What is said of an inventory: answers to commands, holds, availability. Pure. */
import type { HoldId, OrderId, VoucherId } from "@onsale/contracts/Ids"
import type {
  AreaClaim,
  AvailabilityView,
  HeldArea,
  HeldSeat,
  HoldView,
  InventoryAnswer,
  Refused,
  SeatHold
} from "@onsale/contracts/inventory/InventoryCommand"
import { type CommandEvent, isFree, type State } from "./InventoryState.ts"
import { heldArea, type Layout } from "./Layout.ts"
import { areaFree, leftForTiers } from "./Room.ts"
import { isBlocked } from "./SaleRules.ts"
import { quotaUse } from "./TicketCounts.ts"

/** A refusal of a command that was not carried out at all. */
export const refusal = (
  code: Refused["code"],
  seats: ReadonlyArray<number> = [],
  areas: ReadonlyArray<number> = []
): Refused => ({ _tag: "Refused", code, seats, areas, limit: null })

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
    case "Refused": {
      const { cmd: _cmd, fp: _fp, ...refused } = event
      return refused
    }
  }
}

const heldAnswer = (hold: HoldView | Refused): InventoryAnswer =>
  "_tag" in hold ? hold : { _tag: "Held", hold }

/** What a hold says, or the seats of it that a later layout has no more: an answer long past can have such. */
const view = (
  layout: Layout,
  holdId: HoldId,
  claims: {
    readonly seats: ReadonlyArray<number>
    readonly areas: ReadonlyArray<AreaClaim>
    readonly voucher?: VoucherId | null
  },
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
  const { currency, terms } = layout.source
  const { voucher } = claims
  const hold = { holdId, seats, areas, amount, currency, expiresAtMs, version, orderId }
  if (voucher == null && (orderId === null || terms === undefined)) return hold
  return {
    ...hold,
    ...(voucher == null ? {} : { voucher }),
    ...(orderId === null || terms === undefined ? {} : { terms })
  }
}

/** A hold that is live at `nowMs`, or the refusal. */
export const holdView = (state: State, holdId: HoldId, nowMs: number): HoldView | Refused => {
  const hold = state.holds.get(holdId)
  if (hold === undefined) return refusal("hold_not_found")
  if (hold.expiresAtMs <= nowMs) return refusal("hold_expired")
  return view(state.layout, hold.id, hold, hold.expiresAtMs, state.version, hold.order)
}

/** The hold that the seat is in at `nowMs`. */
export const holdOf = (state: State, seat: number, nowMs: number): SeatHold | null => {
  const hold = state.owner[seat]
  if (hold === undefined || hold.expiresAtMs <= nowMs) return null
  return { holdId: hold.id, customer: hold.customer, orderId: hold.order }
}

/**
 * What is not free at `nowMs`, of the seats that are for sale; a block is free to nobody here. Of an event that is
 * cancelled nothing is: what is not sold counts as held.
 */
export const availability = (state: State, nowMs: number): AvailabilityView => {
  const { layout } = state
  const { seatBlock } = layout.rules
  const cancelled = layout.source.cancelled === true
  const held: Array<number> = []
  const sold: Array<number> = []
  for (let seat = 0; seat < layout.seatCount; seat++) {
    if (state.sold[seat] !== undefined) sold.push(seat)
    else if (!isFree(state, seat, nowMs)) held.push(seat)
    else if (layout.seatTier[seat] !== -1 && (cancelled || isBlocked(seatBlock?.[seat], undefined)))
      held.push(seat)
  }
  const swept = withoutExpired(state, nowMs)
  const left = leftForTiers(swept)
  return {
    version: state.version,
    total: layout.forSale,
    held,
    sold,
    areas: layout.source.areas.map(({ block, capacity }, area) => ({
      capacity,
      available: cancelled || isBlocked(block, undefined) ? 0 : areaFree(swept, area)
    })),
    tiers: layout.source.tiers.flatMap(({ id }, tier) =>
      left[tier] === Number.POSITIVE_INFINITY ? [] : [{ tier: id, available: cancelled ? 0 : left[tier]! }]
    )
  }
}

/** The same state, but with the places and quotas free that nobody has swept yet. */
const withoutExpired = (state: State, nowMs: number): State => {
  const areaHeld = [...state.areaHeld]
  const quotaTaken = [...state.counts.quotaTaken]
  for (const hold of state.holds.values()) {
    if (hold.expiresAtMs > nowMs) continue
    for (const { area, quantity } of hold.areas) areaHeld[area]! -= quantity
    quotaUse(state.layout, hold).forEach((tickets, quota) => {
      quotaTaken[quota]! -= tickets
    })
  }
  return { ...state, areaHeld, counts: { ...state.counts, quotaTaken } }
}
