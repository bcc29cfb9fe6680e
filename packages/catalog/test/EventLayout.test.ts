import { assert, describe, it } from "@effect/vitest"
import { indexIn, makeEventId, makeUuidV7, TierId } from "@onsale/contracts/Ids"
import { SeatFlag } from "@onsale/contracts/inventory/SaleLayout"
import { eventSeatMap, rowRanks, saleLayout } from "../src/EventLayout.ts"
import { statusAt } from "../src/EventView.ts"
import type { StoredEvent } from "../src/StoredEvent.ts"
import { noRules, noVenue, smallMap } from "./Maps.ts"

const tierIds = [TierId.make(makeUuidV7(1)), TierId.make(makeUuidV7(2))]

const event: StoredEvent = {
  id: makeEventId(1_000),
  number: 7,
  revision: 1,
  openedRevision: 0,
  state: "published",
  venue: { id: noVenue, name: "V", location: "" },
  seatMapVersion: 1,
  mapChanges: 0,
  name: "E",
  description: "",
  startsAtMs: 5000,
  timeZone: "UTC",
  onSaleAtMs: 2000,
  saleEndsAtMs: 5000,
  currency: "EUR",
  maxPerOrder: 10,
  holdTtlMs: 600_000,
  holdMaxMs: 1_800_000,
  checkoutMaxMs: 900_000,
  tiers: [
    { id: tierIds[0]!, name: "Front", amount: 4500, categories: ["Stalls"], ...noRules },
    { id: tierIds[1]!, name: "Back", amount: 3000, categories: ["Circle"], ...noRules }
  ],
  quotas: [],
  maxPerCustomer: null,
  maxTickets: null,
  accessibleReleased: false,
  cancellation: null,
  organiser: null,
  refundPolicy: null,
  performers: []
}

describe("the layout of a sale", () => {
  const layout = saleLayout(smallMap, event)

  it("keeps the order of the map, so that an index is a seat's ordinal", () => {
    assert.deepStrictEqual(
      layout.rows.map(
        ({ label, seats, section }) => `${section} ${label} ${seats.map((seat) => seat.label).join()}`
      ),
      ["0 B 1,2", "0 A 1,2", "1 A 1,2", "1 B 1"]
    )
    const ids = eventSeatMap(smallMap, event).sections.flatMap((section) =>
      section.rows.flatMap((row) => row.seats)
    )
    assert.deepStrictEqual(
      ids.map(({ id }) => indexIn(event.id, "seat", id)),
      [0, 1, 2, 3, 4, 5, 6]
    )
    const labels = layout.rows.flatMap((row) => row.seats.map((seat) => seat.label))
    assert.deepStrictEqual(
      ids.map(({ label }) => label),
      labels
    )
  })

  it("ranks rows by their distance from what they look at", () => {
    assert.deepStrictEqual(
      layout.rows.map(({ rank }) => rank),
      [1, 0, 2, 3]
    )
  })

  it("ranks rows of a zone by the zone's own point, and by the map's order without any", () => {
    assert.deepStrictEqual(rowRanks({ ...smallMap, focalPoint: null }), [0, 1, 2, 3])
    const [stalls, circle] = smallMap.sections
    const looking = [stalls!, { ...circle!, focalPoint: { x: 0, y: 79 } }]
    assert.deepStrictEqual(rowRanks({ ...smallMap, sections: looking }), [3, 2, 1, 0])
    assert.deepStrictEqual(rowRanks({ ...smallMap, focalPoint: null, sections: looking }), [2, 3, 1, 0])
    const bare = { ...stalls!, rows: [{ label: "Z", seats: [] }, ...stalls!.rows] }
    assert.deepStrictEqual(rowRanks({ ...smallMap, sections: [bare] }), [2, 1, 0])
  })

  it("puts seats on the tiers of their categories; those on none are not for sale", () => {
    assert.deepStrictEqual(
      layout.rows.flatMap((row) => row.seats.map(({ tier }) => tier)),
      [0, -1, 0, 0, 1, 1, 1]
    )
    assert.deepStrictEqual(layout.areas, [{ name: "Pit", tier: -1, capacity: 50 }])
    assert.deepStrictEqual(layout.tiers, [
      { id: tierIds[0]!, name: "Front", price: 4500 },
      { id: tierIds[1]!, name: "Back", price: 3000 }
    ])
  })

  it("carries the flags of seats", () => {
    assert.deepStrictEqual(
      layout.rows.flatMap((row) => row.seats.map(({ flags }) => flags)),
      [0, 0, SeatFlag.accessible, SeatFlag.companion, 0, 0, SeatFlag.restrictedView]
    )
  })
})

describe("the seat map of an event", () => {
  it("has the ids and tiers of the event", () => {
    const map = eventSeatMap(smallMap, event)
    assert.deepStrictEqual(
      map.sections.map(({ id }) => indexIn(event.id, "section", id)),
      [0, 1]
    )
    assert.deepStrictEqual(
      map.sections.flatMap(({ rows }) => rows.map(({ id }) => indexIn(event.id, "row", id))),
      [0, 1, 2, 3]
    )
    assert.deepStrictEqual(indexIn(event.id, "area", map.areas[0]!.id), 0)
    assert.isNull(map.areas[0]!.tier)
    assert.deepStrictEqual(
      map.sections[0]!.rows[0]!.seats.map(({ tier }) => tier),
      [tierIds[0]!, null]
    )
  })
})

describe("the status of an event", () => {
  it("follows the clock", () => {
    assert.deepStrictEqual(
      [1999, 2000, 4999, 5000].map((now) => statusAt(event, now)),
      ["published", "on_sale", "on_sale", "ended"]
    )
    assert.deepStrictEqual(statusAt({ ...event, state: "draft" }, 3000), "draft")
    assert.deepStrictEqual(statusAt({ ...event, state: "cancelled" }, 9000), "cancelled")
  })
})
