import { makeUuidV7, PaymentIntentId } from "@onsale/contracts/Ids"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { choose, maxRoutes, type PaymentRoute, type RouteRequest, routesOver } from "../src/PaymentRoutes.ts"

const intentAt = (ms: number) => PaymentIntentId.make(makeUuidV7(1_790_000_000_000 + ms))

const request = (options: Partial<RouteRequest> = {}): RouteRequest => ({
  intentId: intentAt(0),
  currency: "EUR",
  organiser: undefined,
  method: "tok_ok",
  canCharge: () => true,
  isHealthy: () => true,
  exclude: new Set(),
  ...options
})

const decode = Schema.decodeUnknownExit(routesOver(new Set(["stripe", "mollie"])))
const routes = (...some: ReadonlyArray<object>): ReadonlyArray<PaymentRoute> => {
  const exit = decode(JSON.stringify(some))
  if (exit._tag === "Failure") throw new Error("no routes")
  return exit.value
}

const shareOf = (some: ReadonlyArray<PaymentRoute>, provider: string): number => {
  let taken = 0
  for (let i = 0; i < 10_000; i++)
    if (choose(some, request({ intentId: intentAt(i) }))[0] === provider) taken++
  return taken / 10_000
}

describe("routes", () => {
  it("are refused at the start where they make no sense", () => {
    for (const bad of [
      "no json",
      "[]",
      '[{"provider":"stripo","weight":1}]',
      '[{"provider":"stripe","weight":0}]',
      '[{"provider":"stripe","weight":-1}]',
      '[{"provider":"stripe","weight":1,"currencies":["euro"]}]',
      JSON.stringify(Array.from({ length: maxRoutes + 1 }, () => ({ provider: "stripe", weight: 1 })))
    ])
      assert.strictEqual(decode(bad)._tag, "Failure", bad)
    const exit = decode('[{"provider":"stripo","weight":1}]')
    assert.include(String(exit._tag === "Failure" ? exit.cause : ""), "got stripo")
  })

  it("give each provider its part of 10,000 payments, within two in a hundred", () => {
    const pool = routes({ provider: "stripe", weight: 3 }, { provider: "mollie", weight: 1 })
    assert.closeTo(shareOf(pool, "stripe"), 0.75, 0.02)
    assert.closeTo(
      shareOf(routes({ provider: "stripe", weight: 2 }, { provider: "mollie", weight: 2 }), "stripe"),
      0.5,
      0.02
    )
  })

  it("by a contract of the organiser's own go before the pool, and are nobody else's", () => {
    const some = routes(
      { provider: "stripe", weight: 1_000 },
      { provider: "mollie", weight: 1, organisers: ["city-opera"] }
    )
    for (let i = 0; i < 500; i++) {
      const intentId = intentAt(i)
      assert.deepStrictEqual(choose(some, request({ intentId, organiser: "city-opera" })), [
        "mollie",
        "stripe"
      ])
      assert.deepStrictEqual(choose(some, request({ intentId, organiser: "town-hall" })), ["stripe"])
      assert.deepStrictEqual(choose(some, request({ intentId })), ["stripe"])
    }
  })

  it("lead round who is not healthy, and to them where nobody is", () => {
    const some = routes(
      { provider: "stripe", weight: 1 },
      { provider: "mollie", weight: 1, organisers: ["city-opera"] }
    )
    const organiser = "city-opera"
    const isHealthy = (provider: string) => provider === "stripe"
    assert.deepStrictEqual(choose(some, request({ organiser, isHealthy })), ["stripe", "mollie"])
    assert.deepStrictEqual(choose(some, request({ organiser, isHealthy: () => false })), ["mollie", "stripe"])
  })
})

const part = <A>(some: ReadonlyArray<A>) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: some.length - 1 })))
const names = ["a", "b", "c", "d"]
const restrictions = [
  {},
  { currencies: ["EUR"] },
  { currencies: ["USD", "CHF"] },
  { organisers: ["one"] },
  { methods: ["pm_"] },
  { methods: ["tok_", "pm_"], organisers: ["two"], currencies: ["USD"] }
] as const

describe("for any routes and payments", () => {
  it.prop(
    "the order is the same each time, and has nobody who is excluded or does not match",
    {
      picks: Arbitrary.array(part(Array.from({ length: names.length * restrictions.length })), {
        minLength: 0,
        maxLength: 12
      }),
      ms: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))),
      of: part(["EUR", "USD", "CHF"]),
      by: part(["one", "two", "three"]),
      left: part(names)
    },
    ({ by, left, ms, of, picks }) => {
      const some = picks.map(
        (pick): PaymentRoute =>
          ({
            provider: names[pick % names.length] ?? "a",
            weight: 1 + (pick % 5),
            ...restrictions[Math.floor(pick / names.length)]
          }) as PaymentRoute
      )
      const asked = request({
        intentId: intentAt(ms),
        currency: ["EUR", "USD", "CHF"][of] ?? "EUR",
        organiser: ["one", "two", "three"][by],
        exclude: new Set([names[left] ?? "a"]),
        canCharge: (provider) => provider !== "d"
      })
      const order = choose(some, asked)
      assert.deepStrictEqual(choose([...some].reverse(), asked), order)
      assert.strictEqual(new Set(order).size, order.length)
      const expected = names.filter(
        (name) =>
          name !== "d" &&
          !asked.exclude.has(name) &&
          some.some(
            (route) =>
              route.provider === name &&
              (route.currencies === undefined ||
                [...route.currencies].some((one) => one === asked.currency)) &&
              (route.organisers === undefined ||
                [...route.organisers].some((one) => one === asked.organiser)) &&
              (route.methods === undefined || route.methods.includes("tok_"))
          )
      )
      assert.deepStrictEqual([...order].sort(), expected)
    }
  )
})
