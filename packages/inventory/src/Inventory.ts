/**
 * The rules of one event's inventory: what happens on a command. Pure: no I/O, and no clock but the
 * time that a batch is given.
 *
 * `decide` looks at the state and a command and says what happens, as one domain event;
 * `InventoryState.evolve` makes it so.
 *
 * A hold counts as long as its time has not come (INV-03), whatever was swept: `sweep` only makes an
 * expiry visible to those who read the journal, and gives areas their places back.
 */
import type { HoldId, OrderId } from "@onsale/contracts/Ids"
import type {
  AreaClaim,
  InventoryAnswer,
  InventoryCommand,
  Refused
} from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import * as BestAvailable from "./BestAvailable.ts"
import { answerOf, refusal } from "./InventoryAnswers.ts"
import { areaFree, type CommandEvent, type Hold, isFree, type State } from "./InventoryState.ts"

/** The answer given to this command before, or undefined for one that is new. */
export const recall = (state: State, command: InventoryCommand): InventoryAnswer | undefined => {
  const seen = state.answers.get(command.commandId)
  if (seen === undefined) {
    return state.returns.has(command.commandId) ? { _tag: "Returned", version: state.version } : undefined
  }
  return seen.event.fp === command.fingerprint
    ? answerOf(state.layout, seen.event, seen.version)
    : refusal("key_reused")
}

/** What happens on a command at `nowMs`. The command must be new (see `recall`). */
export const decide = (state: State, command: InventoryCommand, nowMs: number): CommandEvent => {
  switch (command._tag) {
    case "Hold":
      return decideHold(state, command, nowMs)
    case "Extend": {
      const hold = live(state, command.holdId, nowMs)
      if (hold === undefined) return missing(state, command, nowMs)
      if (hold.order !== null) return refused(command, "in_checkout")
      const exp = Math.min(nowMs + state.layout.source.holdTtlMs, hold.capMs)
      // At the cap nothing is gained any more.
      if (exp <= hold.ownExpiryMs) return refused(command, "extension_cap")
      return { _tag: "Extended", ...ids(command), hold: hold.id, seats: hold.seats, areas: hold.areas, exp }
    }
    case "Release": {
      const hold = live(state, command.holdId, nowMs)
      if (hold === undefined) return missing(state, command, nowMs)
      if (hold.order !== null) return refused(command, "in_checkout")
      return { _tag: "Released", ...ids(command), hold: hold.id }
    }
    case "Freeze": {
      const hold = live(state, command.holdId, nowMs)
      if (hold === undefined) return missing(state, command, nowMs)
      if (hold.order !== null && hold.order !== command.orderId) return refused(command, "in_checkout")
      // A second order on the same hold gets the seats, but not more time.
      const until = hold.frozenOnce ? hold.expiresAtMs : nowMs + state.layout.source.checkoutMaxMs
      return {
        _tag: "Frozen",
        ...ids(command),
        hold: hold.id,
        order: command.orderId,
        seats: hold.seats,
        areas: hold.areas,
        until: Math.max(until, hold.ownExpiryMs)
      }
    }
    case "Unfreeze": {
      const hold = live(state, command.holdId, nowMs)
      if (hold === undefined || hold.order !== command.orderId) return missing(state, command, nowMs)
      return {
        _tag: "Unfrozen",
        ...ids(command),
        hold: hold.id,
        order: command.orderId,
        seats: hold.seats,
        areas: hold.areas,
        exp: hold.ownExpiryMs
      }
    }
    case "Confirm":
      return decideConfirm(state, command, nowMs)
    case "Return":
      return decideReturn(state, command)
  }
}

type Of<Tag extends InventoryCommand["_tag"]> = Extract<InventoryCommand, { readonly _tag: Tag }>

