import { assert, describe, it } from "@effect/vitest"
import type { EventDetail } from "@onsale/contracts/catalog/Event"
import {
  areaId,
  makeEventId,
  makeUuidV7,
  PerformerId,
  rowId,
  seatId,
  sectionId,
  TierId,
  VenueId
} from "@onsale/contracts/Ids"
import * as EventLinkedData from "../src/EventLinkedData.ts"
import { PublicUrl } from "../src/PublicUrl.ts"
import * as TierStock from "../src/TierStock.ts"

const id = makeEventId(1_700_000_000_000)
const [stalls, floor, club] = [1, 2, 3].map((n) => TierId.make(makeUuidV7(n))) as [TierId, TierId, TierId]

const event: EventDetail = {
  id,
  name: "Größenwahn – Die Nacht",
  description: "Ein Abend",
  startsAt: "2027-03-28T18:00:00.000Z",
  timeZone: "Europe/Berlin",
  venue: { id: VenueId.make(makeUuidV7(4)), name: "Arena", location: "Berlin" },
  performers: [{ id: PerformerId.make(makeUuidV7(5)), name: "Björk", description: "" }],
  tiers: [
    { id: stalls, name: "Stalls", price: { amount: 4550, currency: "EUR" }, categories: [] },
    {
      id: floor,
      name: "Floor",
      price: { amount: 5, currency: "EUR" },
      categories: [],
      sale: { from: "2027-01-10T09:00:00.000Z" }
    },
    { id: club, name: "Club", price: { amount: 1, currency: "EUR" }, categories: [], voucherOnly: true }
  ],
  onSaleAt: "2027-01-01T09:00:00.000Z",
  saleEndsAt: "2027-03-28T18:00:00.000Z",
  maxPerOrder: 10,
  organiser: "Die Veranstalter",
  status: "on_sale"
}
const url = "https://tickets.example/events/1"
const all = new Map([
  [stalls, true],
  [floor, false]
])

describe("an event as linked data", () => {
  it("has what Google requires and recommends, in the venue's time and in decimal money", () => {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(EventLinkedData.make(event, url, all))), {
      "@context": "https://schema.org",
      "@type": "Event",
      "@id": url,
      url,
      name: "Größenwahn – Die Nacht",
      description: "Ein Abend",
      // The day on which the clocks go forward.
      startDate: "2027-03-28T20:00:00.000+02:00",
      eventStatus: "https://schema.org/EventScheduled",
      eventAttendanceMode: "https://schema.org/OfflineEventAttendanceMode",
      location: {
        "@type": "Place",
        name: "Arena",
        address: { "@type": "PostalAddress", name: "Berlin" }
      },
      performer: [{ "@type": "PerformingGroup", name: "Björk" }],
      organizer: { "@type": "Organization", name: "Die Veranstalter" },
      offers: [
        {
          "@type": "Offer",
          name: "Stalls",
          price: "45.50",
          priceCurrency: "EUR",
          availability: "https://schema.org/InStock",
          validFrom: "2027-01-01T10:00:00.000+01:00",
          validThrough: "2027-03-28T20:00:00.000+02:00",
          url
        },
        {
          "@type": "Offer",
          name: "Floor",
          price: "0.05",
          priceCurrency: "EUR",
          availability: "https://schema.org/SoldOut",
          validFrom: "2027-01-10T10:00:00.000+01:00",
          validThrough: "2027-03-28T20:00:00.000+02:00",
          url
        }
      ]
    })
  })

  it("of an event that does not take place offers nothing, and says so", () => {
    const made = EventLinkedData.make({ ...event, status: "cancelled" }, url, all)
    assert.strictEqual(made.eventStatus, "https://schema.org/EventCancelled")
    assert.isFalse("offers" in made)
  })

  it("claims no availability that is not known", () => {
    const made = JSON.stringify(EventLinkedData.make(event, url, null))
    assert.notInclude(made, "availability")
    assert.include(made, '"price":"45.50"')
  })

  it("has a price in whole units where a currency has no others", () => {
    const yen = { ...event.tiers[0]!, price: { amount: 8000, currency: "JPY" } }
    assert.include(
      JSON.stringify(EventLinkedData.make({ ...event, tiers: [yen] }, url, all)),
      '"price":"8000"'
    )
  })

  it("is for those who ask for it by its name", () => {
    const wanted = [
      "application/ld+json",
      "text/html, application/ld+json;q=0.9",
      "application/json;q=0.5, Application/LD+JSON",
      "application/ld+json, application/json"
    ]
    const not = [
      undefined,
      "*/*",
      "application/json",
      "application/json, application/ld+json",
      "application/ld+json;q=0",
      "application/ld+json;q=0.1, application/json;q=0.2",
      "application/ld+json;q=nonsense"
    ]
    for (const accept of wanted) assert.isTrue(EventLinkedData.isWanted(accept), accept)
    for (const accept of not) assert.isFalse(EventLinkedData.isWanted(accept), accept)
  })
})

describe("what is left of a tier", () => {
  const seat = (index: number, tier: TierId | null) => ({
    id: seatId(id, index),
    label: "",
    x: 0,
    y: 0,
    tier,
    accessible: false
  })
  const places = TierStock.placesOf(id, {
    version: 1,
    sections: [
      {
        id: sectionId(id, 0),
        name: "A",
        rows: [{ id: rowId(id, 0), label: "1", seats: [seat(0, stalls), seat(1, club), seat(2, stalls)] }]
      }
    ],
    areas: [{ id: areaId(id, 0), name: "Floor", tier: floor }]
  })
  const view = { version: 1, total: 3, held: [], sold: [], areas: [{ capacity: 9, available: 1 }], tiers: [] }
  const left = (changes: Partial<Parameters<typeof TierStock.inStock>[1]>) =>
    [stalls, floor, club].map((tier) => TierStock.inStock(places, { ...view, ...changes }).get(tier))

  it("is something as long as one seat or place is free, and its quota has room", () => {
    assert.deepStrictEqual(left({}), [true, true, true])
    assert.deepStrictEqual(left({ held: [0], sold: [1] }), [true, true, false])
    assert.deepStrictEqual(left({ held: [0], sold: [2] }), [false, true, true])
    assert.deepStrictEqual(left({ areas: [{ capacity: 9, available: 0 }] }), [true, false, true])
    assert.deepStrictEqual(left({ tiers: [{ tier: stalls, available: 0 }] }), [false, true, true])
  })
})

describe("the public address", () => {
  it("of an event follows the configuration", () => {
    assert.strictEqual(
      PublicUrl.make("https://t.example/shop/").event(id),
      `https://t.example/shop/api/v1/events/${id}`
    )
    assert.strictEqual(
      PublicUrl.make("https://t.example", "/e/{eventId}").event(id),
      `https://t.example/e/${id}`
    )
  })
})
