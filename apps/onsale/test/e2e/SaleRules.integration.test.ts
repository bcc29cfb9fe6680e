/** The rules of a sale from the organiser to the buyer, over HTTP alone: quotas, vouchers, house seats, limits. */
import { assert, describe, it } from "@effect/vitest"
import { Block } from "@onsale/contracts/catalog/Block"
import { EventDetail } from "@onsale/contracts/catalog/Event"
import { Voucher, VoucherPage } from "@onsale/contracts/catalog/Voucher"
import { Hold } from "@onsale/contracts/http/HoldsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import type { EventId } from "@onsale/contracts/Ids"
import { Effect, Schema } from "effect"
import type { Reply } from "./HttpCall.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const seats = Array.from({ length: 10 }, (_, i) => ({
  uuid: `a${i}`,
  label: `${i + 1}`,
  x: i * 50,
  y: 100,
  ...(i === 9 ? { accessible: true } : {})
}))
const chart = {
  name: "Hall",
  categories: {
    list: [
      { key: 1, label: "Seats", color: "#111111" },
      { key: 2, label: "Floor", color: "#222222" }
    ]
  },
  subChart: {
    focalPoint: { x: 225, y: 0 },
    rows: [{ label: "A", sectionLabel: "Stalls", categoryKey: 1, seats }],
    generalAdmissionAreas: [{ uuid: "floor", label: "Floor", capacity: 20, categoryKey: 2 }]
  }
}

const price = (amount: number) => ({ amount, currency: "EUR" })
const tiers = [
  { name: "Seat", price: price(4500), categories: ["Seats"] },
  { name: "Early bird", price: price(1500), categories: ["Floor"] },
  { name: "Regular", price: price(2000), categories: ["Floor"], minPerOrder: 2, maxPerOrder: 9 },
  { name: "Members", price: price(1000), categories: ["Floor"], voucherOnly: true }
]

const Vouchers = Schema.Struct({ vouchers: Schema.Array(Voucher) })
const Blocks = Schema.Struct({ blocks: Schema.Array(Block) })

const opened = Effect.fnUntraced(function* (
  shop: Shop.Shop,
  more: Parameters<Shop.Shop["openEvent"]>[1] = {}
) {
  const event = yield* Effect.flatMap(shop.importPlan("seatsio", chart), (venue) =>
    shop.openEvent(venue, { tiers, ...more })
  )
  const map = yield* shop.seatMap(event.id)
  const [early, regular, members] = map.areas.map(({ id }) => id)
  const seatIds = map.sections.flatMap(({ rows }) => rows.flatMap((row) => row.seats.map(({ id }) => id)))
  return { event, map, seatIds, early: early!, regular: regular!, members: members! }
})

const refused = Effect.fnUntraced(function* (reply: Reply, status: number, type: string) {
  assert.strictEqual(reply.status, status, reply.text)
  const problem = yield* Shop.problemOf(reply)
  assert.strictEqual(problem.type, `urn:onsale:problem:${type}`)
  return problem
})

