/** INV-01 and INV-02 over HTTP: many buyers, few seats, and every loser is told which seats were taken. */
import { assert, describe, it } from "@effect/vitest"
import { Hold } from "@onsale/contracts/http/HoldsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import type { EventId, SeatId } from "@onsale/contracts/Ids"
import { Effect, Random } from "effect"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const rounds = 10
const buyers = 200
const seatCount = 50
const seed = 20_261_121

const plan = [
  "section,row,seat_from,seat_to,quantity,price",
  "Stalls,1,1,25,,45.00",
  "Stalls,2,1,25,,45.00"
].join("\n")

/** Buys one or two of the seats, whichever are left; null where none is. */
const buyer = Effect.fnUntraced(function* (shop: Shop.Shop, eventId: EventId, all: ReadonlyArray<SeatId>) {
  let free = all
  let losses = 0
  while (free.length > 0) {
    const wanted = (yield* Random.shuffle(free)).slice(
      0,
      yield* Random.nextIntBetween(1, 3, { halfOpen: true })
    )
    const reply = yield* shop.tryHold(eventId, { seats: wanted })
    if (reply.status === 201) {
      const hold = yield* Shop.expect(201, Hold)(reply)
      assert.sameMembers(
        hold.seats.map(({ seatId }) => seatId),
        wanted
      )
      const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok"), Shop.expect(201, Order))
      return { losses, order }
    }
    losses++
    const { seats, type } = yield* Shop.expect(409, Shop.Problem)(reply)
    assert.strictEqual(type, "urn:onsale:problem:seats-taken")
    const taken = seats?.map(({ seatId }) => seatId) ?? []
    assert.isAbove(taken.length, 0, "a loser is told which seats were taken")
    assert.includeMembers(wanted, taken)
    const { unavailable } = yield* shop.availability(eventId)
    for (const seatId of taken) assert.property(unavailable, seatId)
    free = all.filter((seatId) => unavailable[seatId] === undefined)
  }
  return { losses, order: null }
})

describe("A race", () => {
  it.live(
    `of ${buyers} buyers for ${seatCount} seats, ${rounds} times: every seat is sold, none twice (seed ${seed})`,
    () =>
      Effect.gen(function* () {
        const service = yield* Service.start()
        const shop = Shop.at(service.url)
        const venue = yield* shop.importPlan("csv", plan)
        let losses = 0
        for (let round = 0; round < rounds; round++) {
          const event = yield* shop.openEvent(venue, { tiers: [], currency: "EUR", name: `Race ${round}` })
          const map = yield* shop.seatMap(event.id)
          const seats = map.sections.flatMap(({ rows }) =>
            rows.flatMap((row) => row.seats.map(({ id }) => id))
          )
          assert.lengthOf(seats, seatCount)
          const results = yield* Effect.forEach(
            Array.from({ length: buyers }),
            () => buyer(shop, event.id, seats),
            { concurrency: "unbounded" }
          )
          const sold = results.flatMap(({ order }) => order?.tickets.map(({ seatId }) => seatId) ?? [])
          assert.lengthOf(sold, seatCount)
          assert.strictEqual(new Set(sold).size, seatCount, "no seat is sold twice")
          const { seats: counts, unavailable } = yield* shop.availability(event.id)
          assert.deepStrictEqual(counts, { total: seatCount, available: 0, held: 0, sold: seatCount })
          assert.isTrue(Object.values(unavailable).every((state) => state === "sold"))
          assert.isAtLeast(results.filter(({ order }) => order === null).length, buyers - seatCount)
          losses += results.reduce((sum, result) => sum + result.losses, 0)
        }
        assert.isAtLeast(losses, rounds * (buyers - seatCount))
        yield* Service.assertAudited(service)
        yield* Service.assertNothingBroke(service)
      }).pipe(Random.withSeed(seed), Effect.scoped),
    120_000
  )
})
