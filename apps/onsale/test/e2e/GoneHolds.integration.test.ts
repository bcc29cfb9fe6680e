/** What is told of a hold that was bought, given back, or has expired: the same whatever is asked, at every level. */
import { assert, describe, it } from "@effect/vitest"
import { Hold } from "@onsale/contracts/http/HoldsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import type { HoldId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect } from "effect"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const best = { bestAvailable: { quantity: 1 } }

const gone = (shop: Shop.Shop, holdId: HoldId) =>
  Effect.forEach(
    [
      shop.holdOf(holdId),
      shop.send({ method: "DELETE", path: shop.api(`/holds/${holdId}`) }),
      shop.send({ path: shop.api(`/holds/${holdId}/extend`), body: {} }),
      shop.tryOrder(holdId, "tok_ok")
    ],
    (asked) =>
      Effect.map(Effect.flatMap(asked, Shop.problemOf), ({ status, title, type }) =>
        [status, type.replace("urn:onsale:problem:", ""), title].join(" ")
      )
  )

const each = (text: string) => Array.from({ length: 4 }, () => text)

describe("Holds that are gone", () => {
  for (const level of ["L0", "L3"]) {
    it.live(
      `one that was bought has become an order; one that was given back or has expired is not there (${level})`,
      () =>
        Effect.gen(function* () {
          const service = yield* Service.start({ env: { ONSALE_LEVEL: level } })
          const shop = Shop.at(service.url)
          const venue = yield* shop.importPlan("seatsio", SeatsioChart.make({ seats: 100 }))
          const event = yield* shop.openEvent(venue)

          const bought = yield* shop.hold(event.id, best)
          const key = Shop.newKey()
          const order = yield* Effect.flatMap(
            shop.tryOrder(bought.id, "tok_ok", { key }),
            Shop.expect(201, Order)
          )
          const becameAnOrder = each("409 hold-bought The hold has become an order")
          assert.deepStrictEqual(yield* gone(shop, bought.id), becameAnOrder)
          const replacing = yield* shop.tryHold(event.id, { ...best, replaces: bought.id })
          assert.deepInclude(yield* Shop.problemOf(replacing), {
            status: 409,
            type: "urn:onsale:problem:hold-bought"
          })
          // Whoever has bought it is answered as before.
          const again = yield* shop.tryOrder(bought.id, "tok_ok", { key })
          assert.deepStrictEqual(yield* Shop.expect(201, Order)(again), order)
          yield* shop.refund(order.id, { reason: "ill" })
          assert.deepStrictEqual(yield* gone(shop, bought.id), becameAnOrder)

          const notThere = each(
            "404 hold-not-found There is no such hold: it has expired, was given back, or never was"
          )
          const released = yield* shop.hold(event.id, best)
          assert.strictEqual(
            (yield* shop.send({ method: "DELETE", path: shop.api(`/holds/${released.id}`) })).status,
            204
          )
          assert.deepStrictEqual(yield* gone(shop, released.id), notThere)

          const short = yield* shop.openEvent(venue, { holdSeconds: 2 })
          const expired = yield* Effect.flatMap(shop.tryHold(short.id, best), Shop.expect(201, Hold))
          yield* pollUntil(shop.holdOf(expired.id), ({ status }) => status !== 200)
          assert.deepStrictEqual(yield* gone(shop, expired.id), notThere)

          yield* Service.assertAudited(service)
        }).pipe(Effect.scoped),
      60_000
    )
  }
})
