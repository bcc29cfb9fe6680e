/** What stands against a hold, told the naive way: every reason there is, each with all that is said of it. */
import type { TierId } from "@onsale/contracts/Ids"
import type { InventoryCommand, LimitScope, RefusalCode } from "@onsale/contracts/inventory/InventoryCommand"
import {
  type Claims,
  list,
  merged,
  type NaiveBooks,
  type NaiveHold,
  seatsIn,
  ticketsOf,
  total,
  type Voucher
} from "./NaiveBooks.ts"

export type HoldCommand = Extract<InventoryCommand, { readonly _tag: "Hold" }>

/** Who asks, beside what is asked. */
export interface Asker {
  readonly replaced: NaiveHold | undefined
  readonly customer: string | null
  readonly voucher: Voucher | undefined
}

export interface Objection {
  readonly code: RefusalCode
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<number>
  readonly limit: number | null
  readonly scope?: LimitScope
  readonly tier?: TierId
}

const objection = (code: RefusalCode, detail: Partial<Objection> = {}): Objection => ({
  code,
  seats: [],
  areas: [],
  limit: null,
  ...detail
})

export const sameObjection = (a: Objection, b: Objection): boolean =>
  a.code === b.code &&
  a.limit === b.limit &&
  a.scope === b.scope &&
  a.tier === b.tier &&
  list(a.seats) === list(b.seats) &&
  list(a.areas) === list(b.areas)

/** Whom a command to hold is for: what it does not say, it has of the hold that it changes. */
export const askerOf = (books: NaiveBooks, command: HoldCommand, nowMs: number): Asker => {
  const replaced = command.replaces === undefined ? undefined : books.live(command.replaces, nowMs)
  const voucher =
    command.voucherKey === undefined
      ? books.voucherById(replaced?.voucher)
      : books.layout.vouchers?.find(({ key }) => key === command.voucherKey)
  return { replaced, voucher, customer: command.customer ?? replaced?.customer ?? null }
}

/** That what is asked for is a part of what the asker has: then he lets go of the rest, and asks for nothing. */
const letsGo = ({ best, ...asked }: HoldCommand, { replaced }: Asker): boolean =>
  replaced !== undefined &&
  best === null &&
  asked.seats.every((seat) => replaced.seats.includes(seat)) &&
  merged(asked.areas).every(
    ({ area, quantity }) => quantity <= total(replaced.areas.filter((claim) => claim.area === area))
  )

const isOver = ({ fromMs = 0, untilMs = Number.POSITIVE_INFINITY }: Voucher, nowMs: number): boolean =>
  nowMs < fromMs || nowMs >= untilMs

/** That it cannot be asked for at all, by anybody or with this voucher. */
const ofCommand = (
  books: NaiveBooks,
  command: HoldCommand,
  asker: Asker,
  nowMs: number
): Array<Objection> => {
  const { layout } = books
  const { voucher } = asker
  const seats = seatsIn(layout)
  const areas = merged(command.areas)
  const { best } = command
  const found: Array<Objection> = []
  if (layout.cancelled === true) found.push(objection("event_cancelled"))
  if (nowMs < layout.onSaleAtMs) found.push(objection("sale_closed", { limit: layout.onSaleAtMs }))
  if (nowMs >= layout.saleEndsAtMs) found.push(objection("sale_closed", { limit: layout.saleEndsAtMs }))
  const noSeats = command.seats.filter((seat) => seats[seat] === undefined)
  const noAreas = areas.filter(({ area }) => layout.areas[area] === undefined).map(({ area }) => area)
  const noTier =
    best !== null &&
    best.tier !== null &&
    !layout.tiers.some(({ id, name }) => [id, name].includes(best.tier!))
  if (noSeats.length + noAreas.length > 0 || noTier)
    found.push(objection("seats_unknown", { seats: noSeats, areas: noAreas }))
  const unsold = command.seats.filter((seat) => seats[seat]?.tier === -1)
  const unsoldAreas = areas.filter(({ area }) => layout.areas[area]?.tier === -1).map(({ area }) => area)
  if (unsold.length + unsoldAreas.length > 0)
    found.push(objection("not_for_sale", { seats: unsold, areas: unsoldAreas }))
  const tickets = new Set(command.seats).size + total(command.areas) + (best?.quantity ?? 0)
  if (
    tickets < 1 ||
    tickets > layout.maxPerOrder ||
    areas.some(({ quantity }) => quantity < 1) ||
    (best !== null && best.quantity < 1)
  )
    found.push(objection("limit_passed", { limit: layout.maxPerOrder, scope: "order" }))
  if (books.holds.some(({ id }) => id === command.holdId)) found.push(objection("key_reused"))
  const less = letsGo(command, asker)
  if (
    command.voucherKey !== undefined
      ? voucher === undefined || isOver(voucher, nowMs)
      : voucher !== undefined && !less && isOver(voucher, nowMs)
  )
    found.push(objection("voucher_invalid"))
  if (layout.accessibleReleased !== true) {
    const kept = command.seats.filter((seat) => ((seats[seat]?.flags ?? 0) & 3) !== 0)
    const chair = kept.some((seat) => (seats[seat]!.flags & 1) !== 0) || (best?.accessible ?? 0) > 0
    if (kept.length > 0 && !(chair && command.accessible === true))
      found.push(objection("accessible_only", { seats: kept }))
  }
  return found
}

