import { assert, describe, it } from "@effect/vitest"
import {
  areaId,
  BlockId,
  indexIn,
  makeEventId,
  makeUuidV7,
  rowId,
  seatId,
  sectionId,
  TierId,
  VoucherId
} from "@onsale/contracts/Ids"
import { Arbitrary, Result, Schema } from "effect"
import * as BlockDraft from "../src/BlockDraft.ts"
import { eventSeatMap, saleLayout } from "../src/EventLayout.ts"
import { tierAreas } from "../src/SaleAreas.ts"
import type { StoredBlock, StoredEvent } from "../src/StoredEvent.ts"
import { fieldMap, noRules, noVenue } from "./Maps.ts"

const id = makeEventId(1_000)
const tierIds = Array.from({ length: 4 }, () => TierId.make(makeUuidV7(1)))
const named = (names: ReadonlyArray<readonly [string, ...Array<string>]>): StoredEvent["tiers"] =>
  names.map(([name, ...categories], i) => ({ id: tierIds[i]!, name, amount: 100, categories, ...noRules }))

const event = (more: Partial<StoredEvent> = {}): StoredEvent => ({
  id,
  number: 1,
  revision: 3,
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
  maxPerCustomer: null,
  maxTickets: null,
  accessibleReleased: false,
  cancellation: null,
  organiser: null,
  refundPolicy: null,
  quotas: [],
  holdTtlMs: 600_000,
  holdMaxMs: 1_800_000,
  checkoutMaxMs: 900_000,
  tiers: named([
    ["Seat", "Seats"],
    ["Early bird", "Floor"],
    ["Regular", "Floor", "Terrace"],
    ["Child", "Floor", "Terrace"]
  ]),
  performers: [],
  ...more
})

const block = (seats: ReadonlyArray<number>, ...areas: ReadonlyArray<readonly [number, number, number]>) => ({
  id: BlockId.make(makeUuidV7(1)),
  name: "House",
  seats,
  areas: areas.map(([area, tier, quantity]) => ({ area, tier: tierIds[tier]!, quantity, kept: quantity }))
})

