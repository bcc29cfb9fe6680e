/** Clients of `effect/rpc` from outside, over HTTP and over WebSocket: what HTTP promises holds for them. */
import { assert, describe, it } from "@effect/vitest"
import type { AvailabilityUpdate } from "@onsale/contracts/http/AvailabilityUpdate"
import type { EventId, SeatId } from "@onsale/contracts/Ids"
import { makeEventId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Duration, Effect, Fiber, Stream } from "effect"
import * as RpcClients from "./RpcClients.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

/** As `Connection.ts` of the gateway has it. */
const maxStreams = 16
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

/** What the service counts under that name. */
const gauge = (shop: Shop.Shop, name: string) =>
  Effect.map(shop.send({ path: "/metrics" }), ({ text }) =>
    Number(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, "m").exec(text)?.[1] ?? 0)
  )

const streams = "onsale_availability_streams"
const sockets = "onsale_rpc_websockets"

const request = (id: number, tag: string, payload: unknown): string =>
  `${JSON.stringify({ _tag: "Request", id, tag, payload, headers: [] })}\n`

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

  it.live(
    "frees what a client had open that disappears, lets one of two have a seat, and bounds what one may open",
    () =>
      Effect.gen(function* () {
        const { eventId, seats, service, shop } = yield* world
        for (const transport of transports) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* watch(yield* RpcClients.make(transport, service.url), eventId)
              assert.strictEqual(yield* gauge(shop, streams), 1, transport)
            })
          )
          yield* pollUntil(gauge(shop, streams), (count) => count === 0)
        }
        yield* pollUntil(gauge(shop, sockets), (count) => count === 0)

        const both = yield* Effect.forEach(transports, (transport) => RpcClients.make(transport, service.url))
        for (const seat of seats.slice(0, 10)) {
          const answers = yield* Effect.forEach(
            both,
            (client) =>
              client
                .CreateHold({ eventId, idempotencyKey: Shop.newKey(), hold: { seats: [seat] } })
                .pipe(Effect.match({ onSuccess: () => "Held", onFailure: ({ _tag }) => _tag })),
            { concurrency: 2 }
          )
          assert.sameMembers(answers, ["Held", "SeatsTaken"])
        }

        const greedy = both[1]!
        for (let open = 0; open < maxStreams; open++) yield* watch(greedy, eventId)
        const refused = yield* Effect.flip(Stream.runDrain(greedy.WatchAvailability({ eventId })))
        assert.strictEqual(refused._tag, "Overloaded")
        assert.strictEqual((yield* greedy.GetEvent({ eventId })).id, eventId, "calls go on beside streams")

        const flood = yield* RpcClients.raw(service.url)
        const calls = Array.from({ length: 1000 }, (_, id) => request(id, "GetAvailability", { eventId }))
        // As many as fit into one frame.
        for (let at = 0; at < calls.length; at += 250) flood.send(calls.slice(at, at + 250).join(""))
        yield* pollUntil(
          Effect.sync(() => flood.frames.length),
          (count) => count >= calls.length
        )
        const overloaded = flood.frames.filter((frame) => frame.includes("Overloaded"))
        assert.isAbove(overloaded.length, 0, "a flood is refused, not queued")
        assert.isAbove(calls.length - overloaded.length, 0)
        yield* Service.assertNothingBroke(service)
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "refuses what is malformed or too large, and nobody else notices",
    () =>
      Effect.gen(function* () {
        const { eventId, service, shop } = yield* world
        const other = yield* RpcClients.make("WebSocket", service.url)
        const { fiber } = yield* watch(other, eventId)

        const wrong: ReadonlyArray<string> = [
          "\n",
          "{\n",
          "null\n",
          "7\n",
          "[]\n",
          '"text"\n',
          "{}\n",
          '{"_tag":"Request"}\n',
          '{"_tag":"Request","id":1,"tag":"GetEvent","payload":{},"headers":7}\n',
          '{"_tag":"Request","id":1,"tag":"GetEvent","payload":{},"headers":[["a"]]}\n',
          '{"_tag":"Request","id":{},"tag":"GetEvent","payload":{},"headers":[]}\n',
          '{"_tag":"Ack"}\n',
          '{"_tag":"Interrupt","requestId":77}\n',
          '{"_tag":"Request","id":1,"tag":"constructor","payload":{},"headers":[]}\n',
          '{"_tag":"Request","id":1,"tag":"__proto__","payload":{},"headers":[]}\n',
          request(1, "GetEvent", null),
          request(1, "GetEvent", { eventId: 7 }),
          request(1, "CreateHold", { eventId, idempotencyKey: "", hold: {} }),
          request(1, "CreateHold", { eventId, idempotencyKey: "k".repeat(300), hold: { seats: [] } })
        ]
        for (const frame of wrong) {
          const client = yield* RpcClients.raw(service.url)
          client.send(frame)
          client.send('{"_tag":"Ping"}\n')
          yield* pollUntil(
            Effect.sync(() => client.closed.code !== undefined || client.frames.join("").includes("Pong")),
            (done) => done
          )
          assert.notMatch(client.frames.join(""), /node_modules|\.ts:|at .*\(/, frame)
          const reply = yield* shop.send({
            path: "/rpc",
            headers: { "content-type": "application/x-ndjson" },
            body: frame
          })
          assert.isBelow(reply.status, 500, `${frame}: ${reply.text}`)
          assert.notMatch(reply.text, /node_modules|\.ts:|at .*\(/, frame)
        }

        const large = yield* RpcClients.raw(service.url)
        large.send(request(1, "GetEvent", "x".repeat(64 * 1024)))
        yield* pollUntil(
          Effect.sync(() => large.closed.code),
          (code) => code === 1009
        )
        const tooLarge = yield* shop.send({ path: "/rpc", body: "x".repeat(64 * 1024 + 1) })
        assert.strictEqual(tooLarge.status, 413)
        assert.strictEqual((yield* shop.send({ path: "/rpc" })).status, 426)

        assert.strictEqual((yield* other.GetEvent({ eventId })).id, eventId)
        assert.isUndefined(fiber.pollUnsafe(), "who watches still does")
        yield* Service.assertNothingBroke(service)
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "stops at once with WebSockets and streams open, and tells those who watch to resume",
    () =>
      Effect.gen(function* () {
        const { eventId, service } = yield* world
        const watchers = yield* Effect.forEach(transports, (transport) =>
          Effect.flatMap(RpcClients.make(transport, service.url), (client) => watch(client, eventId))
        )
        yield* RpcClients.mute(service.url)
        const [took, code] = yield* Effect.timed(service.stop)
        assert.include(Service.cleanExits, code)
        assert.isBelow(Duration.toSeconds(took), 15)
        for (const { fiber } of watchers) {
          assert.strictEqual((yield* Effect.flip(Fiber.join(fiber)))._tag, "Overloaded")
        }
        yield* Service.assertNothingBroke(service)
      }).pipe(Effect.scoped),
    120_000
  )
})
