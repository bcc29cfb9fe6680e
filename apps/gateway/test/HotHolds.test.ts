import { assert, describe, it } from "@effect/vitest"
import { Hold, NewHold } from "@onsale/contracts/http/HoldsApi"
import { SeatsTaken, SoldOut } from "@onsale/contracts/http/Problems"
import {
  areaId,
  HoldId,
  indexIn,
  makeEventId,
  makeHoldId,
  makeUuidV7,
  seatId,
  sectionId,
  TierId
} from "@onsale/contracts/Ids"
import type { HoldView } from "@onsale/contracts/inventory/InventoryCommand"
import { Effect, Option, Schema } from "effect"
import { bestOf, claimsOf, holdJson, soldOutJson, takenJson } from "../src/HoldsJson.ts"
import { render } from "../src/HoldOperations.ts"

const eventId = makeEventId(1_700_000_000_000)
const other = makeEventId(1_700_000_000_001)
const tier = TierId.make(makeUuidV7(0))

const encodeHold = Schema.encodeEffect(Schema.fromJsonString(Schema.toCodecJson(Hold)))
const decodeNewHold = Schema.decodeUnknownOption(NewHold)

const Small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 }))
const Text = Schema.String.check(Schema.isMaxLength(20))

/** Bodies near the border of what is a hold: right ids, ids of another event, other types, other names. */
const Part = Schema.Union([Schema.Literals(["seat", "foreign", "twice", "garbage", "number", "null"])])
const Body = Schema.Struct({
  seats: Schema.NullOr(Schema.Array(Schema.Tuple([Part, Small])).check(Schema.isMaxLength(4))),
  areas: Schema.NullOr(
    Schema.Array(
      Schema.Tuple([
        Schema.Literals(["area", "foreign", "extra", "missing"]),
        Small,
        Schema.Literals([1, 3, 0, -1, 1.5, 10_001])
      ])
    ).check(Schema.isMaxLength(3))
  ),
  extra: Schema.Boolean,
  best: Schema.NullOr(
    Schema.Struct({
      quantity: Schema.Literals([1, 4, 0, -1, 1.5, 10_001, "2"]),
      tier: Schema.optionalKey(Schema.Literals(["Gold", "long", "", 7])),
      section: Schema.optionalKey(Schema.Literals(["Stalls", "ours", "long"])),
      accessible: Schema.optionalKey(Schema.Literals([true, false, 1, 3, 5, 0, "1"])),
      more: Schema.optionalKey(Schema.Boolean)
    })
  )
})

const wishOf = (best: (typeof Body.Type)["best"]): unknown =>
  best === null
    ? {}
    : {
        bestAvailable: {
          ...best,
          ...(best.tier === "long" ? { tier: "x".repeat(201) } : {}),
          ...(best.section === undefined
            ? {}
            : {
                section:
                  best.section === "ours"
                    ? sectionId(eventId, 4)
                    : best.section === "long"
                      ? "x".repeat(201)
                      : best.section
              })
        }
      }

const seatOf = ([part, index]: (typeof Body.Type)["seats"] extends ReadonlyArray<infer A> | null
  ? A
  : never): unknown => {
  switch (part) {
    case "seat":
      return seatId(eventId, index)
    case "twice":
      return seatId(eventId, 0)
    case "foreign":
      return seatId(other, index)
    case "garbage":
      return "A-1"
    case "number":
      return index
    case "null":
      return null
  }
}

const bodyOf = (body: typeof Body.Type): unknown => ({
  ...(body.seats === null ? {} : { seats: body.seats.map(seatOf) }),
  ...(body.areas === null
    ? {}
    : {
        areas: body.areas.map(([part, index, quantity]) => ({
          ...(part === "missing" ? {} : { areaId: areaId(part === "foreign" ? other : eventId, index) }),
          quantity,
          ...(part === "extra" ? { more: 1 } : {})
        }))
      }),
  ...(body.extra ? { accessible: true } : {}),
  ...(wishOf(body.best) as object)
})