describe("the areas of a sale", () => {
  it("are those of the map on their first tier, then tier by tier, then block by block", () => {
    const blocks = [block([], [0, 2, 10], [1, 2, 5]), block([], [0, 1, 3])]
    const { areas, quotas } = saleLayout(fieldMap, event(), blocks)
    assert.deepStrictEqual(areas, [
      { name: "Floor", tier: 1, capacity: 100 },
      { name: "Terrace", tier: 2, capacity: 20 },
      { name: "Floor", tier: 2, capacity: 100 },
      { name: "Floor", tier: 3, capacity: 100 },
      { name: "Terrace", tier: 3, capacity: 20 },
      { name: "Floor", tier: 2, capacity: 10, block: 0, reserved: 10 },
      { name: "Terrace", tier: 2, capacity: 5, block: 0, reserved: 5 },
      { name: "Floor", tier: 1, capacity: 3, block: 1, reserved: 3 }
    ])
    assert.deepStrictEqual(quotas, [
      { name: "Floor", capacity: 100, tiers: [], areas: [0, 2, 3, 5, 7] },
      { name: "Terrace", capacity: 20, tiers: [], areas: [1, 4, 6] }
    ])
  })

  it("need no quota where an area is on one tier and in no block", () => {
    const plain = event({
      tiers: named([
        ["Seat", "Seats"],
        ["Floor", "Floor"]
      ])
    })
    const layout = saleLayout(fieldMap, plain)
    assert.isUndefined(layout.quotas)
    assert.deepStrictEqual(
      layout.areas.map(({ tier }) => tier),
      [1, -1]
    )
    assert.deepInclude(layout, { revision: 3 })
    for (const absent of ["blocks", "vouchers", "accessibleReleased", "maxPerCustomer"])
      assert.notProperty(layout, absent)
  })

  it("reserve nothing any more once they are released, and keep their room", () => {
    const [first] = [block([], [0, 1, 10])]
    const released = { ...first!, areas: first!.areas.map((area) => ({ ...area, kept: 0 })) }
    assert.deepStrictEqual(saleLayout(fieldMap, event(), [released]).areas.at(-1), {
      name: "Floor",
      tier: 1,
      capacity: 10,
      block: 0
    })
  })

  it("are in the seat map of buyers, but for those of blocks", () => {
    assert.deepStrictEqual(
      eventSeatMap(fieldMap, event()).areas.map(({ id: area, name, tier }) => [
        indexIn(id, "area", area),
        name,
        tierIds.findIndex((one) => one === tier)
      ]),
      [
        [0, "Floor", 1],
        [1, "Terrace", 2],
        [2, "Floor", 2],
        [3, "Floor", 3],
        [4, "Terrace", 3]
      ]
    )
  })

  const Blocks = Schema.Array(
    Schema.Array(
      Schema.Tuple([
        Schema.Literals([0, 1]),
        Schema.Literals([1, 2, 3]),
        Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))
      ])
    ).check(Schema.isMaxLength(4))
  ).check(Schema.isMaxLength(6))

  it.prop(
    "keep their index whatever blocks are added and released, and each is in the quota of its places once",
    [
      Arbitrary.schema(Blocks),
      Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 6 })))
    ],
    ([given, before]) => {
      const blocks = given.map((areas) => block([], ...areas))
      const whole = saleLayout(fieldMap, event(), blocks)
      const earlier = saleLayout(
        fieldMap,
        event(),
        blocks
          .slice(0, before)
          .map((one) => ({ ...one, areas: one.areas.map((area) => ({ ...area, kept: 0 })) }))
      )
      const place = ({ block, capacity, name, tier }: (typeof whole.areas)[number]) => [
        name,
        tier,
        capacity,
        block
      ]
      assert.deepStrictEqual(whole.areas.slice(0, earlier.areas.length).map(place), earlier.areas.map(place))
      const shared = whole.quotas?.flatMap(({ areas }) => areas) ?? []
      assert.deepStrictEqual(
        [...shared].sort((a, b) => a - b),
        whole.areas.map((_, area) => area)
      )
      for (const { areas, name } of whole.quotas ?? [])
        assert.isTrue(areas.every((area) => whole.areas[area]!.name === name))
      assert.deepStrictEqual(
        whole.areas.slice(0, 5).map(({ tier }) => tier),
        tierAreas(fieldMap, event().tiers).map(({ tier }) => tier)
      )
    }
  )
})

describe("the rules of a sale", () => {
  it("go to the inventory as they are, with tiers and blocks by index", () => {
    const house = block([0, 3])
    const rules = event({
      quotas: [{ name: "Kids", capacity: 7, tiers: [3] }],
      maxTickets: 90,
      maxPerCustomer: 4,
      accessibleReleased: true,
      tiers: [
        { ...event().tiers[0]!, saleFromMs: 2500, saleUntilMs: 3000, minPerOrder: 2, maxPerOrder: 4 },
        { ...event().tiers[1]!, voucherOnly: true }
      ]
    })
    const voucher = VoucherId.make(makeUuidV7(1))
    const layout = saleLayout(
      fieldMap,
      { ...rules, quotas: [] },
      [house],
      [
        {
          id: voucher,
          code: "x",
          key: "k",
          tiers: [tierIds[1]!],
          blocks: [house.id],
          maxTickets: 2,
          fromMs: 2000,
          untilMs: null
        }
      ]
    )
    assert.deepStrictEqual(layout.tiers, [
      {
        id: tierIds[0]!,
        name: "Seat",
        price: 100,
        opensAtMs: 2500,
        closesAtMs: 3000,
        minPerOrder: 2,
        maxPerOrder: 4
      },
      { id: tierIds[1]!, name: "Early bird", price: 100, voucherOnly: true }
    ])
    assert.deepInclude(layout, { maxPerCustomer: 4, accessibleReleased: true })
    assert.deepStrictEqual(layout.quotas, [{ name: "event", capacity: 90, tiers: [0, 1], areas: [] }])
    assert.deepStrictEqual(layout.blocks, [{ id: house.id, name: "House", seats: [0, 3] }])
    assert.deepStrictEqual(layout.vouchers, [
      { id: voucher, key: "k", tiers: [1], blocks: [0], maxTickets: 2, fromMs: 2000 }
    ])
    assert.deepStrictEqual(saleLayout(fieldMap, event({ quotas: rules.quotas })).quotas?.[0], {
      name: "Kids",
      capacity: 7,
      tiers: [3],
      areas: []
    })
  })
})

