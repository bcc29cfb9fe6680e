/** What an organiser sent for an event, checked against the venue's seat map. Pure. */
import type { NewEvent, NewTier } from "@onsale/contracts/catalog/Event"
import { EventInvalid, type InvalidField } from "@onsale/contracts/catalog/CatalogErrors"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { maxAmount } from "@onsale/contracts/Money"
import { Result } from "effect"
import {
  checkCategories,
  checkQuotas,
  checkTierRules,
  type DraftQuota,
  type Frame,
  millis,
  type Tell,
  type TierRules
} from "./EventRules.ts"

import * as RefundPolicies from "./RefundPolicies.ts"
import type { StoredRefundPolicy } from "./RefundPolicies.ts"

const day = 86_400_000
/** A festival's last day can be sold while it runs; a sale that ends weeks after the start is a slip. */
export const longestEventMs = 31 * day
/** Dates farther away than this are slips of the year. */
export const farthestStartMs = 20 * 365 * day

const defaultHoldTtlMs = 600_000
/** A hold can be extended to three of its lives. */
const holdLives = 3
/** Longer than a bank's page for a strong authentication stays open. */
const checkoutMaxMs = 900_000
const defaultMaxPerOrder = 10

export interface DraftTier extends TierRules {
  readonly name: string
  /** Minor units. */
  readonly amount: number
  readonly categories: ReadonlyArray<string>
}

/** An event that can be stored and sold. Times are milliseconds since 1970. */
export interface EventDraft {
  readonly name: string
  readonly description: string
  readonly startsAtMs: number
  readonly onSaleAtMs: number
  readonly saleEndsAtMs: number
  readonly performers: ReadonlyArray<{ readonly name: string; readonly description: string }>
  readonly currency: string
  /** At least one. */
  readonly tiers: ReadonlyArray<DraftTier>
  readonly quotas: ReadonlyArray<DraftQuota>
  readonly maxPerOrder: number
  /** Null is no limit. */
  readonly maxPerCustomer: number | null
  /** Of the whole event; null is no limit. */
  readonly maxTickets: number | null
  readonly organiser: string | null
  readonly refundPolicy: StoredRefundPolicy | null
  readonly holdTtlMs: number
  readonly holdMaxMs: number
  readonly checkoutMaxMs: number
}

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"))

/** Digits behind the point: 2 for EUR, 0 for JPY, 3 for KWD. */
const fractionDigits = (currency: string): number =>
  new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2

/** "45.00" in minor units; undefined where the currency has no such sum. */
const minorUnits = (price: string, digits: number): number | undefined => {
  const [whole = "", fraction = ""] = price.split(".")
  if (!/^0*$/.test(fraction.slice(digits))) return undefined
  const amount = Number(whole + fraction.slice(0, digits).padEnd(digits, "0"))
  return amount <= maxAmount ? amount : undefined
}

/**
 * A tier for each price that the seat map gives by itself, as CSV plans do (`Category.price`), in the
 * order of the map. Empty where it gives none.
 */
const pricedTiers = (map: SeatMap, currency: string, tell: Tell): ReadonlyArray<NewTier> => {
  const digits = fractionDigits(currency)
  return map.categories.flatMap(({ name, price }) => {
    if (price === undefined) return []
    const amount = minorUnits(price, digits)
    if (amount === undefined) {
      tell("/currency", `the seat map's price ${price} is no sum in ${currency}`)
      return []
    }
    return [{ name, price: { amount, currency }, categories: [name] }]
  })
}

const isSold = (map: SeatMap, categories: ReadonlySet<string>): boolean =>
  map.areas.some((area) => area.capacity > 0 && area.category !== null && categories.has(area.category)) ||
  map.sections.some((section) =>
    section.rows.some((row) =>
      row.seats.some((seat) => seat.category !== null && categories.has(seat.category))
    )
  )

/** An order of as many tickets as it may have must have a total that is an `Amount`. */
const checkTotals = (event: NewEvent, tiers: ReadonlyArray<NewTier>, maxPerOrder: number, tell: Tell) => {
  tiers.forEach((tier, i) => {
    if (tier.price.amount * maxPerOrder <= maxAmount) return
    tell(
      event.tiers.length === 0 ? "/maxPerOrder" : `/tiers/${i}/price/amount`,
      `an order of ${maxPerOrder} tickets of ${JSON.stringify(tier.name)} would cost more than ${maxAmount} minor units`
    )
  })
}

