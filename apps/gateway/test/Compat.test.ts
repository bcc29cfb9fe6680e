import { assert, describe, it } from "@effect/vitest"
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import type { Order } from "@onsale/contracts/http/OrdersApi"
import { HoldInCheckout, KeyInUse, PaymentDeclined } from "@onsale/contracts/http/Problems"
import {
  CustomerId,
  HoldId,
  makeEventId,
  makeHoldId,
  makeUuidV7,
  OrderId,
  seatId
} from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { SeatHold } from "@onsale/contracts/inventory/InventoryCommand"
import { Effect, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { AvailabilityBoard } from "../src/AvailabilityBoard.ts"
import * as BookingLimit from "../src/compat/BookingLimit.ts"
import * as Purchase from "../src/compat/Purchase.ts"
import * as SeatClaims from "../src/compat/SeatClaims.ts"
import { CurrentCustomer, limitKey, type ProvedCustomer } from "../src/CurrentCustomer.ts"
import { SharedRedis } from "../src/SharedRedis.ts"

const eventId = makeEventId(1_700_000_000_000)
const seat = { eventId, id: seatId(eventId, 3), index: 3 }
const customerOf = (id: string): ProvedCustomer => ({ id: CustomerId.make(id), email: null, name: null })
const ada = customerOf("user:ada")
const holdId = makeHoldId(0, 1)
const orderId = OrderId.make(makeUuidV7(0))
const buyer = { name: "Ada", email: "ada@example.org" }

type Holds = Parameters<typeof SeatClaims.make>[0]
type OrderOperations = Parameters<typeof Purchase.make>[0]

/** Only what is asked of it here. */
const stub = <A>(methods: Partial<A>): A => methods as A

const claims = (given: {
  readonly holdOf?: SeatHold | null
  readonly owner?: CustomerId | null
  readonly create?: Holds["create"]
}) =>
  SeatClaims.make(stub<Holds>({ create: given.create ?? (() => Effect.die("not asked for")) })).pipe(
    Effect.provide(
      Layer.mergeAll(
        Layer.mock(Catalog, { eventNumber: () => Effect.succeed(1) }),
        Layer.mock(Orders, {
          ownerOfSeat: () => Effect.succeed(given.owner === undefined ? null : { customerId: given.owner })
        }),
        Layer.mock(InventoryClient, { holdOf: () => Effect.succeed(given.holdOf ?? null) }),
        Layer.mock(AvailabilityBoard, { read: () => {}, changed: () => {}, met: () => {} })
      )
    )
  )

describe("A seat of the older contracts", () => {
  it("is known by its id, whatever case it is in, and by nothing else", () => {
    assert.deepStrictEqual(SeatClaims.seatOf(seat.id.toUpperCase()), seat)
    for (const id of [eventId, makeUuidV7(0), "", "A1", "7f0c5dd5-5d3a-4a86-9c49-a2a9b1a4d6d1"]) {
      const found = SeatClaims.seatOf(id)
      // The last bits of any UUIDv7 may name a seat, of an event that is none.
      assert.isTrue(found === undefined || found.eventId !== eventId, id)
    }
  })

  it.effect("is held for fifteen minutes, for the user", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const seats = yield* claims({
        create: (event, _key, payload, life) =>
          Effect.flatMap(CurrentCustomer, (customer) => {
            asked.push([event, payload, life, customer])
            return Effect.fail(new HoldInCheckout({}))
          })
      })
      yield* Effect.flip(seats.hold(seat, ada))
      assert.deepStrictEqual(asked, [[eventId, { seats: [seat.id] }, { lifeMs: 900_000 }, ada]])
    })
  )

  it.effect("is the user's while the hold lives that names the user, and not after its end", () =>
    Effect.gen(function* () {
      const customer = limitKey(ada, undefined) ?? ""
      const own = yield* claims({ holdOf: { holdId, customer, orderId: null } })
      assert.strictEqual(yield* own.ownHold(seat, ada), holdId)
      assert.isNull(yield* own.ownHold(seat, customerOf("user:bob")))
      // A customer who has proved to be of that name is another one.
      assert.isNull(yield* own.ownHold(seat, customerOf("ada")))
      const anonymous = yield* claims({ holdOf: { holdId, customer: null, orderId: null } })
      assert.isNull(yield* anonymous.ownHold(seat, ada))
      const expired = yield* claims({ holdOf: null })
      assert.isNull(yield* expired.ownHold(seat, ada))
      assert.isNull(yield* expired.ownerOf(seat, ada))
      const sold = yield* claims({ owner: ada.id })
      assert.strictEqual(yield* sold.ownerOf(seat, ada), "user")
      assert.strictEqual(yield* sold.ownerOf(seat, customerOf("user:bob")), "other")
      const unproved = yield* claims({ owner: null })
      assert.strictEqual(yield* unproved.ownerOf(seat, ada), "other")
    })
  )
})