describe("a request for house seats", () => {
  const check = (
    request: Parameters<typeof BlockDraft.check>[3],
    blocks: ReadonlyArray<StoredBlock> = [],
    of = event()
  ) => BlockDraft.check(of, fieldMap, blocks, request)
  const places = (result: ReturnType<typeof check>) =>
    Result.isFailure(result) && result.failure._tag === "EventInvalid"
      ? result.failure.problems.map(({ path }) => path)
      : []

  it("takes seats, rows and sections together, each seat once", () => {
    const request = { name: "House", seats: [seatId(id, 3), seatId(id, 0)], rows: [rowId(id, 0)] }
    assert.deepStrictEqual(Result.getOrThrow(check(request)), { name: "House", seats: [0, 1, 3], areas: [] })
    assert.deepStrictEqual(
      Result.getOrThrow(check({ name: "House", sections: [sectionId(id, 0)] })).seats,
      [0, 1, 2, 3]
    )
  })

  it("takes places of an area on the tier that its id stands for", () => {
    assert.deepStrictEqual(
      Result.getOrThrow(check({ name: "House", areas: [{ areaId: areaId(id, 2), quantity: 4 }] })).areas,
      [{ area: 0, tier: tierIds[2]!, quantity: 4, kept: 4 }]
    )
  })

  it("is refused with what the event does not have", () => {
    const other = makeEventId(2_000)
    const unknown = check({
      name: "x",
      seats: [seatId(id, 0), seatId(id, 4), seatId(other, 0)],
      areas: [{ areaId: areaId(id, 5), quantity: 1 }]
    })
    assert.deepInclude(Result.isFailure(unknown) ? unknown.failure : {}, {
      _tag: "PlacesUnknown",
      seats: [seatId(id, 4), seatId(other, 0)],
      areas: [areaId(id, 5)]
    })
    assert.deepStrictEqual(places(check({ name: "x", rows: [rowId(id, 2)], sections: [sectionId(id, 1)] })), [
      "/rows/0",
      "/sections/0"
    ])
    const unsold = event({ tiers: named([["Seat", "Seats"]]) })
    assert.deepStrictEqual(
      places(check({ name: "x", areas: [{ areaId: areaId(id, 0), quantity: 1 }] }, [], unsold)),
      ["/areas/0/areaId"]
    )
  })

  it("keeps no seat of another block, and no more places than there are", () => {
    const blocked = check({ name: "x", rows: [rowId(id, 0)] }, [block([1, 2])])
    assert.deepInclude(Result.isFailure(blocked) ? blocked.failure : {}, {
      _tag: "SeatsBlocked",
      seats: [seatId(id, 1)]
    })
    const floor = (quantity: number) => ({ name: "x", areas: [{ areaId: areaId(id, 2), quantity }] })
    assert.deepStrictEqual(places(check(floor(96), [block([], [0, 1, 5])])), ["/areas"])
    assert.deepStrictEqual(places(check(floor(95), [block([], [0, 1, 5])])), [])
    const few = event({ quotas: [{ name: "Regular", capacity: 6, tiers: [2] }] })
    assert.deepStrictEqual(places(check(floor(6), [], few)), [])
    assert.deepStrictEqual(places(check(floor(7), [], few)), ["/areas"])
    assert.deepStrictEqual(places(check(floor(7), [], event({ maxTickets: 6 }))), ["/areas"])
  })

  it("is one of 200 blocks at the most", () => {
    const blocks = Array.from({ length: 200 }, () => block([]))
    assert.deepStrictEqual(places(check({ name: "x", seats: [seatId(id, 0)] }, blocks)), [""])
  })
})
