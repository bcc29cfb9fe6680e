/** Events as the outside sees them, and as the journal tells of them. Pure. */
import type { CatalogEvent, EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { EventDetail, EventStatus, EventSummary, Tier } from "@onsale/contracts/catalog/Event"
import type { EventPlan } from "@onsale/contracts/catalog/EventPlan"
import { DateTime } from "effect"
import * as RefundPolicies from "./RefundPolicies.ts"
import type { ListedEvent, StoredEvent } from "./StoredEvent.ts"

const iso = (ms: number): string => DateTime.formatIso(DateTime.makeUnsafe(ms))

type Dated = Pick<StoredEvent, "state" | "onSaleAtMs" | "saleEndsAtMs">

/** What an event is at a moment (milliseconds since 1970). */
export const statusAt = (event: Dated, nowMs: number): EventStatus => {
  if (event.state !== "published") return event.state
  if (nowMs >= event.saleEndsAtMs) return "ended"
  return nowMs >= event.onSaleAtMs ? "on_sale" : "published"
}

const toTier = (tier: StoredEvent["tiers"][number], currency: string): Tier => {
  const { amount, categories, id, maxPerOrder, minPerOrder, name, saleFromMs, saleUntilMs, voucherOnly } =
    tier
  return {
    id,
    name,
    price: { amount, currency },
    categories,
    ...(saleFromMs === null && saleUntilMs === null
      ? {}
      : {
          sale: {
            ...(saleFromMs === null ? {} : { from: iso(saleFromMs) }),
            ...(saleUntilMs === null ? {} : { until: iso(saleUntilMs) })
          }
        }),
    ...(minPerOrder === null ? {} : { minPerOrder }),
    ...(maxPerOrder === null ? {} : { maxPerOrder }),
    ...(voucherOnly ? { voucherOnly } : {})
  }
}

/** Without what only its organiser is to know. */
export const forPublic = ({ maxTickets: _, quotas: __, ...detail }: EventDetail): EventDetail => detail

/** As its organiser sees it. */
export const toDetail = (event: StoredEvent, nowMs: number): EventDetail => ({
  id: event.id,
  name: event.name,
  description: event.description,
  startsAt: iso(event.startsAtMs),
  timeZone: event.timeZone,
  venue: event.venue,
  performers: event.performers,
  tiers: event.tiers.map((tier) => toTier(tier, event.currency)),
  onSaleAt: iso(event.onSaleAtMs),
  saleEndsAt: iso(event.saleEndsAtMs),
  maxPerOrder: event.maxPerOrder,
  ...(event.maxPerCustomer === null ? {} : { maxPerCustomer: event.maxPerCustomer }),
  ...(event.accessibleReleased ? { accessibleReleased: true } : {}),
  ...(event.quotas.length === 0
    ? {}
    : {
        quotas: event.quotas.map(({ capacity, name, tiers }) => ({
          name,
          capacity,
          tiers: tiers.flatMap((tier) => event.tiers[tier]?.id ?? [])
        }))
      }),
  ...(event.maxTickets === null ? {} : { maxTickets: event.maxTickets }),
  ...(event.organiser === null ? {} : { organiser: event.organiser }),
  ...(event.refundPolicy === null
    ? {}
    : { refundPolicy: RefundPolicies.viewOf(event.refundPolicy, event.startsAtMs) }),
  ...(event.cancellation === null
    ? {}
    : { cancellation: { at: iso(event.cancellation.atMs), reason: event.cancellation.reason } }),
  status: statusAt(event, nowMs)
})

export const toSummary = (event: ListedEvent, nowMs: number): EventSummary => ({
  id: event.id,
  name: event.name,
  startsAt: iso(event.startsAtMs),
  timeZone: event.timeZone,
  venue: event.venue,
  onSaleAt: iso(event.onSaleAtMs),
  status: statusAt(event, nowMs),
  priceRange: {
    from: { amount: event.priceFrom, currency: event.currency },
    to: { amount: event.priceTo, currency: event.currency }
  }
})

/** What is told of an event to those who show it to people. */
export const toFacts = (
  event: Pick<StoredEvent, "id" | "name" | "description" | "startsAtMs" | "timeZone" | "venue" | "tiers"> & {
    readonly performers: ReadonlyArray<{ readonly name: string }>
  }
): EventFacts => ({
  eventId: event.id,
  name: event.name,
  description: event.description,
  startsAt: iso(event.startsAtMs),
  timeZone: event.timeZone,
  venue: event.venue,
  performers: event.performers.map(({ name }) => name),
  tiers: event.tiers.map(({ id, name }) => ({ id, name }))
})

export const toPublished = (event: StoredEvent, plan: EventPlan | undefined): CatalogEvent => ({
  _tag: "EventPublished",
  facts: toFacts(event),
  revision: event.revision,
  ...(plan === undefined ? {} : { plan })
})