/** Seats and areas that are taken, for this buyer. */
export const takenFor = (books: NaiveBooks, claims: Claims, { replaced, voucher }: Asker, nowMs: number) => ({
  seats: claims.seats.filter(
    (seat) =>
      replaced?.seats.includes(seat) !== true &&
      (!books.seatFree(seat, nowMs) || books.blocked(books.blockOf(seat), voucher))
  ),
  areas: merged(claims.areas)
    .filter(({ area, quantity }) => {
      const own = total((replaced?.areas ?? []).filter((claim) => claim.area === area))
      const left = books.blocked(books.layout.areas[area]?.block, voucher)
        ? own
        : books.placesLeft(area, nowMs, replaced)
      return quantity > left
    })
    .map(({ area }) => area)
})

/** That a tier is not for this buyer, not now, or not in this number. */
const ofTiers = (books: NaiveBooks, claims: Claims, { voucher }: Asker, nowMs: number): Array<Objection> =>
  books.layout.tiers.flatMap((rule, tier): ReadonlyArray<Objection> => {
    const seats = claims.seats.filter((seat) => books.tierOf({ seat, area: null }) === tier)
    const claimed = claims.areas.filter(({ area }) => books.tierOf({ seat: null, area }) === tier)
    const about = { seats, areas: merged(claimed).map(({ area }) => area), tier: rule.id }
    const tickets = seats.length + total(claimed)
    if (tickets === 0) return []
    const found: Array<Objection> = []
    const { closesAtMs, maxPerOrder, minPerOrder, opensAtMs, voucherOnly } = rule
    if (voucherOnly === true && voucher?.tiers.includes(tier) !== true)
      found.push(objection("voucher_needed", about))
    if (opensAtMs !== undefined && nowMs < opensAtMs)
      found.push(objection("tier_closed", { ...about, limit: opensAtMs }))
    if (closesAtMs !== undefined && nowMs >= closesAtMs)
      found.push(objection("tier_closed", { ...about, limit: closesAtMs }))
    if (minPerOrder !== undefined && tickets < minPerOrder)
      found.push(objection("below_minimum", { ...about, limit: minPerOrder, scope: "tier" }))
    if (maxPerOrder !== undefined && tickets > maxPerOrder)
      found.push(objection("limit_passed", { ...about, limit: maxPerOrder, scope: "tier" }))
    return found
  })

/** Quotas that have not the room, with how much they have. */
export const fullQuotas = (
  books: NaiveBooks,
  claims: Claims,
  replaced: NaiveHold | undefined,
  nowMs: number
): Array<Objection> => {
  const wanted = ticketsOf(claims, null, null)
  return (books.layout.quotas ?? []).flatMap((quota) => {
    const own = wanted.filter((ticket) => books.covers(quota, ticket))
    const left = books.quotaLeft(quota, nowMs, wanted, replaced)
    if (own.length === 0 || left >= 0) return []
    // More may be reserved than is free: who takes of his own takes from nobody.
    const all = [...books.tickets(nowMs, replaced), ...wanted].filter((ticket) => books.covers(quota, ticket))
    if (all.length <= quota.capacity && left >= books.quotaLeft(quota, nowMs)) return []
    return [
      objection("quota_full", {
        seats: own.flatMap(({ seat }) => (seat === null ? [] : [seat])),
        areas: [...new Set(own.flatMap(({ area }) => (area === null ? [] : [area])))],
        limit: Math.max(0, left + own.length)
      })
    ]
  })
}

