import { assert, describe, it } from "@effect/vitest"
import { NewEvent, NewVenue } from "@onsale/contracts/catalog/Event"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { maxAmount } from "@onsale/contracts/Money"
import { Result, Schema } from "effect"
import { check } from "../src/EventDraft.ts"
import { accepted } from "./Imports.ts"
import { newEvent, noRules, noVenue, smallMap } from "./Maps.ts"

const now = Date.UTC(2030, 0, 1)
const tier = (name: string, amount: number, currency: string, ...categories: ReadonlyArray<string>) => ({
  name,
  price: { amount, currency },
  categories
})

const draft = (event: NewEvent, map: SeatMap = smallMap) => Result.getOrThrow(check(event, map, now))
const paths = (event: NewEvent, map: SeatMap = smallMap) => {
  const result = check(event, map, now)
  return Result.isSuccess(result) ? [] : result.failure.problems.map(({ path }) => path)
}

describe("an event's draft", () => {
  it("has the rules of the house where nothing else is said", () => {
    assert.deepInclude(draft(newEvent()), {
      startsAtMs: Date.UTC(2030, 5, 1, 18),
      onSaleAtMs: now,
      saleEndsAtMs: Date.UTC(2030, 5, 1, 18),
      currency: "EUR",
      maxPerOrder: 10,
      holdTtlMs: 600_000,
      holdMaxMs: 1_800_000,
      checkoutMaxMs: 900_000
    })
    assert.deepInclude(draft(newEvent({ holdSeconds: 60, maxPerOrder: 4 })), {
      maxPerOrder: 4,
      holdTtlMs: 60_000,
      holdMaxMs: 180_000
    })
  })

  it("tells each category that the map lacks or that is on two tiers", () => {
    const tiers = [
      tier("a", 1, "EUR", "Stalls", "Nowhere"),
      tier("b", 2, "EUR", "Circle", "Stalls", "Circle")
    ]
    assert.deepStrictEqual(paths(newEvent({ tiers })), [
      "/tiers/0/categories/1",
      "/tiers/1/categories/1",
      "/tiers/1/categories/2"
    ])
  })

  it("has one currency, one that exists", () => {
    const tiers = [tier("a", 1, "EUR", "Stalls"), tier("b", 2, "USD", "Circle")]
    assert.deepStrictEqual(paths(newEvent({ tiers })), ["/tiers/1/price/currency"])
    assert.deepStrictEqual(paths(newEvent({ tiers: [tier("a", 1, "QQQ", "Stalls")] })), [
      "/tiers/0/price/currency"
    ])
  })

  it("sells something", () => {
    assert.deepStrictEqual(paths(newEvent({ tiers: [tier("a", 1, "EUR")] })), ["/tiers"])
    const empty = { ...smallMap, areas: [{ key: "pit", name: "Pit", capacity: 0, category: "Standing" }] }
    assert.deepStrictEqual(paths(newEvent({ tiers: [tier("a", 1, "EUR", "Standing")] }), empty), ["/tiers"])
    assert.deepStrictEqual(paths(newEvent({ tiers: [tier("a", 1, "EUR", "Standing")] })), [])
  })

  it("has names that tell its tiers apart", () => {
    const tiers = [tier("a", 1, "EUR", "Stalls"), tier("a", 2, "EUR", "Circle")]
    assert.deepStrictEqual(paths(newEvent({ tiers })), ["/tiers/1/name"])
  })

  it("has prices that an order of as many tickets as allowed can be paid with", () => {
    const dear = (amount: number, maxPerOrder?: number) =>
      paths(
        newEvent({
          tiers: [tier("a", 1, "EUR", "Stalls"), tier("b", amount, "EUR", "Circle")],
          ...(maxPerOrder === undefined ? {} : { maxPerOrder })
        })
      )
    assert.deepStrictEqual(dear(maxAmount), ["/tiers/1/price/amount"])
    assert.deepStrictEqual(dear(maxAmount / 10), [])
    assert.deepStrictEqual(dear(maxAmount / 10, 11), ["/tiers/1/price/amount"])
    assert.deepStrictEqual(dear(maxAmount, 1), [])
  })

  it("has times that can be", () => {
    assert.deepStrictEqual(paths(newEvent({ startsAt: "2029-12-31T23:00:00Z" })), ["/startsAt"])
    assert.deepStrictEqual(paths(newEvent({ startsAt: "2130-01-01T00:00:00Z" })), ["/startsAt"])
    assert.deepStrictEqual(paths(newEvent({ onSaleAt: "2030-06-01T20:00:00+02:00" })), ["/startsAt"])
    assert.deepStrictEqual(paths(newEvent({ saleEndsAt: "2030-01-01T00:00:00Z" })), ["/saleEndsAt"])
    assert.deepStrictEqual(paths(newEvent({ saleEndsAt: "2030-08-01T00:00:00Z" })), ["/saleEndsAt"])
    assert.deepStrictEqual(paths(newEvent({ saleEndsAt: "2030-06-02T02:00:00Z" })), [])
  })
})

describe("an event whose seat map has prices", () => {
  const { map } = accepted(
    "csv",
    "section,row,seat_from,seat_to,quantity,price\nStalls,A,1,3,,45\nField,,,,10,19.50\nField,B,,,10,"
  )

  it("has a tier for each of them", () => {
    assert.deepStrictEqual(draft(newEvent({ tiers: [], currency: "EUR" }), map).tiers, [
      { name: "45.00", amount: 4500, categories: ["45.00"], ...noRules },
      { name: "19.50", amount: 1950, categories: ["19.50"], ...noRules }
    ])
    assert.deepStrictEqual(draft(newEvent({ tiers: [], currency: "KWD" }), map).tiers[1]!.amount, 19_500)
  })

  it("needs a currency for them that has such sums", () => {
    assert.deepStrictEqual(paths(newEvent({ tiers: [] }), map), ["/tiers"])
    assert.deepStrictEqual(paths(newEvent({ tiers: [], currency: "JPY" }), map), ["/currency"])
    assert.deepStrictEqual(paths(newEvent({ tiers: [], currency: "EUR" })), ["/tiers"])
  })
})

describe("what organisers send", () => {
  const accepts = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => Schema.is(Schema.toType(schema))

  it("has instants that the calendar has", () => {
    const isEvent = accepts(NewEvent)
    assert.isTrue(isEvent(newEvent()))
    for (const startsAt of [
      "2030-13-01T00:00:00Z",
      "2030-02-01T25:00:00Z",
      "2030-02-01",
      "tomorrow",
      "2030-02-01T20:00:00"
    ]) {
      assert.isFalse(isEvent(newEvent({ startsAt })), startsAt)
    }
  })

  it("has texts that can be stored and time zones of the IANA database", () => {
    const isVenue = accepts(NewVenue)
    const venue = {
      name: "V",
      location: "",
      timeZone: "Europe/Berlin",
      seatMap: { format: "csv", content: "" }
    }
    assert.isTrue(isVenue(venue))
    assert.isFalse(isVenue({ ...venue, name: "a\0b" }))
    assert.isFalse(isVenue({ ...venue, location: "a\0b" }))
    for (const timeZone of ["+01:00", "Europe/Atlantis", "", "CET; DROP"]) {
      assert.isFalse(isVenue({ ...venue, timeZone }), timeZone)
    }
    assert.isFalse(accepts(NewEvent)(newEvent({ venueId: noVenue, description: "\0" })))
  })
})