const decideHold = (state: State, command: Of<"Hold">, nowMs: number): CommandEvent => {
  const { source, seatCount } = state.layout
  if (nowMs < source.onSaleAtMs) return refused(command, "sale_closed", [], [], source.onSaleAtMs)
  if (nowMs >= source.saleEndsAtMs) return refused(command, "sale_closed", [], [], source.saleEndsAtMs)

  const asked = claimsOf(command)
  const unknownSeats = asked.seats.filter((seat) => !isSeat(seatCount, seat))
  const unknownAreas = asked.areas
    .filter(({ area }) => source.areas[area] === undefined)
    .map(({ area }) => area)
  const wish = command.best === null ? null : BestAvailable.resolve(state.layout, command.best)
  if (unknownSeats.length > 0 || unknownAreas.length > 0 || wish === undefined) {
    return refused(command, "seats_unknown", unknownSeats, unknownAreas)
  }
  const unsoldSeats = asked.seats.filter((seat) => state.layout.seatTier[seat] === -1)
  const unsoldAreas = asked.areas
    .filter(({ area }) => source.areas[area]!.tier === -1)
    .map(({ area }) => area)
  if (unsoldSeats.length > 0 || unsoldAreas.length > 0) {
    return refused(command, "not_for_sale", unsoldSeats, unsoldAreas)
  }
  const quantity =
    asked.seats.length +
    asked.areas.reduce((sum, claim) => sum + claim.quantity, 0) +
    (command.best === null ? 0 : command.best.quantity)
  // Of nothing, or of less than nothing somewhere, as of too much: a hold has 1 to so many tickets.
  if (
    !(quantity >= 1 && quantity <= source.maxPerOrder) ||
    !positive(asked.areas) ||
    (command.best !== null && !(command.best.quantity >= 1))
  ) {
    return refused(command, "limit_passed", [], [], source.maxPerOrder)
  }
  // One id, one hold: a second would free the first one's seats for the second's time.
  if (state.holds.has(command.holdId)) return refused(command, "key_reused")

  const takenSeats = asked.seats.filter((seat) => !isFree(state, seat, nowMs))
  const takenAreas = areasShort(state, asked.areas)
  if (takenSeats.length > 0 || takenAreas.length > 0) {
    return refused(command, "seats_taken", takenSeats, takenAreas)
  }
  let seats = asked.seats
  if (wish !== null) {
    const named = new Set(asked.seats)
    const chosen = BestAvailable.choose(
      state.layout,
      {
        isFree: (seat) => isFree(state, seat, nowMs) && !named.has(seat),
        freeInRow: (row) => state.freeInRow[row]!
      },
      wish
    )
    if (chosen === undefined) return refused(command, "seats_taken")
    seats = [...asked.seats, ...chosen]
  }
  return {
    _tag: "Held",
    ...ids(command),
    hold: command.holdId,
    seats,
    areas: asked.areas,
    exp: nowMs + source.holdTtlMs,
    cap: nowMs + Math.max(source.holdMaxMs, source.holdTtlMs)
  }
}

const decideConfirm = (state: State, command: Of<"Confirm">, nowMs: number): CommandEvent => {
  const asked = claimsOf(command)
  const sold = {
    _tag: "Sold" as const,
    ...ids(command),
    hold: command.holdId,
    order: command.orderId,
    ...asked
  }
  const hold = live(state, command.holdId, nowMs)
  if (hold !== undefined) {
    if (hold.order !== null && hold.order !== command.orderId) return refused(command, "in_checkout")
    if (!sameClaims(hold, asked)) return refused(command, "hold_not_found")
    return { ...sold, reclaimed: false }
  }
  // A sale of nothing was never held, and would be sold to anybody.
  if (asked.seats.length + asked.areas.length === 0 || !positive(asked.areas)) {
    return refused(command, "hold_not_found")
  }
  if (soldTo(state, command.orderId, asked))
    return { _tag: "SoldBefore", ...ids(command), order: command.orderId }
  const taken = asked.seats.filter(
    (seat) => !isSeat(state.layout.seatCount, seat) || !isFree(state, seat, nowMs)
  )
  const short = areasShort(state, asked.areas)
  if (taken.length > 0 || short.length > 0) return refused(command, "seats_taken", taken, short)
  return { ...sold, reclaimed: true }
}

