/**
 * What happens on a command to hold. Pure.
 *
 * It is asked in one order, the same for everybody: is there a sale; what does the wish mean; may it be held
 * at all, by this buyer, now; is it free; is there room under quotas and limits. The first "no" is the answer.
 */
import type { AreaClaim, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { SeatFlag } from "@onsale/contracts/inventory/SaleLayout"
import * as BestAvailable from "./BestAvailable.ts"
import { fullQuota, leftForCustomer, leftForTiers, leftForVoucher, placesFree, placesOf } from "./Room.ts"
import { type Claims, claimsOf, isSeat, live, missing, positive, refused } from "./Decision.ts"
import { type CommandEvent, type Hold, isFree, type State } from "./InventoryState.ts"
import { isBlocked, type Voucher } from "./SaleRules.ts"
import { ticketsIn } from "./TicketCounts.ts"

type HoldCommand = Extract<InventoryCommand, { readonly _tag: "Hold" }>

/** Who asks, beside what is asked. */
interface Asker {
  /** What is asked for is what he has, or a part of it: nobody is asked for more. */
  readonly letsGo: boolean
  /** The hold that ends with the new one. */
  readonly replaced: Hold | undefined
  readonly voucher: Voucher | undefined
  readonly customer: string | null
}

export const decideHold = (state: State, command: HoldCommand, nowMs: number): CommandEvent => {
  const { source } = state.layout
  const lifeMs = command.lifeMs ?? source.holdTtlMs
  if (nowMs < source.onSaleAtMs) return refused(command, "sale_closed", { limit: source.onSaleAtMs })
  if (nowMs >= source.saleEndsAtMs) return refused(command, "sale_closed", { limit: source.saleEndsAtMs })

  let replaced: Hold | undefined
  if (command.replaces !== undefined) {
    replaced = live(state, command.replaces, nowMs)
    if (replaced === undefined) return missing(state, command, command.replaces, nowMs)
    if (replaced.order !== null) return refused(command, "in_checkout")
  }
  const asked = claimsOf(command)
  const cannot = cannotBe(state, command, asked)
  if (cannot !== undefined) return cannot
  // One id, one hold: a second would free the first one's seats for the second's time.
  if (state.holds.has(command.holdId)) return refused(command, "key_reused")

  const voucher = voucherOf(state, command, replaced)
  const letsGo = replaced !== undefined && command.best === null && isWithin(asked, replaced)
  // One whose time is over buys no more with it, but keeps what he has.
  if (
    command.voucherKey === undefined
      ? voucher !== undefined && !letsGo && !counts(voucher, nowMs)
      : voucher === undefined || !counts(voucher, nowMs)
  )
    return refused(command, "voucher_invalid")
  const asker: Asker = { letsGo, replaced, voucher, customer: command.customer ?? replaced?.customer ?? null }

  const barred = notForAsker(state, command, asked, asker, nowMs)
  if (barred !== undefined) return barred
  const takenSeats = asked.seats.filter((seat) => !isFreeFor(state, seat, asker, nowMs))
  const takenAreas = areasShort(state, asked.areas, asker)
  if (takenSeats.length > 0 || takenAreas.length > 0)
    return refused(command, "seats_taken", { seats: takenSeats, areas: takenAreas })

  const chosen = command.best === null ? [] : choose(state, command, command.best, asked, asker, nowMs)
  if ("_tag" in chosen) return chosen
  const claims = chosen.length === 0 ? asked : { ...asked, seats: [...asked.seats, ...chosen] }
  const noRoom = withoutRoom(state, command, claims, asker)
  if (noRoom !== undefined) return noRoom
  // In one go, and what it lacks left out: the common hold is for nobody, without a voucher, and new.
  const held = {
    _tag: "Held" as const,
    cmd: command.commandId,
    fp: command.fingerprint,
    hold: command.holdId,
    seats: claims.seats,
    areas: claims.areas,
    exp: replaced === undefined ? nowMs + lifeMs : replaced.ownExpiryMs,
    // A hold that is changed gains no time by it.
    cap: replaced === undefined ? nowMs + Math.max(source.holdMaxMs, lifeMs) : replaced.capMs
  }
  if (asker.customer === null && voucher === undefined && replaced === undefined) return held
  return {
    ...held,
    ...(asker.customer === null ? {} : { customer: asker.customer }),
    ...(voucher === undefined ? {} : { voucher: voucher.id }),
    ...(replaced === undefined ? {} : { replaces: replaced.id })
  }
}

/** What nobody can hold: what is not there, not sold, or more or less than an order may have. */
const cannotBe = (state: State, command: HoldCommand, asked: Claims): CommandEvent | undefined => {
  const { seatCount, seatTier, source } = state.layout
  const noSeats = asked.seats.filter((seat) => !isSeat(seatCount, seat))
  const noAreas = asked.areas.filter(({ area }) => source.areas[area] === undefined).map(({ area }) => area)
  const noWish = command.best !== null && BestAvailable.resolve(state.layout, command.best) === undefined
  if (noSeats.length > 0 || noAreas.length > 0 || noWish)
    return refused(command, "seats_unknown", { seats: noSeats, areas: noAreas })
  const unsoldSeats = asked.seats.filter((seat) => seatTier[seat] === -1)
  const unsoldAreas = asked.areas
    .filter(({ area }) => source.areas[area]!.tier === -1)
    .map(({ area }) => area)
  if (unsoldSeats.length > 0 || unsoldAreas.length > 0)
    return refused(command, "not_for_sale", { seats: unsoldSeats, areas: unsoldAreas })
  const quantity = ticketsIn(asked) + (command.best === null ? 0 : command.best.quantity)
  // Of nothing, or of less than nothing somewhere, as of too much: a hold has 1 to so many tickets.
  return !(quantity >= 1 && quantity <= source.maxPerOrder) ||
    !positive(asked.areas) ||
    (command.best !== null && !(command.best.quantity >= 1))
    ? refused(command, "limit_passed", { limit: source.maxPerOrder, scope: "order" })
    : undefined
}

/** The voucher of the command, or that of the hold that it changes. */
const voucherOf = ({ layout: { rules } }: State, command: HoldCommand, replaced: Hold | undefined) =>
  command.voucherKey !== undefined
    ? rules.vouchersByKey.get(command.voucherKey)
    : replaced?.voucher == null
      ? undefined
      : rules.vouchersById.get(replaced.voucher)

/** True where all of the claims are in the hold. */
const isWithin = ({ areas, seats }: Claims, hold: Hold): boolean =>
  seats.every((seat) => hold.seats.includes(seat)) &&
  areas.every(({ area, quantity }) => quantity <= placesOf(hold, area))

const counts = ({ fromMs, untilMs }: Voucher, nowMs: number): boolean => fromMs <= nowMs && nowMs < untilMs

/** The tiers of claims, and how many tickets of each. */
const tierTickets = ({ layout: { seatTier, source } }: State, { areas, seats }: Claims) => {
  const tickets = new Map<number, number>()
  const add = (tier: number, quantity: number) => tickets.set(tier, (tickets.get(tier) ?? 0) + quantity)
  for (const seat of seats) add(seatTier[seat]!, 1)
  for (const { area, quantity } of areas) add(source.areas[area]!.tier, quantity)
  return tickets
}

/** Those of the claims that are of one tier. */
const ofTier = ({ layout: { seatTier, source } }: State, { areas, seats }: Claims, tier: number) => ({
  seats: seats.filter((seat) => seatTier[seat] === tier),
  areas: areas.filter(({ area }) => source.areas[area]!.tier === tier).map(({ area }) => area)
})

/** What this buyer must not hold, or not now, though others may. */
const notForAsker = (
  state: State,
  command: HoldCommand,
  asked: Claims,
  { letsGo, voucher }: Asker,
  nowMs: number
): CommandEvent | undefined => {
  const { rules, seatFlags } = state.layout
  const kept =
    rules.keptFlags === 0 ? [] : asked.seats.filter((seat) => (seatFlags[seat]! & rules.keptFlags) !== 0)
  if (kept.length > 0) {
    // A companion comes along with somebody.
    const needed =
      (command.best !== null && command.best.accessible > 0) ||
      kept.some((seat) => (seatFlags[seat]! & SeatFlag.accessible) !== 0)
    if (command.accessible !== true || !needed) return refused(command, "accessible_only", { seats: kept })
  }
  return letsGo ? undefined : tierClosed(state, command, asked, voucher, nowMs)
}

/** The first tier of the claims that this buyer cannot have now. */
const tierClosed = (
  state: State,
  command: HoldCommand,
  asked: Claims,
  voucher: Voucher | undefined,
  nowMs: number
): CommandEvent | undefined => {
  const { rules, source } = state.layout
  if (rules.tiers === undefined) return undefined
  for (const tier of tierTickets(state, asked).keys()) {
    const rule = rules.tiers[tier]!
    const about = { ...ofTier(state, asked, tier), tier: source.tiers[tier]!.id }
    if (rule.voucherOnly && voucher?.tiers.has(tier) !== true)
      return refused(command, "voucher_needed", about)
    if (nowMs < rule.opensAtMs) return refused(command, "tier_closed", { ...about, limit: rule.opensAtMs })
    if (nowMs >= rule.closesAtMs) return refused(command, "tier_closed", { ...about, limit: rule.closesAtMs })
  }
  return undefined
}

/** A block takes what is held already only when it is let go of. */
const isFreeFor = (state: State, seat: number, { replaced, voucher }: Asker, nowMs: number): boolean =>
  (replaced !== undefined && state.owner[seat] === replaced) ||
  (isFree(state, seat, nowMs) && !isBlocked(state.layout.rules.seatBlock?.[seat], voucher))

/** The areas that have fewer places than are asked of them; what their quotas leave is asked afterwards. */
const areasShort = (state: State, claims: ReadonlyArray<AreaClaim>, { replaced, voucher }: Asker) =>
  claims
    .filter(
      ({ area, quantity }) =>
        quantity >
        (isBlocked(state.layout.source.areas[area]?.block, voucher)
          ? placesOf(replaced, area)
          : placesFree(state, area, replaced))
    )
    .map(({ area }) => area)

/** What best available may choose from, beside what is named. */
const freeFor = (state: State, asked: Claims, asker: Asker, nowMs: number): BestAvailable.Free => {
  const named = new Set(asked.seats)
  return {
    isFree: (seat) => !named.has(seat) && isFreeFor(state, seat, asker, nowMs),
    // Of the hold that is replaced, any row may have seats.
    freeInRow: (row) => state.freeInRow[row]! + (asker.replaced?.seats.length ?? 0),
    keptFlags: state.layout.rules.keptFlags
  }
}

/**
 * The best seats for a wish beside what is named, or why there are none: they are taken, or what stands in the
 * way of those that would be the best.
 */
const choose = (
  state: State,
  command: HoldCommand,
  best: NonNullable<HoldCommand["best"]>,
  asked: Claims,
  asker: Asker,
  nowMs: number
): ReadonlyArray<number> | CommandEvent => {
  const { rules } = state.layout
  const wish = BestAvailable.resolve(state.layout, best)
  const free = freeFor(state, asked, asker, nowMs)
  const plain = wish === undefined ? undefined : BestAvailable.choose(state.layout, free, wish)
  if (wish === undefined || plain === undefined) return refused(command, "seats_taken")
  if (rules.tiers === undefined && rules.quotas.length === 0) return plain
  const claims = { ...asked, seats: [...asked.seats, ...plain] }
  const barred =
    tierClosed(state, command, claims, asker.voucher, nowMs) ?? withoutRoom(state, command, claims, asker)
  if (barred === undefined) return plain
  const allowed = chooseAllowed(state, wish, free, asked, asker, nowMs)
  if (allowed !== undefined) return allowed
  // Seats that nobody named are not spoken of.
  return barred._tag === "Refused"
    ? { ...barred, seats: barred.seats.filter((seat) => asked.seats.includes(seat)) }
    : barred
}

/** The best seats of tiers that rules and quotas leave to this buyer. */
const chooseAllowed = (
  state: State,
  wish: BestAvailable.Wish,
  free: BestAvailable.Free,
  asked: Claims,
  asker: Asker,
  nowMs: number
): ReadonlyArray<number> | undefined => {
  const { layout } = state
  const { tiers } = layout.rules
  const { quantity } = wish
  // Any choice among tiers that could all be taken whole is one that quotas and limits allow.
  const left = leftForTiers(state, asked, asker.replaced)
  const have = tierTickets(state, asked)
  const may = (tier: number): boolean => {
    if (left[tier]! < quantity) return false
    const rule = tiers?.[tier]
    if (rule === undefined) return true
    return (
      rule.opensAtMs <= nowMs &&
      nowMs < rule.closesAtMs &&
      !(rule.voucherOnly && asker.voucher?.tiers.has(tier) !== true) &&
      (have.get(tier) ?? 0) + quantity <= rule.most
    )
  }
  const lacks = (tier: number) => (tiers?.[tier]?.least ?? 1) - (have.get(tier) ?? 0)
  // What is named may have to be filled up to the least of its tier: then nothing else will do.
  const toFill = [...have.keys()].filter((tier) => lacks(tier) > 0)
  // A tier that is sold only from some tickets on is not mixed with others.
  const mixed =
    toFill.length > 0
      ? undefined
      : BestAvailable.choose(layout, free, { ...wish, allowed: (tier) => lacks(tier) <= 1 && may(tier) })
  const alone = layout.source.tiers.flatMap((_, tier) => {
    const wanted =
      (wish.tier === null || wish.tier === tier) &&
      (toFill.length === 0 ? lacks(tier) > 1 : toFill.every((one) => one === tier))
    if (!wanted || lacks(tier) > quantity || !may(tier)) return []
    const chosen = BestAvailable.choose(layout, free, { ...wish, tier })
    return chosen === undefined ? [] : [chosen]
  })
  return [...(mixed === undefined ? [] : [mixed]), ...alone].sort(
    (a, b) =>
      Number(BestAvailable.areTogether(layout, b)) - Number(BestAvailable.areTogether(layout, a)) ||
      rankOf(state, a) - rankOf(state, b)
  )[0]
}

const rankOf = ({ layout }: State, seats: ReadonlyArray<number>): number =>
  layout.source.rows[layout.seatRow[seats[0]!]!]!.rank

/** What there is no room for: under the limits of a tier, in quotas, for the customer, under the voucher. */
const withoutRoom = (
  state: State,
  command: HoldCommand,
  claims: Claims,
  { customer, letsGo, replaced, voucher }: Asker
): CommandEvent | undefined => {
  const { rules, source } = state.layout
  if (rules.tiers !== undefined) {
    for (const [tier, tickets] of tierTickets(state, claims)) {
      const { least, most } = rules.tiers[tier]!
      const about = { ...ofTier(state, claims, tier), tier: source.tiers[tier]!.id, scope: "tier" as const }
      if (tickets < least) return refused(command, "below_minimum", { ...about, limit: least })
      if (tickets > most) return refused(command, "limit_passed", { ...about, limit: most })
    }
  }
  // A limit that was lowered meanwhile is no reason to keep somebody from having less.
  const full = letsGo ? undefined : fullQuota(state, claims, replaced)
  if (full !== undefined) {
    const { quotasOfArea, quotasOfTier } = rules
    return refused(command, "quota_full", {
      seats: claims.seats.filter((seat) => quotasOfTier[state.layout.seatTier[seat]!]!.includes(full.quota)),
      areas: claims.areas
        .filter(({ area }) => quotasOfArea[area]!.includes(full.quota))
        .map(({ area }) => area),
      limit: full.left
    })
  }
  const tickets = ticketsIn(claims)
  if (!(letsGo && customer === replaced?.customer) && tickets > leftForCustomer(state, customer, replaced))
    return refused(command, "limit_passed", { limit: rules.maxPerCustomer, scope: "customer" })
  if (voucher !== undefined && !(letsGo && voucher.id === replaced?.voucher)) {
    const left = leftForVoucher(state, voucher, replaced)
    if (tickets > left) return refused(command, "voucher_used", { limit: Math.max(0, left) })
  }
  return undefined
}
