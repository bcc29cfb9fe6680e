/** Clients of `effect/rpc` from outside, over HTTP and over WebSocket: what HTTP promises holds for them. */
import { assert, describe, it } from "@effect/vitest"
import type { AvailabilityUpdate } from "@onsale/contracts/http/AvailabilityUpdate"
import type { EventId, SeatId } from "@onsale/contracts/Ids"
import { makeEventId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect, Stream } from "effect"
import * as RpcClients from "./RpcClients.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const plan = ["section,row,seat_from,seat_to,quantity,price", "Stalls,1,1,20,,45.00"].join("\n")
const customer = { name: "Ada Lovelace", email: "ada@example.org" }
const asOrganiser = { headers: { authorization: `Bearer ${Service.organiserKey}` } }
const transports: ReadonlyArray<RpcClients.Transport> = ["HTTP", "WebSocket"]

/** A service with an event on sale, and its seats. */
const world = Effect.gen(function* () {
  const service = yield* Service.start()
  const shop = Shop.at(service.url)
  const venue = yield* shop.importPlan("csv", plan)
  const event = yield* shop.openEvent(venue, { tiers: [], currency: "EUR" })
  const map = yield* shop.seatMap(event.id)
  const seats = map.sections.flatMap(({ rows }) => rows.flatMap((row) => row.seats.map(({ id }) => id)))
  return { service, shop, eventId: event.id, seats }
})

/** Watches the event: what was told so far. */
const watch = Effect.fnUntraced(function* (client: RpcClients.Client, eventId: EventId, after?: number) {
  const told: Array<AvailabilityUpdate> = []
  const fiber = yield* client.WatchAvailability({ eventId, ...(after === undefined ? {} : { after }) }).pipe(
    Stream.runForEach((update) => Effect.sync(() => told.push(update))),
    Effect.forkScoped
  )
  yield* pollUntil(
    Effect.sync(() => told.length),
    (count) => count > 0
  )
  return { told, fiber }
})

const statusOf = (told: ReadonlyArray<AvailabilityUpdate>, seat: SeatId): string =>
  told.reduce(
    (status: string, update) =>
      update._tag === "Snapshot"
        ? (update.availability.unavailable[seat] ?? "available")
        : (update.seats[seat] ?? status),
    "unknown"
  )

const untilStatus = (told: ReadonlyArray<AvailabilityUpdate>, seat: SeatId, status: string) =>
  pollUntil(
    Effect.sync(() => statusOf(told, seat)),
    (now) => now === status
  )

const buysAndReturns = Effect.fnUntraced(function* (
  transport: RpcClients.Transport,
  url: string,
  seat: SeatId
) {
  const client = yield* RpcClients.make(transport, url)
  const { events } = yield* client.ListEvents({})
  const { id: eventId } = events[0]!
  assert.strictEqual((yield* client.GetEvent({ eventId })).id, eventId)
  assert.lengthOf((yield* client.GetSeatMap({ eventId })).sections, 1)

  const { told } = yield* watch(client, eventId)
  assert.strictEqual(told[0]?._tag, "Snapshot")
  assert.strictEqual(statusOf(told, seat), "available")

  const idempotencyKey = Shop.newKey()
  const hold = yield* client.CreateHold({ eventId, idempotencyKey, hold: { seats: [seat] } })
  const again = yield* client.CreateHold({ eventId, idempotencyKey, hold: { seats: [seat] } })
  assert.strictEqual(again.id, hold.id, "a repeat has the same answer")
  yield* untilStatus(told, seat, "held")
  assert.strictEqual((yield* client.GetAvailability({ eventId })).unavailable[seat], "held")
  assert.strictEqual((yield* client.GetHold({ holdId: hold.id })).id, hold.id)
  yield* client.ExtendHold({ holdId: hold.id })

  const order = yield* client.CreateOrder({
    idempotencyKey: Shop.newKey(),
    order: { holdId: hold.id, customer, payment: { method: "tok_ok" } }
  })
  assert.strictEqual(order.status, "confirmed")
  yield* untilStatus(told, seat, "sold")
  const [ticket] = order.tickets
  assert.strictEqual((yield* client.GetTicket({ ticketId: ticket!.id })).code, ticket!.code)

  const refund = { reason: "changed my mind" }
  yield* client.RefundOrder({ orderId: order.id, idempotencyKey: Shop.newKey(), refund })
  yield* pollUntil(client.GetOrder({ orderId: order.id }), ({ status }) => status === "refunded")
  yield* untilStatus(told, seat, "available")
  assert.isTrue(
    told.slice(1).every(({ _tag }) => _tag === "Delta"),
    "after the snapshot come changes"
  )
})

const isTyped = Effect.fnUntraced(function* (client: RpcClients.Client, eventId: EventId, seat: SeatId) {
  const hold = { seats: [seat] }
  const first = yield* client.CreateHold({ eventId, idempotencyKey: Shop.newKey(), hold })
  const taken = yield* Effect.flip(client.CreateHold({ eventId, idempotencyKey: Shop.newKey(), hold }))
  assert.strictEqual(taken._tag, "SeatsTaken")
  assert.deepStrictEqual(taken._tag === "SeatsTaken" ? taken.seats : [], [{ seatId: seat }])
  yield* client.ReleaseHold({ holdId: first.id })
  assert.strictEqual((yield* Effect.flip(client.GetHold({ holdId: first.id })))._tag, "HoldNotFound")

  const unknown = makeEventId(1)
  assert.strictEqual((yield* Effect.flip(client.GetEvent({ eventId: unknown })))._tag, "EventNotFound")
  const stream = Stream.runDrain(client.WatchAvailability({ eventId: unknown }))
  assert.strictEqual((yield* Effect.flip(stream))._tag, "EventNotFound")

  assert.strictEqual((yield* Effect.flip(client.ListVenues({})))._tag, "Unauthorized")
  const wrongKey = { headers: { authorization: "Bearer something" } }
  assert.strictEqual((yield* Effect.flip(client.GetSales({ eventId }, wrongKey)))._tag, "Unauthorized")
  assert.lengthOf((yield* client.ListVenues({}, asOrganiser)).venues, 1)
  assert.strictEqual((yield* client.GetAnyEvent({ eventId }, asOrganiser)).id, eventId)
})

describe("RPC from outside", () => {
  it.live(
    "sells, shows it to those who watch, and gives back, over both transports",
    () =>
      Effect.gen(function* () {
        const { eventId, seats, service } = yield* world
        yield* buysAndReturns("HTTP", service.url, seats[0]!)
        yield* buysAndReturns("WebSocket", service.url, seats[1]!)
        for (const transport of transports) {
          yield* isTyped(yield* RpcClients.make(transport, service.url), eventId, seats[2]!)
        }
        yield* Service.assertAudited(service)
        yield* Service.assertNothingBroke(service)
      }).pipe(Effect.scoped),
    120_000
  )
})