/** True where all that the command claims is sold to its order: a repeat whose answer is forgotten. */
const soldTo = (state: State, orderId: OrderId, { seats, areas }: Claims): boolean =>
  seats.every((seat) => state.sold[seat] === orderId) &&
  areas.every(({ area, quantity }) => (state.areaSold[area]?.byOrder.get(orderId) ?? 0) >= quantity)

const decideReturn = (state: State, command: Of<"Return">): CommandEvent => {
  const asked = claimsOf(command)
  const foreign = asked.seats.filter((seat) => state.sold[seat] !== command.orderId)
  const short = asked.areas.filter(
    ({ area, quantity }) =>
      !(quantity >= 1) || (state.areaSold[area]?.byOrder.get(command.orderId) ?? 0) < quantity
  )
  if (foreign.length > 0 || short.length > 0) {
    return refused(
      command,
      "not_sold",
      foreign,
      short.map(({ area }) => area)
    )
  }
  return {
    _tag: "Returned",
    ...ids(command),
    order: command.orderId,
    ...asked
  }
}

interface Claims {
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<AreaClaim>
}

/** What a command claims, each seat and each area once: a claim that is counted twice would not be checked. */
const claimsOf = ({ seats, areas }: Claims): Claims => {
  const each = new Set(seats)
  const places = new Map<number, number>()
  for (const { area, quantity } of areas) places.set(area, (places.get(area) ?? 0) + quantity)
  return {
    seats: each.size === seats.length ? seats : Array.from(each),
    areas:
      places.size === areas.length ? areas : Array.from(places, ([area, quantity]) => ({ area, quantity }))
  }
}

const isSeat = (seatCount: number, seat: number): boolean =>
  Number.isInteger(seat) && seat >= 0 && seat < seatCount

const positive = (areas: ReadonlyArray<AreaClaim>): boolean =>
  areas.every(({ quantity }) => Number.isInteger(quantity) && quantity >= 1)

const ids = (command: InventoryCommand) => ({ cmd: command.commandId, fp: command.fingerprint })

const refused = (
  command: InventoryCommand,
  code: Refused["code"],
  seats: ReadonlyArray<number> = [],
  areas: ReadonlyArray<number> = [],
  limit: number | null = null
): CommandEvent => ({ _tag: "Refused", ...ids(command), code, seats, areas, limit })

/** A hold that counts at `nowMs`. */
const live = (state: State, holdId: HoldId, nowMs: number): Hold | undefined => {
  const hold = state.holds.get(holdId)
  return hold !== undefined && hold.expiresAtMs > nowMs ? hold : undefined
}

const missing = (
  state: State,
  command: { readonly holdId: HoldId } & InventoryCommand,
  nowMs: number
): CommandEvent => {
  const hold = state.holds.get(command.holdId)
  return refused(command, hold !== undefined && hold.expiresAtMs <= nowMs ? "hold_expired" : "hold_not_found")
}

/** The areas that have fewer places than are asked of them. */
const areasShort = (state: State, claims: ReadonlyArray<AreaClaim>): Array<number> =>
  claims.filter(({ area, quantity }) => quantity > areaFree(state, area)).map(({ area }) => area)

const sameClaims = (a: Claims, b: Claims): boolean => {
  const seats = new Set(a.seats)
  const places = new Map(a.areas.map(({ area, quantity }) => [area, quantity]))
  return (
    seats.size === b.seats.length &&
    b.seats.every((seat) => seats.has(seat)) &&
    places.size === b.areas.length &&
    b.areas.every(({ area, quantity }) => places.get(area) === quantity)
  )
}

/**
 * The holds whose time has come, as an event for the journal, or undefined where there are none. To be
 * evolved before anything of the same batch is decided, and all of them: the places of a hold that is
 * left out would be refused to the next buyer without a reason. There are never more than the event has
 * seats and places.
 */
export const sweep = (state: State, nowMs: number): InventoryEvent | undefined => {
  // A hold whose clock was stopped and went on has two entries of one time.
  const holds = new Set<HoldId>()
  for (;;) {
    const hold = state.expiries.popExpired(nowMs)
    if (hold === undefined) break
    holds.add(hold.id)
  }
  return holds.size === 0 ? undefined : { _tag: "Expired", holds: Array.from(holds) }
}