const orderOf = (status: Order["status"]): Order => ({
  id: orderId,
  status,
  eventId,
  customer: buyer,
  total: { amount: 1, currency: "EUR" },
  tickets: [],
  payment: { status: null, provider: null },
  refunds: [],
  createdAt: "",
  updatedAt: ""
})
const pending = { ...orderOf("payment_pending"), status: "payment_pending" as const }

const purchase = (
  create: OrderOperations["create"],
  get: OrderOperations["get"] = () => Effect.die("not asked for")
) =>
  Effect.map(
    Purchase.make(stub<OrderOperations>({ create, get }), () => buyer),
    ({ hold }) => hold
  )

describe("A purchase of the older contracts", () => {
  it.effect("has one key for one hold and one payment method", () =>
    Effect.gen(function* () {
      const keys: Array<string> = []
      const buy = yield* purchase((key) => {
        keys.push(key)
        return Effect.fail(new PaymentDeclined({ orderId, code: "card_declined" }))
      })
      const method = "7f0c5dd5-5d3a-4a86-9c49-a2a9b1a4d6d1"
      for (const one of [method, method.toUpperCase(), null]) {
        const error = yield* Effect.flip(buy(HoldId.make(holdId), ada, one))
        assert.strictEqual(error._tag, "CompatDeclined")
      }
      assert.strictEqual(keys[0], keys[1])
      assert.notStrictEqual(keys[0], keys[2])
    })
  )

  it.effect("waits for one like it that is running", () =>
    Effect.gen(function* () {
      let asked = 0
      const buy = yield* purchase(() =>
        Effect.suspend(() =>
          ++asked < 3
            ? Effect.fail(new KeyInUse({}))
            : Effect.succeed({ ...orderOf("confirmed"), status: "confirmed" as const })
        )
      )
      const fiber = yield* Effect.forkChild(buy(holdId, ada, null), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).status, "confirmed")
    })
  )

  it.effect("waits for a payment, for ten seconds, and says that it is pending then", () =>
    Effect.gen(function* () {
      let asked = 0
      const paid = yield* purchase(
        () => Effect.succeed(pending),
        () => Effect.sync(() => (++asked < 3 ? pending : orderOf("confirmed")))
      )
      const first = yield* Effect.forkChild(paid(holdId, ada, null), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(first)).status, "confirmed")

      const never = yield* purchase(
        () => Effect.succeed(pending),
        () => Effect.succeed(pending)
      )
      const second = yield* Effect.forkChild(never(holdId, ada, null), { startImmediately: true })
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual((yield* Effect.flip(Fiber.join(second)))._tag, "CompatPending")
    })
  )
})

describe("Ten bookings a minute", () => {
  it.effect("are let in, in any minute, for each customer", () =>
    Effect.gen(function* () {
      const take = yield* BookingLimit.make
      const isRefused = (customer: string) => Effect.map(take(customer), ({ isRefused }) => isRefused)
      for (let request = 0; request < 10; request++) {
        assert.isFalse(yield* isRefused("ada"))
        yield* TestClock.adjust("5 seconds")
      }
      assert.deepStrictEqual(yield* take("ada"), {
        isRefused: true,
        headers: {
          "ratelimit-policy": '"bookings";q=10;w=60',
          ratelimit: '"bookings";r=0;t=10',
          "retry-after": "10"
        }
      })
      assert.isFalse(yield* isRefused("bob"))
      yield* TestClock.adjust("10 seconds")
      assert.isFalse(yield* isRefused("ada"))
      assert.isTrue(yield* isRefused("ada"))
    }).pipe(Effect.provideService(SharedRedis, Option.none()))
  )
})
