/** The rules of a sale that an organiser sent: windows and limits of tiers, quotas, limits of the event. Pure. */
import type { NewEvent, NewTier } from "@onsale/contracts/catalog/Event"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { DateTime, Option } from "effect"
import { tierAreas } from "./SaleAreas.ts"

/** Tells of a problem, with its place as a JSON pointer. */
export type Tell = (path: string, message: string) => void

/** Areas of the map, once for each tier they are on: all of them stand in each layout and board. */
const maxAreas = 10_000

export interface TierRules {
  /** Milliseconds since 1970; null is no rule. */
  readonly saleFromMs: number | null
  readonly saleUntilMs: number | null
  /** Tickets in an order that has any. */
  readonly minPerOrder: number | null
  readonly maxPerOrder: number | null
  readonly voucherOnly: boolean
}

export interface DraftQuota {
  readonly name: string
  readonly capacity: number
  /** Indices. */
  readonly tiers: ReadonlyArray<number>
}

/** What the rules of tiers have to fit. Times are milliseconds since 1970. */
export interface Frame {
  readonly onSaleAtMs: number
  readonly saleEndsAtMs: number
  readonly maxPerOrder: number
}

/** Milliseconds since 1970 of an instant whose form was checked when it was decoded. */
export const millis = (instant: string, path: string, tell: Tell): number => {
  const at = DateTime.make(instant)
  if (Option.isSome(at)) return DateTime.toEpochMillis(at.value)
  tell(path, "no such instant")
  return 0
}

const checkWindow = (tier: NewTier, path: string, frame: Frame, tell: Tell) => {
  const { from, until } = tier.sale ?? {}
  const saleFromMs = from === undefined ? null : millis(from, `${path}/sale/from`, tell)
  const saleUntilMs = until === undefined ? null : millis(until, `${path}/sale/until`, tell)
  if (saleFromMs !== null && saleUntilMs !== null && saleUntilMs <= saleFromMs)
    tell(`${path}/sale/until`, "the tier's sale would end before it begins")
  if (saleFromMs !== null && saleFromMs >= frame.saleEndsAtMs)
    tell(`${path}/sale/from`, "the tier's sale would begin when that of the event is over")
  if (saleUntilMs !== null && saleUntilMs <= frame.onSaleAtMs)
    tell(`${path}/sale/until`, "the tier's sale would end before that of the event begins")
  return { saleFromMs, saleUntilMs }
}

const checkTier = (tier: NewTier, path: string, event: NewEvent, frame: Frame, tell: Tell): TierRules => {
  const { maxPerOrder = null, minPerOrder = null, voucherOnly = false } = tier
  const least = minPerOrder ?? 1
  if (maxPerOrder !== null && least > maxPerOrder)
    tell(`${path}/minPerOrder`, `more than the tier's maxPerOrder of ${maxPerOrder}`)
  if (least > frame.maxPerOrder)
    tell(`${path}/minPerOrder`, `more than the event's maxPerOrder of ${frame.maxPerOrder}`)
  if (maxPerOrder !== null && maxPerOrder > frame.maxPerOrder)
    tell(`${path}/maxPerOrder`, `more than the event's maxPerOrder of ${frame.maxPerOrder}`)
  if (event.maxPerCustomer !== undefined && least > event.maxPerCustomer)
    tell(`${path}/minPerOrder`, `more than the event's maxPerCustomer of ${event.maxPerCustomer}`)
  if (event.maxTickets !== undefined && least > event.maxTickets)
    tell(`${path}/minPerOrder`, `more than the event's maxTickets of ${event.maxTickets}`)
  return { ...checkWindow(tier, path, frame, tell), minPerOrder, maxPerOrder, voucherOnly }
}

/** The rules of each tier. `tiers` are those of the event, or the ones that its seat map gives. */
export const checkTierRules = (
  event: NewEvent,
  tiers: ReadonlyArray<NewTier>,
  frame: Frame,
  tell: Tell
): ReadonlyArray<TierRules> => tiers.map((tier, i) => checkTier(tier, `/tiers/${i}`, event, frame, tell))

const hasSeats = (map: SeatMap): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const { rows } of map.sections)
    for (const { seats } of rows) for (const { category } of seats) if (category !== null) found.add(category)
  return found
}

/** Which categories are sold; each is known, and one that has seats is on one tier. */
export const checkCategories = (
  tiers: ReadonlyArray<NewTier>,
  map: SeatMap,
  tell: Tell
): ReadonlySet<string> => {
  const known = new Set(map.categories.map((category) => category.name))
  const seated = hasSeats(map)
  const tierOf = new Map<string, number>()
  tiers.forEach((tier, i) => {
    const own = new Set<string>()
    tier.categories.forEach((category, j) => {
      const path = `/tiers/${i}/categories/${j}`
      const other = tierOf.get(category)
      if (!known.has(category)) tell(path, `the seat map has no category ${JSON.stringify(category)}`)
      else if (own.has(category)) tell(path, `${JSON.stringify(category)} is on this tier already`)
      else if (other !== undefined && seated.has(category))
        tell(
          path,
          `${JSON.stringify(category)} has seats and is on the tier at /tiers/${other} already: only areas can be on several tiers`
        )
      else if (other === undefined) tierOf.set(category, i)
      own.add(category)
    })
  })
  if (tierAreas(map, tiers).length > maxAreas)
    tell(
      "/tiers",
      `the areas of the venue would be on too many tiers: ${maxAreas} areas and tiers are the most`
    )
  return new Set(tierOf.keys())
}

/** The quotas with their tiers as indices. */
export const checkQuotas = (
  { quotas }: NewEvent,
  tiers: ReadonlyArray<NewTier>,
  tell: Tell
): ReadonlyArray<DraftQuota> => {
  const tierOf = new Map(tiers.map(({ name }, tier) => [name, tier]))
  const names = new Map<string, number>()
  return quotas.map((quota, i) => {
    const other = names.get(quota.name)
    if (other !== undefined) tell(`/quotas/${i}/name`, `the quota at /quotas/${other} has this name`)
    else names.set(quota.name, i)
    const found = new Set<number>()
    quota.tiers.forEach((name, j) => {
      const path = `/quotas/${i}/tiers/${j}`
      const tier = tierOf.get(name)
      if (tier === undefined) return tell(path, `the event has no tier ${JSON.stringify(name)}`)
      if (found.has(tier)) return tell(path, `${JSON.stringify(name)} is in this quota already`)
      found.add(tier)
      const least = tiers[tier]!.minPerOrder ?? 1
      if (least > quota.capacity)
        tell(`/quotas/${i}/capacity`, `less than the minPerOrder of ${least} of ${JSON.stringify(name)}`)
    })
    return { name: quota.name, capacity: quota.capacity, tiers: [...found] }
  })
}