export const overCustomer = (
  books: NaiveBooks,
  tickets: number,
  customer: string | null,
  nowMs: number,
  replaced?: NaiveHold
): Array<Objection> =>
  tickets > books.customerLeft(customer, nowMs, replaced)
    ? [objection("limit_passed", { limit: books.layout.maxPerCustomer ?? null, scope: "customer" })]
    : []

export const overVoucher = (
  books: NaiveBooks,
  tickets: number,
  voucher: Voucher | undefined,
  nowMs: number,
  replaced?: NaiveHold
): Array<Objection> => {
  const left = voucher === undefined ? tickets : books.voucherLeft(voucher, nowMs, replaced)
  return tickets > left ? [objection("voucher_used", { limit: Math.max(0, left) })] : []
}

/** Everything that stands against a hold of these claims, which are what is named and what is chosen. */
export const against = (
  books: NaiveBooks,
  command: HoldCommand,
  claims: Claims,
  asker: Asker,
  nowMs: number
): ReadonlyArray<Objection> => {
  const first = ofCommand(books, command, asker, nowMs)
  // Of what is not there, or is fewer than none, nothing more can be said.
  if (first.some(({ code }) => code === "seats_unknown") || claims.areas.some(({ quantity }) => quantity < 1))
    return first
  const taken = takenFor(books, claims, asker, nowMs)
  const tickets = claims.seats.length + total(claims.areas)
  const less = letsGo(command, asker)
  const { customer, replaced, voucher } = asker
  const numbers = ["below_minimum", "limit_passed"]
  return [
    ...first,
    ...(taken.seats.length + taken.areas.length > 0 ? [objection("seats_taken", taken)] : []),
    ...ofTiers(books, claims, asker, nowMs).filter(({ code }) => !less || numbers.includes(code)),
    ...(less ? [] : fullQuotas(books, claims, replaced, nowMs)),
    ...(less && customer === replaced?.customer
      ? []
      : overCustomer(books, tickets, customer, nowMs, replaced)),
    ...(less && voucher?.id === replaced?.voucher
      ? []
      : overVoucher(books, tickets, voucher, nowMs, replaced))
  ]
}

/** Seats that best available may choose from, if it were for seats alone. */
export const eligible = (
  books: NaiveBooks,
  command: HoldCommand,
  asker: Asker,
  nowMs: number
): ReadonlyArray<number> => {
  const { best } = command
  if (best === null) return []
  const { accessibleReleased, tiers } = books.layout
  return seatsIn(books.layout).flatMap(({ flags, section, tier }, seat) => {
    const { id, name } = tiers[tier] ?? { id: undefined, name: undefined }
    const wanted =
      id !== undefined &&
      (best.tier === null || best.tier === id || best.tier === name) &&
      (best.section === null || best.section === section) &&
      (best.accessible > 0 || accessibleReleased === true || (flags & 3) === 0)
    if (!wanted || command.seats.includes(seat)) return []
    return takenFor(books, { seats: [seat], areas: [] }, asker, nowMs).seats.length === 0 ? [seat] : []
  })
}

/** Some of these seats that are as many as is wished, and as many of them accessible; undefined for none. */
export const someOf = (
  books: NaiveBooks,
  { accessible, quantity }: NonNullable<HoldCommand["best"]>,
  seats: ReadonlyArray<number>
): ReadonlyArray<number> | undefined => {
  const chairs = seats.filter((seat) => (seatsIn(books.layout)[seat]!.flags & 1) !== 0)
  const needed = Math.max(0, Math.min(accessible, quantity))
  if (seats.length < quantity || chairs.length < needed) return undefined
  const first = chairs.slice(0, needed)
  return [...first, ...seats.filter((seat) => !first.includes(seat))].slice(0, quantity)
}
