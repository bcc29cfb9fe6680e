/** The same service at each level, on the data that the level before has left: what was sold stays sold. */
import { assert, describe, it } from "@effect/vitest"
import { Hold } from "@onsale/contracts/http/HoldsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import type { EventId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { hasRedis, ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Effect, Fiber } from "effect"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

/** Holds these seats, loses them to nobody, pays, and gives half of it back. */
const buy = Effect.fnUntraced(function* (shop: Shop.Shop, eventId: EventId, seats: ReadonlyArray<string>) {
  const key = Shop.newKey()
  const hold = yield* shop.hold(eventId, { seats: [...seats] }, key)
  assert.deepStrictEqual(yield* shop.hold(eventId, { seats: [...seats] }, key), hold)
  const loser = yield* shop.tryHold(eventId, { seats: [seats[0]!] })
  assert.strictEqual(loser.status, 409, loser.text)
  const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok"), Shop.expect(201, Order))
  assert.strictEqual(order.status, "confirmed")
  const back = order.tickets.filter(({ seatId }) => seatId === seats[1]).map(({ id }) => id)
  const refund = yield* shop.refund(order.id, { tickets: back, reason: "one of us is ill" })
  assert.isBelow(refund.status, 300, refund.text)
  yield* pollUntil(shop.order(order.id), ({ status }) => status === "partially_refunded", {
    deadline: "30 seconds"
  })
})

const countsOf = (shop: Shop.Shop, eventId: EventId) =>
  Effect.map(shop.availability(eventId), ({ seats }) => ({ held: seats.held, sold: seats.sold }))

describe.runIf(hasRedis)(suiteName("Levels"), () => {
  it.live(
    "L0, L1 with a Redis that is emptied and restarted in the middle, and L3",
    () =>
      Effect.gen(function* () {
        const redis = yield* TestRedis
        const l0 = yield* Service.start({ env: { ONSALE_LEVEL: "L0" } })
        const first = Shop.at(l0.url)
        const event = yield* Effect.flatMap(
          first.importPlan("seatsio", SeatsioChart.make({ seats: 400 })),
          first.openEvent
        )
        const map = yield* first.seatMap(event.id)
        const seats = map.sections.flatMap(({ rows }) =>
          rows.flatMap((row) => row.seats.flatMap(({ accessible, id }) => (accessible ? [] : [id])))
        )
        yield* buy(first, event.id, seats.slice(0, 2))
        yield* first.hold(event.id, { bestAvailable: { quantity: 2 } })
        assert.deepStrictEqual(yield* countsOf(first, event.id), { held: 2, sold: 1 })
        yield* Service.assertAudited(l0)
        yield* l0.stop

        const l1 = yield* Service.start({
          dataDir: l0.dataDir,
          env: { ONSALE_LEVEL: "L1", ONSALE_REDIS_URL: redis.url, ONSALE_EVENT_BUS: "redis" }
        })
        const second = Shop.at(l1.url)
        assert.deepStrictEqual(yield* countsOf(second, event.id), { held: 2, sold: 1 })
        assert.strictEqual((yield* second.tryHold(event.id, { seats: [seats[0]!] })).status, 409)
        yield* buy(second, event.id, seats.slice(2, 4))
        const faults = yield* Effect.forkChild(
          Effect.gen(function* () {
            yield* redis.flushAll
            if (!ownRedis) return
            yield* redis.stop
            yield* redis.start
          })
        )
        const wanted = seats.slice(-50)
        const replies = yield* Effect.forEach(
          Array.from({ length: 400 }, (_, buyer) => wanted[(buyer * 7) % 50]!),
          (seat) => Effect.map(second.tryHold(event.id, { seats: [seat] }), (reply) => ({ seat, reply })),
          { concurrency: 32 }
        )
        yield* Fiber.join(faults)
        const won = yield* Effect.forEach(
          replies.filter(({ reply }) => reply.status === 201),
          ({ reply }) => Shop.expect(201, Hold)(reply)
        )
        assert.lengthOf(won, 50)
        assert.lengthOf(new Set(won.flatMap((hold) => hold.seats.map(({ seatId }) => seatId))), 50)
        assert.isTrue(replies.every(({ reply }) => reply.status === 201 || reply.status === 409))
        yield* Service.assertAudited(l1)
        yield* Service.assertNothingBroke(l1)
        yield* l1.stop

        const l3 = yield* Service.start({ dataDir: l0.dataDir })
        const third = Shop.at(l3.url)
        assert.deepStrictEqual(yield* countsOf(third, event.id), { held: 52, sold: 2 })
        assert.strictEqual((yield* third.tryHold(event.id, { seats: [seats[2]!] })).status, 409)
        assert.strictEqual((yield* third.holdOf(won[0]!.id)).status, 200)
        yield* Service.assertAudited(l3)
      }).pipe(Effect.provide(TestRedis.layer), Effect.scoped),
    120_000
  )
})
