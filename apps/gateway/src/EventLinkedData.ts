/**
 * An event for search engines: schema.org `Event` as JSON-LD, with what Google requires of one (name, startDate,
 * location with an address) and what it recommends, as far as we know it: pictures and ends we do not. Pure.
 */
import type { EventDetail, Tier } from "@onsale/contracts/catalog/Event"
import type { TierId } from "@onsale/contracts/Ids"
import * as CurrencyUnits from "@onsale/payments/CurrencyUnits"
import { DateTime, Option } from "effect"

export const mediaType = "application/ld+json"

/** With the offset that the venue has on that day; in UTC where this machine does not know its zone. */
const atVenue = (instant: string, timeZone: string): string => {
  const utc = DateTime.makeUnsafe(instant)
  return Option.match(DateTime.setZoneNamed(utc, timeZone), {
    onNone: () => DateTime.formatIso(utc),
    onSome: DateTime.formatIsoOffset
  })
}

const later = (one: string, other: string | undefined): string =>
  other === undefined || Date.parse(other) < Date.parse(one) ? one : other
const earlier = (one: string, other: string | undefined): string =>
  other === undefined || Date.parse(other) > Date.parse(one) ? one : other

const offerOf =
  (event: EventDetail, url: string, inStock: ReadonlyMap<TierId, boolean> | null) => (tier: Tier) => ({
    "@type": "Offer",
    name: tier.name,
    price: CurrencyUnits.toDecimal(tier.price.amount, tier.price.currency),
    priceCurrency: tier.price.currency,
    ...(inStock === null
      ? {}
      : { availability: `https://schema.org/${inStock.get(tier.id) === true ? "InStock" : "SoldOut"}` }),
    validFrom: atVenue(later(event.onSaleAt, tier.sale?.from), event.timeZone),
    validThrough: atVenue(earlier(event.saleEndsAt, tier.sale?.until), event.timeZone),
    url
  })

/**
 * `url` is the event's page; `inStock` tells of which tiers something is left, null where that is not known now.
 * Tiers for those with a voucher are nobody else's business, and what is not sold any more is not offered. We know
 * of no postponed events: one that is moved has another start.
 */
export const make = (event: EventDetail, url: string, inStock: ReadonlyMap<TierId, boolean> | null) => {
  const { location, name } = event.venue
  const sold = event.status === "on_sale" || event.status === "published"
  return {
    "@context": "https://schema.org",
    "@type": "Event",
    "@id": url,
    url,
    name: event.name,
    ...(event.description === "" ? {} : { description: event.description }),
    startDate: atVenue(event.startsAt, event.timeZone),
    eventStatus: `https://schema.org/${event.status === "cancelled" ? "EventCancelled" : "EventScheduled"}`,
    eventAttendanceMode: "https://schema.org/OfflineEventAttendanceMode",
    location: {
      "@type": "Place",
      name,
      // All that we have of it is a text; Google asks for an address in any case.
      address: { "@type": "PostalAddress", name: location === "" ? name : location }
    },
    ...(event.performers.length === 0
      ? {}
      : {
          performer: event.performers.map((performer) => ({
            "@type": "PerformingGroup",
            name: performer.name
          }))
        }),
    ...(event.organiser === undefined
      ? {}
      : { organizer: { "@type": "Organization", name: event.organiser } }),
    ...(sold
      ? {
          offers: event.tiers
            .filter(({ voucherOnly }) => voucherOnly !== true)
            .map(offerOf(event, url, inStock))
        }
      : {})
  }
}

/** The quality that an `Accept` header gives to a type by its name, and its place; undefined where it is not named. */
const namedIn = (accept: string, type: string) => {
  for (const [place, range] of accept.split(",").entries()) {
    const [name, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase())
    if (name !== type) continue
    const given = parameters.find((parameter) => parameter.startsWith("q="))
    const quality = given === undefined ? 1 : Number(given.slice(2))
    return { place, quality: quality >= 0 && quality <= 1 ? quality : 0 }
  }
  return undefined
}

/** Whether a client wants it rather than the API's own JSON: it has to name it. */
export const isWanted = (accept: string | undefined): boolean => {
  if (accept === undefined || !accept.toLowerCase().includes(mediaType)) return false
  const linked = namedIn(accept, mediaType)
  if (linked === undefined || linked.quality === 0) return false
  const plain = namedIn(accept, "application/json")
  if (plain === undefined || plain.quality < linked.quality) return true
  return plain.quality === linked.quality && linked.place < plain.place
}
