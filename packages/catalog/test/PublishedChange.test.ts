import { assert, describe, it } from "@effect/vitest"
import { EventChange } from "@onsale/contracts/catalog/EventChange"
import { EventId, makeEventId, makeUuidV7, PerformerId, TierId } from "@onsale/contracts/Ids"
import { Result, Schema } from "effect"
import { check } from "../src/PublishedChange.ts"
import type { StoredEvent } from "../src/StoredEvent.ts"
import { noRules, noVenue } from "./Maps.ts"

const hour = 3_600_000
const day = 24 * hour
const now = Date.UTC(2030, 0, 1)
const start = Date.UTC(2030, 5, 1, 18)
const iso = (ms: number) => new Date(ms).toISOString()

const event: StoredEvent = {
  id: EventId.make(makeEventId(0)),
  number: 1,
  revision: 1,
  openedRevision: 1,
  state: "published",
  venue: { id: noVenue, name: "Hall", location: "" },
  seatMapVersion: 1,
  mapChanges: 0,
  name: "An Evening",
  description: "",
  startsAtMs: start,
  timeZone: "UTC",
  onSaleAtMs: now,
  saleEndsAtMs: start - hour,
  currency: "EUR",
  maxPerOrder: 10,
  holdTtlMs: 1,
  holdMaxMs: 1,
  checkoutMaxMs: 1,
  tiers: [
    { id: TierId.make(makeUuidV7(0)), name: "All", amount: 1, categories: ["Stalls"], ...noRules },
    {
      id: TierId.make(makeUuidV7(1)),
      name: "Box office",
      amount: 1,
      categories: [],
      ...noRules,
      saleFromMs: start - 2 * day
    }
  ],
  quotas: [],
  maxPerCustomer: null,
  maxTickets: null,
  accessibleReleased: false,
  cancellation: null,
  organiser: null,
  refundPolicy: null,
  performers: [{ id: PerformerId.make(makeUuidV7(0)), name: "Somebody", description: "Sings." }]
}

const changed = (change: EventChange, of = event, nowMs = now) => Result.getOrThrow(check(of, change, nowMs))
const paths = (change: EventChange, of = event, nowMs = now) => {
  const result = check(of, change, nowMs)
  return Result.isSuccess(result) ? [] : result.failure.problems.map(({ path }) => path)
}

describe("a change of a published event", () => {
  it("leaves what it does not name, and the sale ends as long before the start as it did", () => {
    const performers = [{ name: "Somebody", description: "Sings." }]
    assert.deepStrictEqual(changed({}), {
      name: "An Evening",
      description: "",
      startsAtMs: start,
      saleEndsAtMs: start - hour,
      performers
    })
    assert.deepInclude(changed({ startsAt: iso(start + day) }), {
      name: "An Evening",
      startsAtMs: start + day,
      saleEndsAtMs: start + day - hour,
      performers
    })
    assert.deepInclude(changed({ startsAt: iso(start + day), saleEndsAt: iso(start) }), {
      saleEndsAtMs: start
    })
    assert.deepInclude(changed({ performers: [{ name: "Anybody" }] }), {
      performers: [{ name: "Anybody", description: "" }]
    })
    // Who is only named, as from the command line, is not said to be somebody else.
    assert.deepInclude(changed({ performers: [{ name: "Anybody" }, { name: "Somebody" }] }), {
      performers: [{ name: "Anybody", description: "" }, ...performers]
    })
    for (const description of ["", "Dances."])
      assert.deepInclude(changed({ performers: [{ name: "Somebody", description }] }), {
        performers: [{ name: "Somebody", description }]
      })
  })

  it("starts in the future, and not in twenty years; a repeat may come later", () => {
    assert.deepStrictEqual(paths({ startsAt: iso(start + 1) }, event, start + 1), ["/startsAt"])
    assert.deepStrictEqual(paths({ startsAt: iso(start + 2) }, event, start + 1), [])
    assert.deepStrictEqual(paths({ startsAt: iso(start) }, event, start + day), [])
    assert.deepStrictEqual(paths({ startsAt: iso(start + 25 * 365 * day) }), ["/startsAt"])
  })

  it("may leave no time to sell, but says so where the end of the sale is named", () => {
    const soon = start - 2 * day
    assert.deepStrictEqual(paths({ startsAt: iso(soon + hour / 2) }, event, soon), ["/startsAt"], "no tier")
    const one = { ...event, tiers: event.tiers.slice(0, 1) }
    assert.deepStrictEqual(paths({ startsAt: iso(soon + hour / 2) }, one, soon), [])
    assert.deepStrictEqual(paths({ saleEndsAt: iso(soon) }, one, soon), ["/saleEndsAt"])
  })

  it("has a sale that begins before it ends, that of each tier too, within 31 days of the start", () => {
    const later = { ...event, onSaleAtMs: start - 5 * day }
    assert.deepStrictEqual(paths({ startsAt: iso(start - 5 * day) }, later), ["/startsAt", "/startsAt"])
    assert.deepStrictEqual(paths({ saleEndsAt: iso(start - 5 * day) }, later), ["/saleEndsAt", "/saleEndsAt"])
    assert.deepStrictEqual(paths({ saleEndsAt: iso(start - 2 * day) }), ["/saleEndsAt"])
    assert.deepStrictEqual(paths({ saleEndsAt: iso(start + 32 * day) }), ["/saleEndsAt"])
    assert.deepStrictEqual(paths({ startsAt: iso(start + 40 * day), saleEndsAt: iso(start + 70 * day) }), [])
  })

  it("names nothing that is sold, and nothing that is too long", () => {
    const decode = Schema.decodeUnknownResult(EventChange)
    const isRefused = (input: object) => Result.isFailure(decode(input))
    for (const field of ["venueId", "tiers", "currency", "quotas", "maxPerOrder", "onSaleAt", "timeZone"])
      assert.isTrue(isRefused({ name: "x", [field]: [] }), field)
    assert.isTrue(isRefused({ name: "" }))
    assert.isTrue(isRefused({ name: "x".repeat(201) }))
    assert.isTrue(isRefused({ description: "x".repeat(10_001) }))
    assert.isTrue(isRefused({ startsAt: "tomorrow" }))
    assert.isTrue(isRefused({ performers: Array.from({ length: 101 }, () => ({ name: "x" })) }))
    assert.isFalse(isRefused({}))
  })
})
