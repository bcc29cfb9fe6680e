/**
 * The state of an event's inventory, and how an event of the journal changes it. Pure, but changed in
 * place: it has as many cells as the venue has seats and one writer that owns it. A writer that fails
 * throws its state away and reads the journal again.
 */
import type { CommandId, HoldId, OrderId, VoucherId } from "@onsale/contracts/Ids"
import type { AreaClaim } from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { ExpiryHeap } from "./ExpiryHeap.ts"
import type { Layout } from "./Layout.ts"
import * as TicketCounts from "./TicketCounts.ts"

/** A claim on seats and places. Lives in `State.holds` until it is released, expires or is sold. */
export interface Hold {
  readonly id: HoldId
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<AreaClaim>
  /** Milliseconds since 1970; the later of its own expiry and the end of a checkout's freeze. */
  expiresAtMs: number
  /** Its expiry without the freeze. */
  ownExpiryMs: number
  /** The latest it can be extended to. */
  readonly capMs: number
  /** The order at checkout with it. */
  order: OrderId | null
  /** A hold's clock is frozen once. */
  frozenOnce: boolean
  /** Whom it counts for. */
  customer: string | null
  readonly voucher: VoucherId | null
  gone: boolean
}

/** What was answered to a command, as the event that was decided and the version it was written in. */
export interface Remembered {
  readonly event: CommandEvent
  readonly version: number
  readonly atMs: number
}

/** An event that answers a command. */
export type CommandEvent = Extract<InventoryEvent, { readonly cmd: CommandId }>

export interface State {
  layout: Layout
  /** Of the newest journal row that is part of it; 0 before the first. */
  version: number
  /** The time of that row, in milliseconds since 1970: time never goes back in a stream. */
  atMs: number
  readonly holds: Map<HoldId, Hold>
  owner: Array<Hold | undefined>
  sold: Array<OrderId | undefined>
  /** Seats of a row that are neither held nor sold; expired holds still count as held until swept. */
  freeInRow: Int32Array
  readonly areaHeld: Array<number>
  /** Sold places, by order, an area at a time. */
  readonly areaSold: Array<{ total: number; readonly byOrder: Map<OrderId, number> }>
  readonly counts: TicketCounts.TicketCounts
  readonly expiries: ExpiryHeap<Hold>
  readonly answers: Map<CommandId, Remembered>
  /** Every `Return` that was carried out, for ever: a late repeat must not give back places twice. */
  readonly returns: Set<string>
}

/** How long an answer is remembered: a client that repeats a command later than this asks anew. */
export const rememberMs = 15 * 60_000
/** And how many, the newest: 32 MB of the busiest event. */
export const rememberCount = 131_072

export const empty = (layout: Layout): State => ({
  layout,
  version: 0,
  atMs: 0,
  holds: new Map(),
  owner: new Array(layout.seatCount),
  sold: new Array(layout.seatCount),
  freeInRow: Int32Array.from(layout.rows.map((row) => row.count)),
  areaHeld: layout.source.areas.map(() => 0),
  areaSold: layout.source.areas.map(() => ({ total: 0, byOrder: new Map() })),
  counts: TicketCounts.none(layout),
  expiries: new ExpiryHeap(),
  answers: new Map(),
  returns: new Set()
})

/**
 * Why a layout cannot replace the one in force, or undefined where it can. As long as nothing is
 * claimed anything goes; from then on seats and areas keep their index, and what is claimed stays for
 * sale. To be asked before the layout is written: what a journal tells is carried out.
 */
export const relayoutProblem = (state: State, next: Layout): string | undefined => {
  if (
    state.holds.size === 0 &&
    state.returns.size === 0 &&
    state.sold.every((order) => order === undefined)
  ) {
    if (state.areaSold.every(({ total }) => total === 0)) return undefined
  }
  if (next.seatCount < state.layout.seatCount || next.source.areas.length < state.areaHeld.length) {
    return "a layout may only add seats and areas behind the last"
  }
  for (let seat = 0; seat < state.layout.seatCount; seat++) {
    const claimed = state.owner[seat] !== undefined || state.sold[seat] !== undefined
    if (claimed && next.seatTier[seat] === -1) return `seat ${seat} is held or sold and would not be for sale`
  }
  for (let area = 0; area < state.areaHeld.length; area++) {
    const claimed = state.areaHeld[area]! + state.areaSold[area]!.total
    const { capacity, tier } = next.source.areas[area]!
    if (claimed > capacity) return `area ${area} has ${claimed} holds and sales for ${capacity} places`
    if (claimed > 0 && tier === -1) return `area ${area} has holds or sales and would not be for sale`
  }
  return undefined
}

