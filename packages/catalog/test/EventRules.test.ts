import { assert, describe, it } from "@effect/vitest"
import type { NewEvent, NewTier } from "@onsale/contracts/catalog/Event"
import { NewEvent as NewEventSchema } from "@onsale/contracts/catalog/Event"
import { Result, Schema } from "effect"
import { check } from "../src/EventDraft.ts"
import { fieldMap, newEvent, noRules } from "./Maps.ts"

const now = Date.UTC(2030, 0, 1)
const tier = (name: string, category: string, more: Partial<NewTier> = {}): NewTier => ({
  name,
  price: { amount: 1000, currency: "EUR" },
  categories: [category],
  ...more
})

const outcome = (more: Partial<NewEvent>) => check(newEvent({ tiers: seated, ...more }), fieldMap, now)
const draft = (more: Partial<NewEvent>) => Result.getOrThrow(outcome(more))
const problems = (more: Partial<NewEvent>) => {
  const result = outcome(more)
  return Result.isSuccess(result) ? [] : result.failure.problems
}
const paths = (more: Partial<NewEvent>) => problems(more).map(({ path }) => path)

const seated = [tier("Seat", "Seats")]
const floor = [...seated, tier("Early bird", "Floor"), tier("Regular", "Floor")]

describe("the tiers of an event", () => {
  it("have no rules where nothing is said of them", () => {
    assert.deepStrictEqual(draft({}).tiers, [
      { name: "Seat", amount: 1000, categories: ["Seats"], ...noRules }
    ])
    assert.deepInclude(draft({}), { quotas: [], maxPerCustomer: null, maxTickets: null })
  })

  it("keep what is said of them", () => {
    const rules = {
      sale: { from: "2030-02-01T00:00:00Z", until: "2030-03-01T00:00:00+01:00" },
      minPerOrder: 2,
      maxPerOrder: 4,
      voucherOnly: true
    }
    assert.deepInclude(draft({ tiers: [tier("Seat", "Seats", rules)] }).tiers[0]!, {
      saleFromMs: Date.UTC(2030, 1, 1),
      saleUntilMs: Date.UTC(2030, 1, 28, 23),
      minPerOrder: 2,
      maxPerOrder: 4,
      voucherOnly: true
    })
  })

  it("have a window that opens before it closes, within the sale of the event", () => {
    const sold = (from?: string, until?: string) =>
      paths({
        tiers: [
          tier("Seat", "Seats", {
            sale: { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) }
          })
        ]
      })
    assert.deepStrictEqual(sold("2030-03-01T00:00:00Z", "2030-02-01T00:00:00Z"), ["/tiers/0/sale/until"])
    assert.deepStrictEqual(sold("2030-03-01T00:00:00Z", "2030-03-01T00:00:00Z"), ["/tiers/0/sale/until"])
    // The event is on sale from now until it starts.
    assert.deepStrictEqual(sold("2030-06-01T18:00:00Z"), ["/tiers/0/sale/from"])
    assert.deepStrictEqual(sold(undefined, "2030-01-01T00:00:00Z"), ["/tiers/0/sale/until"])
    assert.deepStrictEqual(sold("2029-01-01T00:00:00Z", "2031-01-01T00:00:00Z"), [])
  })

  it("have limits that some order can keep", () => {
    const limited = (rules: Partial<NewTier>, more: Partial<NewEvent> = {}) =>
      problems({ tiers: [tier("Seat", "Seats", rules)], ...more }).map(
        ({ message, path }) => `${path}: ${message}`
      )
    assert.deepStrictEqual(limited({ minPerOrder: 3, maxPerOrder: 2 }), [
      "/tiers/0/minPerOrder: more than the tier's maxPerOrder of 2"
    ])
    assert.deepStrictEqual(limited({ minPerOrder: 11 }), [
      "/tiers/0/minPerOrder: more than the event's maxPerOrder of 10"
    ])
    assert.deepStrictEqual(limited({ maxPerOrder: 5 }, { maxPerOrder: 4 }), [
      "/tiers/0/maxPerOrder: more than the event's maxPerOrder of 4"
    ])
    assert.deepStrictEqual(limited({ minPerOrder: 3 }, { maxPerCustomer: 2 }), [
      "/tiers/0/minPerOrder: more than the event's maxPerCustomer of 2"
    ])
    assert.deepStrictEqual(limited({ minPerOrder: 3 }, { maxTickets: 2 }), [
      "/tiers/0/minPerOrder: more than the event's maxTickets of 2"
    ])
    assert.deepStrictEqual(limited({ minPerOrder: 2, maxPerOrder: 2 }, { maxPerCustomer: 2 }), [])
  })

  it("may share an area, but not seats", () => {
    assert.deepStrictEqual(paths({ tiers: floor }), [])
    assert.deepStrictEqual(
      problems({
        tiers: [...seated, tier("Child", "Seats"), tier("Twice", "Floor", { categories: ["Floor", "Floor"] })]
      }).map(({ message, path }) => `${path}: ${message}`),
      [
        '/tiers/1/categories/0: "Seats" has seats and is on the tier at /tiers/0 already: only areas can be on several tiers',
        '/tiers/2/categories/1: "Floor" is on this tier already'
      ]
    )
  })

  it("are not so many on so many areas that a layout of them is too large", () => {
    const areas = Array.from({ length: 101 }, (_, i) => ({
      key: `f${i}`,
      name: `Field ${i}`,
      capacity: 1,
      category: "Floor"
    }))
    const tiers = Array.from({ length: 100 }, (_, i) => tier(`T${i}`, "Floor"))
    const result = check(newEvent({ tiers }), { ...fieldMap, areas }, now)
    assert.deepStrictEqual(Result.isFailure(result) ? result.failure.problems.map(({ path }) => path) : [], [
      "/tiers"
    ])
  })
})

