import { assert, describe, it } from "@effect/vitest"
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import { HoldNotBuyable } from "@onsale/contracts/booking/OrderEntity"
import { makeEventId, makeHoldId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { RefusalCode } from "@onsale/contracts/inventory/InventoryCommand"
import * as InventoryAnswers from "@onsale/inventory/InventoryAnswers"
import { Notifications } from "@onsale/notifications/Notifications"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { AvailabilityBoard } from "../src/AvailabilityBoard.ts"
import { HoldDesk } from "../src/HoldDesk.ts"
import * as HoldOperations from "../src/HoldOperations.ts"
import * as OrderOperations from "../src/OrderOperations.ts"

const eventId = makeEventId(0)
const holdId = makeHoldId(0, 1)
const order = {
  holdId,
  customer: { name: "Ada", email: "ada@example.org" },
  payment: { method: "tok_ok" }
}

/** What whoever asks for a hold, or for something to be done with it, is told where the inventory says so of it. */
const told = (code: RefusalCode, isBought: Effect.Effect<boolean>) =>
  Effect.gen(function* () {
    const refused = Effect.succeed(InventoryAnswers.refusal(code))
    const services = Layer.mergeAll(
      Layer.mock(Orders, {
        place: () => Effect.fail(new HoldNotBuyable({ code, limit: null })),
        isBought: () => isBought
      }),
      Layer.mock(Catalog, {
        eventIdByNumber: () => Effect.succeed(eventId),
        eventNumber: () => Effect.succeed(1)
      }),
      Layer.mock(InventoryClient, { hold: () => refused, execute: () => refused }),
      Layer.mock(HoldDesk, { hold: () => refused, submit: () => () => {} }),
      Layer.mock(Notifications, {}),
      Layer.mock(AvailabilityBoard, { read: () => {}, changed: () => {}, met: () => {} })
    )
    const holds = yield* Effect.provide(HoldOperations.make, services)
    const orders = yield* Effect.provide(OrderOperations.make, services)
    return yield* Effect.all({
      get: Effect.flip(holds.get(holdId)),
      release: Effect.flip(holds.release(holdId)),
      extend: Effect.flip(holds.extend(holdId)),
      replace: Effect.flip(
        holds.create(eventId, "key", { replaces: holdId, bestAvailable: { quantity: 1 } })
      ),
      buy: Effect.flip(orders.create("another key", order))
    }).pipe(Effect.map((problems) => Object.values(problems).map(({ _tag }) => _tag)))
  })

const each = (tag: string) => Array.from({ length: 5 }, () => tag)

describe("a hold that is not there", () => {
  for (const code of ["hold_not_found", "hold_expired"] as const) {
    it.effect(`has become an order, where it has, whatever is asked (${code})`, () =>
      Effect.map(told(code, Effect.succeed(true)), (tags) => assert.deepStrictEqual(tags, each("HoldBought")))
    )

    it.effect(`is gone where it was not bought, swept or not (${code})`, () =>
      Effect.map(told(code, Effect.succeed(false)), (tags) =>
        assert.deepStrictEqual(tags, each("HoldNotFound"))
      )
    )
  }

  it.effect("is not blamed for an event without a sale", () =>
    Effect.map(told("event_not_found", Effect.succeed(false)), (tags) =>
      assert.deepStrictEqual(tags, [
        "HoldNotFound",
        "HoldNotFound",
        "HoldNotFound",
        "EventNotFound",
        "HoldNotFound"
      ])
    )
  )

  it.effect("is not said to be gone where that cannot be found out", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* told("hold_not_found", Effect.die(new Error("no database"))),
        each("Overloaded")
      )
      const asking = yield* Effect.forkChild(told("hold_not_found", Effect.never))
      yield* Effect.forEach(each(""), () => TestClock.adjust("2 seconds"))
      assert.deepStrictEqual(yield* Fiber.join(asking), each("Overloaded"))
    })
  )
})