/** Puts a newer layout under the state: what is held and sold keeps its index (see `relayoutProblem`). */
export const relayout = (state: State, layout: Layout): void => {
  const areas = layout.source.areas.length
  state.layout = layout
  state.owner.length = layout.seatCount
  state.sold.length = layout.seatCount
  state.areaHeld.length = Math.min(areas, state.areaHeld.length)
  state.areaSold.length = state.areaHeld.length
  while (state.areaHeld.length < areas) {
    state.areaHeld.push(0)
    state.areaSold.push({ total: 0, byOrder: new Map() })
  }
  state.freeInRow = Int32Array.from(layout.rows.map((row) => row.count))
  for (let seat = 0; seat < layout.seatCount; seat++) {
    if (state.owner[seat] !== undefined || state.sold[seat] !== undefined)
      state.freeInRow[layout.seatRow[seat]!]!--
  }
  recountQuotas(state)
}

/** Against the quotas of the layout in force: what counts against which may be another than before. */
const recountQuotas = (state: State): void => {
  const { layout } = state
  const taken = layout.rules.quotas.map(() => 0)
  if (taken.length > 0) {
    const seats = [...state.sold.keys()].filter(
      (seat) => state.sold[seat] !== undefined || state.owner[seat] !== undefined
    )
    const areas = state.areaHeld.map((held, area) => ({ area, quantity: held + state.areaSold[area]!.total }))
    TicketCounts.quotaUse(layout, { seats, areas }).forEach((tickets, quota) => {
      taken[quota] = tickets
    })
  }
  state.counts.quotaTaken = taken
}

/** True where a seat can be had at `nowMs`. */
export const isFree = (state: State, seat: number, nowMs: number): boolean => {
  if (state.sold[seat] !== undefined) return false
  const owner = state.owner[seat]
  return owner === undefined || owner.expiresAtMs <= nowMs
}

/** The places of an area that are neither held nor sold; those of expired holds count once they are swept. */
export const areaLeft = (state: State, area: number): number => {
  const found = state.layout.source.areas[area]
  return found === undefined ? 0 : found.capacity - state.areaHeld[area]! - state.areaSold[area]!.total
}

/** Makes an event part of the state. `version` and `atMs` are of the journal row that it stands in. */
export const evolve = (state: State, event: InventoryEvent, version: number, atMs: number): void => {
  state.version = version
  state.atMs = Math.max(state.atMs, atMs)
  switch (event._tag) {
    case "Opened":
      // The layout was put in place by `relayout`: it stands in a table of its own.
      return
    case "Held": {
      // Its seats are free for the one that takes its place, and its clock goes on in it.
      const replaced = event.replaces === undefined ? undefined : held(state, event.replaces)
      if (replaced !== undefined) drop(state, replaced)
      const hold: Hold = {
        id: event.hold,
        seats: event.seats,
        areas: event.areas,
        expiresAtMs: event.exp,
        ownExpiryMs: event.exp,
        capMs: event.cap,
        order: null,
        frozenOnce: replaced?.frozenOnce ?? false,
        customer: event.customer ?? null,
        voucher: event.voucher ?? null,
        gone: false
      }
      claim(state, hold)
      checkQuotas(state, hold, replaced)
      break
    }
    case "Extended": {
      const hold = held(state, event.hold)
      hold.ownExpiryMs = event.exp
      hold.expiresAtMs = event.exp
      state.expiries.push(hold)
      break
    }
    case "Released":
      drop(state, held(state, event.hold))
      break
    case "Expired":
      for (const id of event.holds) {
        // Its seats may have gone to another since: then it is gone already.
        const hold = state.holds.get(id)
        if (hold !== undefined) drop(state, hold)
      }
      return
    case "Frozen": {
      const hold = held(state, event.hold)
      hold.order = event.order
      hold.frozenOnce = true
      hold.expiresAtMs = event.until
      if (event.customer !== undefined && event.customer !== hold.customer) {
        TicketCounts.changeCustomer(state.counts, hold, event.customer)
        hold.customer = event.customer
      }
      state.expiries.push(hold)
      break
    }
    case "Unfrozen": {
      const hold = held(state, event.hold)
      hold.order = null
      hold.expiresAtMs = event.exp
      // Its own time may be over by now; the rest of the batch, which was swept before, must find it free.
      if (event.exp <= state.atMs) drop(state, hold)
      else state.expiries.push(hold)
      break
    }
    case "Sold": {
      const hold = state.holds.get(event.hold)
      if (hold !== undefined) drop(state, hold)
      const { areas, customer = null, seats, voucher = null } = event
      sell(state, event.order, { seats, areas, customer, voucher })
      // What was held before may be more than a quota that has been made smaller since.
      if (event.reclaimed) checkQuotas(state, event)
      break
    }
    case "Returned":
      for (const seat of event.seats) {
        state.sold[seat] = undefined
        state.freeInRow[state.layout.seatRow[seat]!]!++
      }
      for (const { area, quantity } of event.areas) {
        const places = state.areaSold[area]!
        places.total -= quantity
        const left = (places.byOrder.get(event.order) ?? 0) - quantity
        if (left > 0) places.byOrder.set(event.order, left)
        else places.byOrder.delete(event.order)
      }
      TicketCounts.countReturn(state.counts, state.layout, event.order, event)
      state.returns.add(event.cmd)
      break
    case "SoldBefore":
    case "Refused":
      break
  }
  remember(state, event, version, atMs)
}