describe("the quotas of an event", () => {
  const quota = (name: string, capacity: number, ...tiers: ReadonlyArray<string>) => ({
    name,
    capacity,
    tiers
  })

  it("name tiers, which they keep by their index", () => {
    const quotas = [quota("Early", 50, "Early bird"), quota("All", 200, "Regular", "Seat")]
    assert.deepStrictEqual(draft({ tiers: floor, quotas, maxPerCustomer: 4, maxTickets: 250 }), {
      ...draft({ tiers: floor }),
      quotas: [
        { name: "Early", capacity: 50, tiers: [1] },
        { name: "All", capacity: 200, tiers: [2, 0] }
      ],
      maxPerCustomer: 4,
      maxTickets: 250
    })
  })

  it("have names of their own, and tiers that there are, each once", () => {
    const quotas = [quota("A", 5, "Seat", "Nobody"), quota("A", 5, "Seat", "Seat")]
    assert.deepStrictEqual(
      problems({ quotas }).map(({ message, path }) => `${path}: ${message}`),
      [
        '/quotas/0/tiers/1: the event has no tier "Nobody"',
        "/quotas/1/name: the quota at /quotas/0 has this name",
        '/quotas/1/tiers/1: "Seat" is in this quota already'
      ]
    )
  })

  it("have room for one order of each of their tiers", () => {
    const tiers = [tier("Group", "Seats", { minPerOrder: 8 })]
    assert.deepStrictEqual(paths({ tiers, quotas: [quota("Q", 7, "Group")] }), ["/quotas/0/capacity"])
    assert.deepStrictEqual(paths({ tiers, quotas: [quota("Q", 8, "Group")] }), [])
  })

  it("are bounded before anything is looked at", () => {
    const isEvent = Schema.is(Schema.toType(NewEventSchema))
    const sent = (more: object) => isEvent({ ...newEvent(), ...more })
    assert.isTrue(sent({ quotas: [quota("Q", 1, "Front")] }))
    for (const wrong of [
      { quotas: [quota("Q", 0, "Front")] },
      { quotas: [quota("Q", 1.5, "Front")] },
      { quotas: [quota("Q", 10_000_001, "Front")] },
      { quotas: [quota("Q", 1)] },
      { quotas: [quota("", 1, "Front")] },
      { quotas: Array.from({ length: 51 }, (_, i) => quota(`Q${i}`, 1, "Front")) },
      { maxPerCustomer: 0 },
      { maxTickets: 0 },
      { tiers: [tier("x", "Stalls", { minPerOrder: 0 })] },
      { tiers: [tier("x", "Stalls", { maxPerOrder: 1001 })] },
      { tiers: [tier("x", "Stalls", { sale: { from: "soon" } })] }
    ]) {
      assert.isFalse(sent(wrong), JSON.stringify(wrong).slice(0, 100))
    }
  })
})
