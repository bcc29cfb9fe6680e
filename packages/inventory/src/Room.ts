/**
 * How much room there is beyond single seats: in areas, quotas, and under the limits of customers and
 * vouchers. A hold that is about to be replaced by the one that asks takes none of it. Pure.
 */
import { areaLeft, type Hold, type State } from "./InventoryState.ts"
import type { Voucher } from "./SaleRules.ts"
import { type Counted, quotaUse, ticketsIn } from "./TicketCounts.ts"

type Claims = Pick<Counted, "seats" | "areas">

/** Places of an area in claims. */
export const placesOf = (claims: Claims | undefined, area: number): number => {
  let places = 0
  for (const claim of claims?.areas ?? []) if (claim.area === area) places += claim.quantity
  return places
}

/** Places that a quota keeps for its areas: reserved, and not claimed yet once `wanted` has got its own. */
const keptIn = (
  state: State,
  quota: number,
  wanted: Claims | undefined,
  without: Hold | undefined
): number => {
  let kept = 0
  for (const { area, reserved } of state.layout.rules.reservedOfQuota[quota]!) {
    const claimed =
      state.areaHeld[area]! + state.areaSold[area]!.total + placesOf(wanted, area) - placesOf(without, area)
    kept += Math.max(0, reserved - claimed)
  }
  return kept
}

/**
 * Tickets that a quota leaves, once `wanted` has got what it wants: fewer than none where it must not. Places
 * that are reserved for an area and not claimed yet are left to nobody else.
 */
const quotaLeft = (
  state: State,
  quota: number,
  wanted: Claims | undefined,
  use: number,
  without: Hold | undefined,
  withoutUse: number
): number => {
  const free = state.layout.rules.quotas[quota]! - state.counts.quotaTaken[quota]! + withoutUse - use
  return free - keptIn(state, quota, wanted, without)
}

/**
 * The quota that has not the room for what is wanted, and how many tickets it has; undefined where all have.
 *
 * More places may be reserved than are free, because they were sold before they were reserved: then who takes
 * of what is reserved for him takes nothing from anybody, and may have what is free.
 */
export const fullQuota = (
  state: State,
  wanted: Claims,
  without?: Hold
): { readonly quota: number; readonly left: number } | undefined => {
  const { layout } = state
  if (layout.rules.quotas.length === 0) return undefined
  const use = quotaUse(layout, wanted)
  const withoutUse = without === undefined ? undefined : quotaUse(layout, without)
  for (let quota = 0; quota < use.length; quota++) {
    if (use[quota] === 0) continue
    const left = quotaLeft(state, quota, wanted, use[quota]!, without, withoutUse?.[quota] ?? 0)
    if (left >= 0) continue
    const fits = left + keptIn(state, quota, wanted, without) >= 0
    if (fits && left >= quotaLeft(state, quota, undefined, 0, undefined, 0)) continue
    return { quota, left: Math.max(0, left + use[quota]!) }
  }
  return undefined
}

/** Tickets that the quotas leave to each tier, Infinity where it draws on none, once `wanted` has got its own. */
export const leftForTiers = (state: State, wanted?: Claims, without?: Hold): ReadonlyArray<number> => {
  const { layout } = state
  const { quotas, quotasOfTier } = layout.rules
  const use = wanted === undefined ? undefined : quotaUse(layout, wanted)
  const withoutUse = without === undefined ? undefined : quotaUse(layout, without)
  const left = quotas.map((_, quota) =>
    quotaLeft(state, quota, wanted, use?.[quota] ?? 0, without, withoutUse?.[quota] ?? 0)
  )
  return quotasOfTier.map((of) =>
    Math.max(
      0,
      of.reduce((least, quota) => Math.min(least, left[quota]!), Infinity)
    )
  )
}

/** Places of an area that are not claimed, whatever its quotas leave. */
export const placesFree = (state: State, area: number, without?: Hold): number =>
  areaLeft(state, area) + placesOf(without, area)

/** The free places of an area for whoever may claim them, as far as its quotas leave them; those of expired holds count once they are swept. */
export const areaFree = (state: State, area: number): number => {
  let free = areaLeft(state, area)
  const { quotasOfArea, reservedOfQuota } = state.layout.rules
  for (const quota of quotasOfArea[area] ?? []) {
    const own = reservedOfQuota[quota]!.find((one) => one.area === area)?.reserved ?? 0
    const claimed = state.areaHeld[area]! + state.areaSold[area]!.total
    // What is reserved for itself is not kept from it.
    const left = quotaLeft(state, quota, undefined, 0, undefined, 0) + Math.max(0, own - claimed)
    free = Math.min(free, left)
  }
  return Math.max(0, free)
}

/** Tickets that a customer may still have; Infinity for one who is not known, and where there is no limit. */
export const leftForCustomer = (state: State, customer: string | null, without?: Hold): number => {
  if (customer === null) return Infinity
  const own = without !== undefined && without.customer === customer ? ticketsIn(without) : 0
  return state.layout.rules.maxPerCustomer - (state.counts.customers.get(customer) ?? 0) + own
}

/** Tickets that may still be had with a voucher. */
export const leftForVoucher = (state: State, voucher: Voucher, without?: Hold): number => {
  const own = without !== undefined && without.voucher === voucher.id ? ticketsIn(without) : 0
  return voucher.maxTickets - (state.counts.vouchers.get(voucher.id) ?? 0) + own
}