describe("The rules of a sale", () => {
  it.live(
    "are set by the organiser, kept for the buyers, and changed while the sale runs",
    () =>
      Effect.gen(function* () {
        const service = yield* Service.start()
        const shop = Shop.at(service.url)

        // --- tiers that share an area, a quota, and a tier that needs a voucher
        const first = yield* opened(shop, {
          quotas: [{ name: "Early", capacity: 8, tiers: ["Early bird"] }],
          maxPerOrder: 10
        })
        const { event, map } = first
        const shown = yield* Effect.flatMap(
          shop.send({ path: shop.api(`/events/${event.id}`) }),
          Shop.expect(200, EventDetail)
        )
        assert.notProperty(shown, "quotas")
        assert.deepInclude(shown.tiers[2]!, { minPerOrder: 2, maxPerOrder: 9 })
        assert.deepInclude(shown.tiers[3]!, { voucherOnly: true })
        assert.deepStrictEqual(
          map.areas.map(({ name, tier }) => [name, tier]),
          event.tiers.slice(1).map(({ id }) => ["Floor", id])
        )
        const floorOf = (eventId: EventId) =>
          Effect.map(shop.availability(eventId), ({ areas }) =>
            Object.values(areas).map(({ available }) => available)
          )
        assert.deepStrictEqual(yield* floorOf(event.id), [8, 20, 20])

        const areas = (areaId: string, quantity: number) => ({ areas: [{ areaId, quantity }] })
        yield* shop.hold(event.id, areas(first.early, 8))
        const full = yield* shop.tryHold(event.id, areas(first.early, 1))
        yield* refused(full, 409, "quota-full")
        yield* refused(yield* shop.tryHold(event.id, areas(first.regular, 1)), 422, "below-minimum")
        assert.deepStrictEqual(yield* floorOf(event.id), [0, 12, 12])
        yield* shop.hold(event.id, areas(first.regular, 9))
        assert.deepStrictEqual(yield* floorOf(event.id), [0, 3, 3])
        yield* refused(yield* shop.tryHold(event.id, areas(first.regular, 4)), 409, "quota-full")
        yield* shop.hold(event.id, areas(first.regular, 3))
        assert.deepStrictEqual(yield* floorOf(event.id), [0, 0, 0], "20 places, whoever has them")

        // --- vouchers
        const second = yield* opened(shop)
        const { id } = second.event
        yield* refused(yield* shop.tryHold(id, areas(second.members, 1)), 422, "voucher-needed")
        const { vouchers } = yield* Effect.flatMap(
          shop.organise(id, "/vouchers", {
            codes: ["Fan Club"],
            tiers: [second.event.tiers[3]!.id],
            maxTickets: 3
          }),
          Shop.expect(201, Vouchers)
        )
        const [voucher] = vouchers
        yield* refused(
          yield* shop.tryHold(id, { ...areas(second.members, 1), voucher: "nobody" }),
          422,
          "voucher-invalid"
        )
        yield* shop.hold(id, { ...areas(second.members, 2), voucher: " fan club" })
        const used = yield* refused(
          yield* shop.tryHold(id, { ...areas(second.members, 2), voucher: "FAN CLUB" }),
          409,
          "voucher-used"
        )
        assert.strictEqual(used.available, 1)
        const exists = yield* shop.organise(id, "/vouchers", {
          codes: ["FAN CLUB"],
          tiers: [second.event.tiers[3]!.id],
          maxTickets: 1
        })
        yield* refused(exists, 409, "voucher-exists")
        const page = yield* Effect.flatMap(shop.organise(id, "/vouchers"), Shop.expect(200, VoucherPage))
        assert.deepStrictEqual(page, { vouchers, nextCursor: null })
        const removed = yield* shop.organise(id, `/vouchers/${voucher!.id}`, undefined, "DELETE")
        assert.strictEqual(removed.status, 204)
        yield* refused(
          yield* shop.tryHold(id, { ...areas(second.members, 1), voucher: "FAN CLUB" }),
          422,
          "voucher-invalid"
        )

        // --- house seats
        const [seat, other] = second.seatIds
        const block = yield* Effect.flatMap(
          shop.organise(id, "/blocks", {
            name: "Artists",
            seats: [seat, other],
            areas: [{ areaId: second.regular, quantity: 5 }]
          }),
          Shop.expect(201, Block)
        )
        const twice = yield* shop.organise(id, "/blocks", {
          name: "Press",
          seats: [other, second.seatIds[2]]
        })
        assert.deepStrictEqual((yield* refused(twice, 409, "seats-blocked")).seats, [{ seatId: other! }])
        const taken = yield* refused(
          yield* shop.tryHold(id, { seats: [seat!, second.seatIds[3]!] }),
          409,
          "seats-taken"
        )
        assert.deepStrictEqual(taken.seats, [{ seatId: seat! }])
        const places = block.areas[0]!.areaId
        yield* refused(yield* shop.tryHold(id, areas(places, 2)), 409, "seats-taken")
        const kept = yield* shop.availability(id)
        assert.deepInclude(kept.seats, { total: 10, available: 8, held: 2 })
        assert.strictEqual(kept.unavailable[seat!], "held")
        assert.deepStrictEqual(
          [second.regular, places].map((area) => kept.areas[area]?.available),
          [13, 0],
          "20 places without the two held and the five kept"
        )
        const guests = yield* Effect.flatMap(
          shop.organise(id, "/vouchers", { count: 1, blocks: [block.id], maxTickets: 10 }),
          Shop.expect(201, Vouchers)
        )
        const guest = guests.vouchers[0]!.code
        const guestHold = yield* shop.hold(id, { seats: [seat!], ...areas(places, 2), voucher: guest })
        assert.deepStrictEqual(
          guestHold.areas.map(({ areaId, name, quantity }) => [areaId, name, quantity]),
          [[places, "Floor", 2]]
        )

        const released = yield* Effect.flatMap(
          shop.organise(id, `/blocks/${block.id}/release`, {}),
          Shop.expect(200, Block)
        )
        assert.deepStrictEqual(released, { ...block, seats: [], areas: [{ ...block.areas[0]!, kept: 0 }] })
        assert.deepStrictEqual(
          (yield* Effect.flatMap(shop.organise(id, "/blocks"), Shop.expect(200, Blocks))).blocks,
          [released]
        )
        yield* refused(yield* shop.tryHold(id, { seats: [seat!] }), 409, "seats-taken")
        const ordinary = yield* shop.hold(id, { seats: [other!] })
        assert.deepInclude(ordinary.seats[0]!, { seatId: other! })
        const free = yield* shop.availability(id)
        assert.deepInclude(free.seats, { available: 8, held: 2 })
        assert.strictEqual(free.areas[second.regular]?.available, 16, "of 20, two and two are held")
        assert.strictEqual(
          (yield* shop.organise(id, `/blocks/${block.id}/release`, { seats: [seat] })).status,
          404,
          "it keeps none any more"
        )

        // --- the accessible pool
        const accessible = second.seatIds[9]!
        yield* refused(yield* shop.tryHold(id, { seats: [accessible] }), 422, "accessible-only")
        const open = yield* Effect.flatMap(
          shop.organise(id, "/accessible/release", {}),
          Shop.expect(200, EventDetail)
        )
        assert.isTrue(open.accessibleReleased)
        yield* shop.hold(id, { seats: [accessible] })

        // --- tickets of one customer, all orders together
        const third = yield* opened(shop, { maxPerCustomer: 2, maxTickets: 5 })
        const buy = Effect.fnUntraced(function* (seats: ReadonlyArray<string>, email: string) {
          const hold = yield* Effect.flatMap(
            shop.send({
              path: shop.api(`/events/${third.event.id}/holds`),
              headers: { "idempotency-key": Shop.newKey() },
              body: { seats }
            }),
            Shop.expect(201, Hold)
          )
          return yield* shop.tryOrder(hold.id, "tok_ok", { email })
        })
        yield* Effect.flatMap(buy(third.seatIds.slice(0, 2), "ada@example.org"), Shop.expect(201, Order))
        const limited = yield* refused(
          yield* buy(third.seatIds.slice(2, 3), "Ada+more@example.org"),
          422,
          "limit-passed"
        )
        assert.deepInclude(limited, { scope: "customer", limit: 2 })
        const told = yield* shop.tryHold(third.event.id, {
          seats: third.seatIds.slice(3, 4),
          customer: { email: "ada@example.org" }
        })
        yield* refused(told, 422, "limit-passed")
        // Two sold, one held by the refused order: two of the event's five are left.
        const left = yield* shop.availability(third.event.id)
        assert.deepStrictEqual(
          Object.values(left.tiers).map(({ available }) => available),
          [2, 2, 2, 2]
        )
        yield* refused(
          yield* shop.tryHold(third.event.id, { seats: third.seatIds.slice(3, 6) }),
          409,
          "quota-full"
        )
        yield* Effect.flatMap(buy(third.seatIds.slice(3, 5), "bob@example.org"), Shop.expect(201, Order))

        yield* Service.assertNothingBroke(service)
        yield* Service.assertAudited(service)
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "survive a kill: what was changed is in force after the next start",
    () =>
      Effect.gen(function* () {
        const service = yield* Service.start()
        const shop = Shop.at(service.url)
        const { event, seatIds } = yield* opened(shop)
        const block = yield* Effect.flatMap(
          shop.organise(event.id, "/blocks", { name: "House", seats: seatIds.slice(0, 3) }),
          Shop.expect(201, Block)
        )
        yield* shop.hold(event.id, { seats: [seatIds[5]!] })
        yield* service.kill9
        const next = yield* Service.start({ dataDir: service.dataDir })
        const again = Shop.at(next.url)
        yield* refused(yield* again.tryHold(event.id, { seats: [seatIds[0]!] }), 409, "seats-taken")
        yield* again.organise(event.id, `/blocks/${block.id}/release`, { seats: [seatIds[0]] })
        yield* again.hold(event.id, { seats: [seatIds[0]!] })
        yield* Service.assertAudited(next)
      }).pipe(Effect.scoped),
    120_000
  )
})