/** Keeps the answer to a command, and forgets those that are too old or too many. */
export const remember = (state: State, event: CommandEvent, version: number, atMs: number): void => {
  state.answers.set(event.cmd, { event, version, atMs })
  // In the order they were given: the first is the oldest.
  for (const [cmd, { atMs: at }] of state.answers) {
    if (state.answers.size <= rememberCount && at > atMs - rememberMs) break
    state.answers.delete(cmd)
  }
}

/** Makes claims an order's, here or when a snapshot is read. */
export const sell = (state: State, order: OrderId, sale: TicketCounts.Counted): void => {
  const { areas, seats } = sale
  for (const seat of seats) {
    if (state.sold[seat] !== undefined) throw new Error(`INV-01: seat ${seat} is sold already`)
    takeFromExpired(state, seat)
    state.sold[seat] = order
    state.freeInRow[state.layout.seatRow[seat]!]!--
  }
  for (const { area, quantity } of areas) {
    const places = state.areaSold[area]!
    places.total += quantity
    places.byOrder.set(order, (places.byOrder.get(order) ?? 0) + quantity)
    checkArea(state, area)
  }
  TicketCounts.countSale(state.counts, state.layout, order, sale)
}

/** Puts a hold in its place, here or when a snapshot is read. */
export const claim = (state: State, hold: Hold): void => {
  state.holds.set(hold.id, hold)
  for (const seat of hold.seats) {
    if (state.sold[seat] !== undefined) throw new Error(`INV-01: seat ${seat} is held and sold`)
    takeFromExpired(state, seat)
    state.owner[seat] = hold
    state.freeInRow[state.layout.seatRow[seat]!]!--
  }
  for (const { area, quantity } of hold.areas) {
    state.areaHeld[area]! += quantity
    checkArea(state, area)
  }
  TicketCounts.count(state.counts, state.layout, hold, 1)
  state.expiries.push(hold)
}

const held = (state: State, id: HoldId): Hold => {
  const hold = state.holds.get(id)
  if (hold === undefined) throw new Error(`hold ${id} does not exist`)
  return hold
}

const drop = (state: State, hold: Hold): void => {
  hold.gone = true
  state.holds.delete(hold.id)
  for (const seat of hold.seats) {
    if (state.owner[seat] === hold) {
      state.owner[seat] = undefined
      state.freeInRow[state.layout.seatRow[seat]!]!++
    }
  }
  for (const { area, quantity } of hold.areas) state.areaHeld[area]! -= quantity
  TicketCounts.count(state.counts, state.layout, hold, -1)
}

/** A seat whose holder's time is over but who was not swept yet; the rest of that hold expires with it. */
const takeFromExpired = (state: State, seat: number): void => {
  const previous = state.owner[seat]
  if (previous === undefined) return
  if (previous.expiresAtMs > state.atMs) throw new Error(`INV-01: seat ${seat} is held already`)
  drop(state, previous)
}

const checkArea = (state: State, area: number): void => {
  if (areaLeft(state, area) < 0) throw new Error(`INV-01: area ${area} has more holds and sales than places`)
}

/** `replaced` is what the same buyer had before: who has no more of a quota than that may be in one that was made smaller. */
const checkQuotas = (
  state: State,
  claims: Pick<Hold, "seats" | "areas">,
  replaced?: Pick<Hold, "seats" | "areas">
): void => {
  const { quotas } = state.layout.rules
  if (quotas.length === 0) return
  const use = TicketCounts.quotaUse(state.layout, claims)
  const before = replaced === undefined ? undefined : TicketCounts.quotaUse(state.layout, replaced)
  for (let quota = 0; quota < quotas.length; quota++) {
    if (use[quota]! > (before?.[quota] ?? 0) && state.counts.quotaTaken[quota]! > quotas[quota]!)
      throw new Error(`INV-01: quota ${quota} has more holds and sales than its capacity`)
  }
}