const noTiers = { tiers: [], quotas: [] }

const checkTiers = (event: NewEvent, map: SeatMap, frame: Frame, tell: Tell) => {
  const currency = event.tiers[0]?.price.currency ?? event.currency
  if (currency === undefined) {
    tell("/tiers", "an event needs a tier, or a currency for the prices of its seat map")
    return { currency: "", ...noTiers }
  }
  if (!currencies.has(currency)) {
    const path = event.tiers.length === 0 ? "/currency" : "/tiers/0/price/currency"
    tell(path, `${currency} is not a currency of ISO 4217`)
    return { currency, ...noTiers }
  }
  const tiers = event.tiers.length === 0 ? pricedTiers(map, currency, tell) : event.tiers
  if (tiers.length === 0) tell("/tiers", "the seat map gives no prices, so the event needs tiers")
  checkTotals(event, tiers, frame.maxPerOrder, tell)
  const names = new Map<string, number>()
  tiers.forEach((tier, i) => {
    if (tier.price.currency !== currency) {
      tell(
        `/tiers/${i}/price/currency`,
        `all tiers of an event have one currency, and the first has ${currency}`
      )
    }
    const other = names.get(tier.name)
    if (other !== undefined) tell(`/tiers/${i}/name`, `the tier at /tiers/${other} has this name`)
    else names.set(tier.name, i)
  })
  const categories = checkCategories(tiers, map, tell)
  if (categories.size > 0 && !isSold(map, categories))
    tell("/tiers", "no seat and no place of the venue is on a tier")
  if (tiers.length > 0 && tiers.every((tier) => tier.categories.length === 0)) {
    tell("/tiers", "no tier has a category")
  }
  const rules = checkTierRules(event, tiers, frame, tell)
  return {
    currency,
    tiers: tiers.map(({ name, price, categories }, tier) => ({
      name,
      amount: price.amount,
      categories,
      ...rules[tier]!
    })),
    quotas: checkQuotas(event, tiers, tell)
  }
}

const checkTimes = (event: NewEvent, nowMs: number, tell: Tell) => {
  const startsAtMs = millis(event.startsAt, "/startsAt", tell)
  const onSaleAtMs = event.onSaleAt === undefined ? nowMs : millis(event.onSaleAt, "/onSaleAt", tell)
  const saleEndsAtMs =
    event.saleEndsAt === undefined ? startsAtMs : millis(event.saleEndsAt, "/saleEndsAt", tell)
  const endsAt = event.saleEndsAt === undefined ? "/startsAt" : "/saleEndsAt"
  if (startsAtMs > nowMs + farthestStartMs) tell("/startsAt", "the event starts more than 20 years from now")
  if (saleEndsAtMs <= nowMs) tell(endsAt, "the sale would be over already")
  else if (saleEndsAtMs <= onSaleAtMs) tell(endsAt, "the sale would end before it begins")
  if (saleEndsAtMs > startsAtMs + longestEventMs) {
    tell("/saleEndsAt", "the sale would end more than 31 days after the event starts")
  }
  return { startsAtMs, onSaleAtMs, saleEndsAtMs }
}

/** The draft, or every reason why there is none. */
export const check = (
  event: NewEvent,
  map: SeatMap,
  nowMs: number
): Result.Result<EventDraft, EventInvalid> => {
  const problems: Array<InvalidField> = []
  const tell: Tell = (path, message) => problems.push({ path, message })
  const times = checkTimes(event, nowMs, tell)
  const maxPerOrder = event.maxPerOrder ?? defaultMaxPerOrder
  const sold = checkTiers(event, map, { ...times, maxPerOrder }, tell)
  const refundPolicy = RefundPolicies.check(event.refundPolicy, "/refundPolicy", tell)
  const holdTtlMs = event.holdSeconds === undefined ? defaultHoldTtlMs : event.holdSeconds * 1000
  if (problems.length > 0) return Result.fail(new EventInvalid({ problems }))
  return Result.succeed({
    name: event.name,
    description: event.description,
    ...times,
    ...sold,
    performers: event.performers.map(({ description = "", name }) => ({ name, description })),
    maxPerOrder,
    maxPerCustomer: event.maxPerCustomer ?? null,
    maxTickets: event.maxTickets ?? null,
    organiser: event.organiser ?? null,
    refundPolicy,
    holdTtlMs,
    holdMaxMs: holdTtlMs * holdLives,
    checkoutMaxMs
  })
}
