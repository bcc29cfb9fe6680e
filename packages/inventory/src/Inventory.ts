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
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { type Claims, claimsOf, ids, isSeat, live, missing, positive, refused } from "./Decision.ts"
import { decideHold } from "./HoldDecision.ts"
import { answerOf, refusal } from "./InventoryAnswers.ts"
import { type CommandEvent, type Hold, isFree, type State } from "./InventoryState.ts"
import { fullQuota, leftForCustomer, leftForVoucher, placesFree } from "./Room.ts"
import { isBlocked } from "./SaleRules.ts"
import { ticketsIn } from "./TicketCounts.ts"

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
  if (state.layout.source.cancelled === true && wantsMore(state, command))
    return refused(command, "event_cancelled")
  switch (command._tag) {
    case "Hold":
      return decideHold(state, command, nowMs)
    case "Extend": {
      const hold = live(state, command.holdId, nowMs)
      if (hold === undefined) return missing(state, command, command.holdId, nowMs)
      if (hold.order !== null) return refused(command, "in_checkout")
      const exp = Math.min(nowMs + state.layout.source.holdTtlMs, hold.capMs)
      // At the cap nothing is gained any more.
      if (exp <= hold.ownExpiryMs) return refused(command, "extension_cap")
      return { _tag: "Extended", ...ids(command), ...told(hold), exp }
    }
    case "Release": {
      const hold = live(state, command.holdId, nowMs)
      if (hold === undefined) return missing(state, command, command.holdId, nowMs)
      if (hold.order !== null) return refused(command, "in_checkout")
      return { _tag: "Released", ...ids(command), hold: hold.id }
    }
    case "Freeze": {
      const hold = live(state, command.holdId, nowMs)
      if (hold === undefined) return missing(state, command, command.holdId, nowMs)
      if (hold.order !== null && hold.order !== command.orderId) return refused(command, "in_checkout")
      // At purchase the customer is known, if not before: the limit counts at the latest now.
      const customer = command.customer ?? hold.customer
      if (customer !== hold.customer && ticketsIn(hold) > leftForCustomer(state, customer))
        return overLimit(state, command)
      // A second order on the same hold gets the seats, but not more time.
      const until = hold.frozenOnce ? hold.expiresAtMs : nowMs + state.layout.source.checkoutMaxMs
      return {
        _tag: "Frozen",
        ...ids(command),
        ...told(hold),
        order: command.orderId,
        ...(customer === null ? {} : { customer }),
        until: Math.max(until, hold.ownExpiryMs)
      }
    }
    case "Unfreeze": {
      const hold = live(state, command.holdId, nowMs)
      if (hold === undefined || hold.order !== command.orderId)
        return missing(state, command, command.holdId, nowMs)
      return {
        _tag: "Unfrozen",
        ...ids(command),
        ...told(hold),
        order: command.orderId,
        exp: hold.ownExpiryMs
      }
    }
    case "Confirm":
      return decideConfirm(state, command, nowMs)
    case "Return":
      return decideReturn(state, command)
  }
}

/**
 * True of what would hold or sell something, or keep it for longer. Of an event that is cancelled nothing is; what
 * anybody has may always go back, and a sale that was carried out before is told to be (`SoldBefore`).
 */
const wantsMore = (state: State, command: InventoryCommand): boolean => {
  switch (command._tag) {
    case "Hold":
    case "Extend":
    case "Freeze":
      return true
    case "Confirm":
      return ticketsIn(command) === 0 || !soldTo(state, command.orderId, claimsOf(command))
    case "Release":
    case "Unfreeze":
    case "Return":
      return false
  }
}

type Of<Tag extends InventoryCommand["_tag"]> = Extract<InventoryCommand, { readonly _tag: Tag }>

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
    const customer = command.customer ?? hold.customer
    if (customer !== hold.customer && ticketsIn(asked) > leftForCustomer(state, customer))
      return overLimit(state, command)
    return { ...sold, reclaimed: false, ...countedFor(customer, hold.voucher) }
  }
  // A sale of nothing was never held, and would be sold to anybody.
  if (asked.seats.length + asked.areas.length === 0 || !positive(asked.areas)) {
    return refused(command, "hold_not_found")
  }
  if (soldTo(state, command.orderId, asked))
    return { _tag: "SoldBefore", ...ids(command), order: command.orderId }
  return (
    decideReclaim(state, command, asked, nowMs) ?? {
      ...sold,
      reclaimed: true,
      ...countedFor(command.customer ?? null, command.voucher ?? null)
    }
  )
}

const countedFor = (customer: string | null, voucher: Hold["voucher"]) => ({
  ...(customer === null ? {} : { customer }),
  ...(voucher === null ? {} : { voucher })
})

const overLimit = (state: State, command: InventoryCommand): CommandEvent =>
  refused(command, "limit_passed", { limit: state.layout.rules.maxPerCustomer, scope: "customer" })

/**
 * Why what an order lost, because its money came late, cannot be its own again; undefined where it can. What
 * was once held in time is not asked again whether its tier is still on sale.
 */
const decideReclaim = (
  state: State,
  command: Of<"Confirm">,
  asked: Claims,
  nowMs: number
): CommandEvent | undefined => {
  const { rules, seatCount, seatTier, source } = state.layout
  const voucher = command.voucher === undefined ? undefined : rules.vouchersById.get(command.voucher)
  const taken = asked.seats.filter(
    (seat) =>
      !isSeat(seatCount, seat) ||
      seatTier[seat] === -1 ||
      !isFree(state, seat, nowMs) ||
      isBlocked(rules.seatBlock?.[seat], voucher)
  )
  const short = asked.areas
    .filter(
      ({ area, quantity }) =>
        source.areas[area]?.tier === -1 ||
        isBlocked(source.areas[area]?.block, voucher) ||
        quantity > placesFree(state, area)
    )
    .map(({ area }) => area)
  if (taken.length > 0 || short.length > 0)
    return refused(command, "seats_taken", { seats: taken, areas: short })
  const full = fullQuota(state, asked)
  if (full !== undefined) return refused(command, "quota_full", { limit: full.left })
  const tickets = ticketsIn(asked)
  if (tickets > leftForCustomer(state, command.customer ?? null)) return overLimit(state, command)
  if (voucher !== undefined && tickets > leftForVoucher(state, voucher))
    return refused(command, "voucher_used", { limit: Math.max(0, leftForVoucher(state, voucher)) })
  return undefined
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
    return refused(command, "not_sold", { seats: foreign, areas: short.map(({ area }) => area) })
  }
  return {
    _tag: "Returned",
    ...ids(command),
    order: command.orderId,
    ...asked
  }
}

/** What is told of a hold, so that an answer can be given again from the event alone. */
const told = ({ areas, id, seats, voucher }: Hold) => ({
  hold: id,
  seats,
  areas,
  ...(voucher === null ? {} : { voucher })
})

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