describe("HotHolds", () => {
  it.effect.prop(
    "what the lean path takes, the schema takes, with the same meaning",
    [Body],
    ([body]) =>
      Effect.sync(() => {
        const json = JSON.stringify(bodyOf(body))
        const lean = claimsOf(eventId, json)
        if (lean === undefined) return
        const typed = Option.getOrThrow(decodeNewHold(JSON.parse(json)))
        assert.deepStrictEqual(
          lean.seats,
          (typed.seats ?? []).map((id) => indexIn(eventId, "seat", id))
        )
        assert.deepStrictEqual(
          lean.areas,
          (typed.areas ?? []).map((claim) => ({
            area: indexIn(eventId, "area", claim.areaId),
            quantity: claim.quantity
          }))
        )
        assert.deepStrictEqual(lean.best, bestOf(eventId, typed.bestAvailable))
      }),
    { arbitrary: { runs: 500 } }
  )

  it("takes the common forms, and leaves the rest to the typed route", () => {
    assert.deepStrictEqual(claimsOf(eventId, JSON.stringify({ seats: [seatId(eventId, 3)] })), {
      seats: [3],
      areas: [],
      best: null
    })
    assert.isDefined(
      claimsOf(eventId, JSON.stringify({ areas: [{ areaId: areaId(eventId, 0), quantity: 2 }] }))
    )
    assert.deepStrictEqual(claimsOf(eventId, '{"bestAvailable":{"quantity":2,"accessible":true}}'), {
      seats: [],
      areas: [],
      best: { quantity: 2, tier: null, section: null, accessible: 1 }
    })
    for (const body of [
      "",
      "{",
      "null",
      "[]",
      "1",
      "{}",
      '{"seats":[]}',
      '{"seats":{}}',
      '{"__proto__":[]}',
      '{"bestAvailable":{}}',
      '{"bestAvailable":{"quantity":1,"accessible":2}}',
      '{"bestAvailable":null}'
    ]) {
      assert.isUndefined(claimsOf(eventId, body), body)
    }
  })

  it.effect.prop(
    "answers a grant with the bytes that the schema makes",
    [
      Schema.Array(Schema.Tuple([Small, Text, Small])).check(Schema.isMaxLength(4)),
      Schema.Array(Schema.Tuple([Small, Text, Small])).check(Schema.isMaxLength(2)),
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000_000_000_000 }))
    ],
    ([seats, areas, expiresAtMs]) =>
      Effect.gen(function* () {
        const hold: HoldView = {
          holdId: makeHoldId(1, 7),
          seats: seats.map(([seat, label, price]) => ({ seat, label, tier, price })),
          areas: areas.map(([area, name, quantity]) => ({ area, name, quantity, tier, price: 100 })),
          amount: 100,
          currency: "EUR",
          expiresAtMs,
          version: 3,
          orderId: null
        }
        assert.strictEqual(holdJson(eventId, hold), yield* encodeHold(render(eventId, hold)))
      })
  )

  it.effect("answers the refusal with what the problem is encoded to", () =>
    Effect.gen(function* () {
      const refused = {
        _tag: "Refused" as const,
        code: "seats_taken" as const,
        seats: [1, 2],
        areas: [0],
        limit: null
      }
      const typed = new SeatsTaken({
        seats: [{ seatId: seatId(eventId, 1) }, { seatId: seatId(eventId, 2) }],
        areas: [{ areaId: areaId(eventId, 0) }]
      })
      const encoded = yield* Schema.encodeEffect(SeatsTaken)(typed)
      assert.deepStrictEqual(JSON.parse(takenJson(eventId, refused)), JSON.parse(JSON.stringify(encoded)))
    })
  )

  it.effect("answers that nothing is left with what the problem is encoded to", () =>
    Effect.gen(function* () {
      const encoded = yield* Schema.encodeEffect(SoldOut)(new SoldOut({}))
      assert.deepStrictEqual(JSON.parse(soldOutJson), JSON.parse(JSON.stringify(encoded)))
    })
  )

  it("a hold's id is of its event and cannot be guessed from another", () => {
    const ids = new Set(Array.from({ length: 1000 }, () => makeHoldId(5, 9)))
    assert.strictEqual(ids.size, 1000)
    for (const id of ids) assert.isTrue(Schema.is(HoldId)(id))
  })
})
