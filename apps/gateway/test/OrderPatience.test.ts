import { assert, describe, it } from "@effect/vitest"
import { Orders, type Placement, type PlaceOrder } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import { BookingUnavailable, HoldNotBuyable } from "@onsale/contracts/booking/OrderEntity"
import type { OrderView } from "@onsale/contracts/booking/Order"
import { makeEventId, makeHoldId, makeUuidV7, OrderId, PaymentIntentId } from "@onsale/contracts/Ids"
import { Notifications } from "@onsale/notifications/Notifications"
import { Clock, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { AvailabilityBoard } from "../src/AvailabilityBoard.ts"
import * as OrderOperations from "../src/OrderOperations.ts"
import * as Patience from "../src/Patience.ts"

const eventId = makeEventId(0)
const holdId = makeHoldId(0, 1)
const payload = {
  holdId,
  customer: { name: "Ada", email: "ada@example.org" },
  payment: { method: "tok_timeout" }
}

const pending: OrderView = {
  id: OrderId.make(makeUuidV7(1)),
  status: "payment_pending",
  eventId,
  holdId,
  customer: payload.customer,
  total: { amount: 1, currency: "EUR" },
  tickets: [],
  payment: {
    intentId: PaymentIntentId.make(makeUuidV7(2)),
    provider: null,
    status: null,
    failureCode: null
  },
  nextAction: null,
  refunds: [],
  reason: null,
  createdAt: "",
  updatedAt: ""
}

/** What a buyer is told who waits three seconds for a checkout that does not end, or ends like this. */
const told = (
  placed: Effect.Effect<OrderView | null>,
  place: Effect.Effect<Placement, BookingUnavailable | HoldNotBuyable> = Effect.never
) =>
  Effect.gen(function* () {
    const { buyer, requests } = yield* asking(placed, place)
    yield* TestClock.adjust("3 seconds")
    yield* TestClock.adjust("1500 millis")
    assert.isDefined(buyer.pollUnsafe(), "nobody is kept for longer than he asked for, and a little more")
    const result = yield* Fiber.join(buyer)
    assert.strictEqual(requests[0]?.waitMs, 3_000)
    if (result._tag === "Success") return result.success.status
    return result.failure._tag === "Overloaded" ? result.failure.reason : result.failure._tag
  })

/** Who waits for it. */
const asking = (
  placed: Effect.Effect<OrderView | null>,
  place: Effect.Effect<Placement, BookingUnavailable | HoldNotBuyable>
) =>
  Effect.gen(function* () {
    const requests: Array<PlaceOrder> = []
    const orders = yield* OrderOperations.make.pipe(
      Effect.provide(
        Layer.mergeAll(
          Layer.mock(Orders, {
            place: (request) => {
              requests.push(request)
              return place
            },
            isBought: () => Effect.never,
            placed: () =>
              Effect.map(placed, (order) =>
                order === null ? null : { fingerprint: requests[0]!.fingerprint, order }
              )
          }),
          Layer.mock(Catalog, { eventIdByNumber: () => Effect.succeed(eventId) }),
          Layer.mock(Notifications, {}),
          Layer.mock(AvailabilityBoard, { read: () => {}, changed: () => {}, met: () => {} })
        )
      )
    )
    const untilMs = (yield* Clock.currentTimeMillis) + 3_000
    const buyer = yield* orders
      .create("key", payload)
      .pipe(Effect.provideService(Patience.Until, untilMs), Effect.result, Effect.forkChild)
    return { buyer, requests }
  })

describe("a buyer who waits no longer", () => {
  it.effect("is told that his order goes on, where it was placed", () =>
    Effect.map(told(Effect.succeed(pending)), (status) => assert.strictEqual(status, "payment_pending"))
  )

  it.effect("is told that it is not known, where it was not placed as far as is seen", () =>
    Effect.map(told(Effect.succeed(null)), (status) => assert.strictEqual(status, "outcome_unknown"))
  )

  it.effect("is told so in his time where nothing answers, and the order goes on", () =>
    Effect.gen(function* () {
      let stopped = false
      const stop = Effect.sync(() => {
        stopped = true
      })
      const status = yield* told(
        Effect.never,
        Effect.onInterrupt(Effect.never, () => stop)
      )
      assert.strictEqual(status, "outcome_unknown")
      assert.isFalse(stopped)
    })
  )

  it.effect("is not told that nothing was done, where his order cannot be looked up", () =>
    Effect.gen(function* () {
      const notBegun = new BookingUnavailable({ retryAfterMs: 1_000, reason: "not_begun" })
      assert.strictEqual(yield* told(Effect.never, Effect.fail(notBegun)), "outcome_unknown")
      assert.strictEqual(yield* told(Effect.succeed(null), Effect.fail(notBegun)), "unavailable")
    })
  )

  it.effect("hears of an order that was placed a moment after he has left", () =>
    Effect.gen(function* () {
      const placedAtMs = 3_500
      const placed = Effect.map(Clock.currentTimeMillis, (nowMs) => (nowMs < placedAtMs ? null : pending))
      assert.strictEqual(yield* told(placed), "payment_pending")
    })
  )

  it.effect(
    "hears of an order that was placed while its owner was asked, and not that nothing has happened",
    () =>
      Effect.map(
        told(Effect.succeed(null), Effect.as(Effect.sleep("4 seconds"), { order: pending, replayed: false })),
        (status) => assert.strictEqual(status, "payment_pending")
      )
  )

  it.effect("is told in his time, too, where nobody can say what became of his hold", () =>
    Effect.gen(function* () {
      const gone = Effect.andThen(
        Effect.sleep("4 seconds"),
        Effect.fail(new HoldNotBuyable({ code: "hold_not_found", limit: null }))
      )
      assert.strictEqual(yield* told(Effect.succeed(null), gone), "unavailable")
    })
  )

  it.effect("who has gone away is not looked after, and his order goes on", () =>
    Effect.gen(function* () {
      let looks = 0
      let stopped = false
      const { buyer } = yield* asking(
        Effect.sync(() => {
          looks++
          return null
        }),
        Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            stopped = true
          })
        )
      )
      yield* TestClock.adjust("3200 millis")
      assert.isAbove(looks, 0)
      yield* Fiber.interrupt(buyer)
      const before = looks
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(looks, before)
      assert.isFalse(stopped)
    })
  )

  it.effect("hears of an order that goes on, where its owner is not there any more to answer", () =>
    Effect.map(
      told(Effect.succeed(pending), Effect.fail(new BookingUnavailable({ retryAfterMs: 1_000 }))),
      (status) => assert.strictEqual(status, "payment_pending")
    )
  )
})
