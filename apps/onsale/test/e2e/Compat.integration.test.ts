/** The older contracts, word by word: each status code and each body that they promise, over a real server. */
import { assert, describe, layer } from "@effect/vitest"
import { Booking, FoundEvents, LockedSeat, ManagedEvent } from "@onsale/contracts/http/CompatApi"
import { makeEventId, seatId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Context, Effect, Layer, Schema } from "effect"
import { randomUUID } from "node:crypto"
import type { Reply } from "./HttpCall.ts"
import * as CompatWorld from "./CompatWorld.ts"
import { isDone, isError, newUser } from "./CompatWorld.ts"
import * as Service from "./Service.ts"

class World extends Context.Service<World, CompatWorld.World>()("World") {
  static readonly layer = Layer.effect(World, CompatWorld.make)
}

const invalid = "Invalid request payload"
const notAvailable = "Ticket is not available for reservation"
const notReserved = "Ticket is not reserved for this user"
const unknownSeat = seatId(makeEventId(1), 0)
/** Neither is JSON, nor has the fields. */
const broken = ["{", "[]", "null", "{}", '"x"', ""]

const mailTo = Effect.fnUntraced(function* (address: string) {
  const { shop } = yield* World
  const { mails } = yield* pollUntil(shop.mailsTo(address), ({ mails }) => mails.length > 0, {
    deadline: "30 seconds"
  })
  assert.lengthOf(mails, 1)
  assert.isTrue(mails[0]?.attachments.some(({ contentType }) => contentType === "application/pdf"))
})

layer(World.layer, { timeout: "120 seconds", excludeTestServices: true })("The older contracts", (it) => {
  describe("A, seat lock", () => {
    it.effect("200: a body that names the seat, its status and its version; PDF and mail follow", () =>
      Effect.gen(function* () {
        const { lock, open, shop } = yield* World
        const { event, seats } = yield* open()
        const user = newUser()
        const reply = yield* lock(seats[0], user)
        assert.strictEqual(reply.status, 200, reply.text)
        const body = Schema.decodeUnknownSync(LockedSeat)(reply.json)
        assert.strictEqual(body.seatId, seats[0])
        assert.strictEqual(body.status, "locked")
        assert.strictEqual((yield* shop.availability(event.id)).unavailable[seats[0]!], "sold")
        assert.strictEqual((yield* lock(seats[0], user)).status, 200, "a repeat")
        yield* mailTo(`${user}@users.example.org`)
      })
    )

    it.effect("takes, makes and returns X-Correlation-ID", () =>
      Effect.gen(function* () {
        const { lock, open, service } = yield* World
        const { seats } = yield* open()
        const user = newUser()
        const given = yield* lock(seats[0], user, { "x-correlation-id": "of-the-client-7" })
        assert.strictEqual(given.headers["x-correlation-id"], "of-the-client-7")
        const made = yield* lock(seats[0], newUser())
        assert.match(String(made.headers["x-correlation-id"]), /^[0-9a-f-]{36}$/)
        yield* mailTo(`${user}@users.example.org`)
        yield* Service.assertNothingBroke(service)
      })
    )

    it.effect("400: not JSON, or not a UUID", () =>
      Effect.gen(function* () {
        const { lock, open, post } = yield* World
        const { seats } = yield* open()
        for (const body of broken) isError(yield* post("/api/v1/seats/lock", body), 400, invalid)
        isError(yield* lock("A1", newUser()), 400, invalid)
        isError(yield* lock(seats[0], "me"), 400, invalid)
        isError(yield* lock(seats[0], 7), 400, invalid)
      })
    )

    it.effect("404: no such seat", () =>
      Effect.gen(function* () {
        const { lock, open } = yield* World
        const { event, seats } = yield* open()
        for (const id of [randomUUID(), unknownSeat, event.id, CompatWorld.seatBeyond(seats[0]!)]) {
          isError(yield* lock(id, newUser()), 404, "There is no such seat")
        }
      })
    )

    it.effect("409: who loses a race, and 200 for one alone", () =>
      Effect.gen(function* () {
        const { lock, open } = yield* World
        const { seats } = yield* open()
        const lost: Array<Reply> = []
        // Who comes after a seat was seen to be taken was in no race, and gets 422: on a slow machine all may.
        for (const seat of seats) {
          const replies = yield* Effect.all(
            Array.from({ length: 12 }, () => lock(seat, newUser())),
            { concurrency: "unbounded" }
          )
          const statuses = replies.map(({ status }) => status)
          assert.strictEqual(statuses.filter((status) => status === 200).length, 1, String(statuses))
          assert.isTrue(
            statuses.every((status) => [200, 409, 422].includes(status)),
            String(statuses)
          )
          lost.push(...replies.filter(({ status }) => status === 409))
          if (lost.length > 0) break
        }
        assert.isNotEmpty(lost)
        isError(lost[0]!, 409, /try again/)
      })
    )

    it.effect("422: the seat is not available", () =>
      Effect.gen(function* () {
        const { lock, open, reserve } = yield* World
        const { seats } = yield* open()
        yield* lock(seats[0], newUser())
        isDone(yield* reserve(seats[1], newUser()))
        for (const seat of [seats[0], seats[1]]) {
          isError(yield* lock(seat, newUser()), 422, "The seat is not available")
        }
      })
    )
  })

  describe("B, events and two-phase booking", () => {
    it.effect("GET event: 200 with its tickets as they stand, 404 else", () =>
      Effect.gen(function* () {
        const { confirm, get, open, reserve } = yield* World
        const { event, seats } = yield* open({
          description: "All night",
          performers: [{ name: "The Nocturnes", description: "Eleven strings" }]
        })
        const read = (uuid: string) => get(`/api/v1/management/events/${uuid}`)
        const user = newUser()
        isDone(yield* reserve(seats[0], user))
        isDone(yield* reserve(seats[1], user))
        isDone(yield* confirm(seats[1], user))
        const reply = yield* read(event.id)
        assert.strictEqual(reply.status, 200, reply.text)
        const body = Schema.decodeUnknownSync(ManagedEvent)(reply.json)
        assert.strictEqual(body.uuid, event.id)
        assert.strictEqual(body.description, "All night")
        assert.match(body.date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
        assert.strictEqual(body.venue.location, "Berlin")
        assert.deepStrictEqual(body.venue.seat_map["A1"], true)
        assert.strictEqual(body.performers[0]?.name, "The Nocturnes")
        assert.deepStrictEqual(
          body.tickets.slice(0, 3).map(({ price, seat, status, uuid }) => [uuid, price, seat, status]),
          [
            [seats[0], 35_000, "A1", "reserved"],
            [seats[1], 35_000, "A2", "booked"],
            [seats[2], 35_000, "A3", "available"]
          ]
        )
        for (const uuid of [makeEventId(1), randomUUID(), "x"])
          isError(yield* read(uuid), 404, "Event not found")
      })
    )

    it.effect("reserve: 200 without a body, again for the same user; 409 for another", () =>
      Effect.gen(function* () {
        const { open, reserve } = yield* World
        const { seats } = yield* open()
        const user = newUser()
        isDone(yield* reserve(seats[0], user))
        isDone(yield* reserve(seats[0], user))
        isDone(yield* reserve(seats[0]?.toUpperCase(), user.toUpperCase()))
        isError(yield* reserve(seats[0], newUser()), 409, notAvailable)
        for (const id of [randomUUID(), unknownSeat, CompatWorld.seatBeyond(seats[0]!)]) {
          isError(yield* reserve(id, user), 409, notAvailable)
        }
      })
    )

    it.effect("reserve: of many at once one has it", () =>
      Effect.gen(function* () {
        const { open, reserve } = yield* World
        const { seats } = yield* open()
        const replies = yield* Effect.all(
          Array.from({ length: 10 }, () => reserve(seats[0], newUser())),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(replies.map(({ status }) => status).sort(), [
          200,
          ...Array.from({ length: 9 }, () => 409)
        ])
      })
    )

    it.effect("400: not JSON, or not a UUID, of reserve and of confirm", () =>
      Effect.gen(function* () {
        const { confirm, open, post, reserve } = yield* World
        const { seats } = yield* open()
        for (const path of ["reserve", "confirm"]) {
          for (const body of broken)
            isError(yield* post(`/api/v1/booking/tickets/${path}`, body), 400, invalid)
        }
        isError(yield* reserve("A1", newUser()), 400, invalid)
        isError(yield* reserve(seats[0], null), 400, invalid)
        isError(yield* confirm(seats[0], newUser(), "visa"), 400, invalid)
      })
    )

    it.effect(
      "confirm: 200 without a body and the payment happens, once; 409 for who has not reserved it",
      () =>
        Effect.gen(function* () {
          const { confirm, open, reserve, service, shop } = yield* World
          const { event, seats } = yield* open()
          const user = newUser()
          isError(yield* confirm(seats[0], user), 409, notReserved)
          assert.deepStrictEqual(
            (yield* shop.availability(event.id)).unavailable,
            {},
            "nothing was held by it"
          )
          isDone(yield* reserve(seats[0], user))
          isError(yield* confirm(seats[0], newUser()), 409, notReserved)
          const card = randomUUID()
          const repeats = yield* Effect.all(
            Array.from({ length: 20 }, () => confirm(seats[0], user, card)),
            { concurrency: "unbounded" }
          )
          repeats.forEach(isDone)
          isDone(yield* confirm(seats[0], user))
          assert.strictEqual((yield* shop.availability(event.id)).unavailable[seats[0]!], "sold")
          isError(yield* confirm(seats[0], newUser()), 409, notReserved)
          isError(yield* reserve(seats[0], user), 409, notAvailable)
          isError(yield* confirm(randomUUID(), user), 409, notReserved)
          isError(yield* confirm(unknownSeat, user), 409, notReserved)
          yield* mailTo(`${user}@users.example.org`)
          const sales = yield* shop.organise(event.id, "/sales")
          assert.deepInclude((sales.json as { sales: ReadonlyArray<object> }).sales[0], {
            orders: 1,
            amount: 35_000
          })
          yield* Service.assertAudited(service)
        })
    )

    it.effect("confirm: 400 for a payment method that is declined; another one still pays", () =>
      Effect.gen(function* () {
        const { confirm, open, reserve } = yield* World
        const { seats } = yield* open()
        const user = newUser()
        isDone(yield* reserve(seats[0], user))
        isError(yield* confirm(seats[0], user, CompatWorld.declinedMethod), 400, invalid)
        isDone(yield* confirm(seats[0], user, CompatWorld.pendingMethod))
      })
    )

    it.effect("search: 200, 400 for a page or a size that there cannot be", () =>
      Effect.gen(function* () {
        const { get, open } = yield* World
        const { event } = yield* open({ name: "Zwiegesang im Zwielicht" })
        const search = (query: string) => get(`/api/v1/search/events${query}`)
        const reply = yield* pollUntil(search("?q=zweigesang&page=1&size=100"), ({ text }) =>
          text.includes(event.id)
        )
        assert.strictEqual(reply.status, 200, reply.text)
        const body = Schema.decodeUnknownSync(FoundEvents)(reply.json)
        assert.deepStrictEqual(Object.keys(body).sort(), ["events", "page", "size", "total"])
        assert.strictEqual(body.size, 100)
        const found = body.events.find(({ uuid }) => uuid === event.id)
        assert.strictEqual(found?.location, "Berlin")
        assert.match(found?.date ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
        assert.deepInclude(Schema.decodeUnknownSync(FoundEvents)((yield* search("")).json), {
          page: 1,
          size: 10
        })
        for (const query of [
          "?size=0",
          "?size=101",
          "?page=0",
          "?page=x",
          "?size=1e1",
          "?size=+1",
          "?q=a&q=b",
          "?page=1&page=1"
        ]) {
          isError(yield* search(query), 400, invalid)
        }
      })
    )
  })

  describe("C, general admission", () => {
    it.effect("201: the booking, with its tickets; the mail goes where the token says", () =>
      Effect.gen(function* () {
        const { book, open, token } = yield* World
        const { event } = yield* open()
        const email = `${randomUUID()}@example.org`
        const reply = yield* book(yield* token(randomUUID(), email), {
          event_id: event.id,
          quantity: 2
        })
        assert.strictEqual(reply.status, 201, reply.text)
        const body = Schema.decodeUnknownSync(Booking)(reply.json)
        assert.strictEqual(body.event_id, event.id)
        assert.strictEqual(body.quantity, 2)
        assert.lengthOf(body.tickets, 2)
        assert.strictEqual(reply.headers["ratelimit-policy"], '"bookings";q=10;w=60')
        yield* mailTo(email)
      })
    )

    it.effect("401: no token, or one that does not hold", () =>
      Effect.gen(function* () {
        const { book, open, token } = yield* World
        const { event } = yield* open()
        const body = { event_id: event.id, quantity: 1 }
        const good = yield* token(randomUUID())
        for (const one of [null, "x", "a.b.c", `${good.slice(0, -4)}AAAA`, Service.organiserKey]) {
          const reply = yield* book(one, body)
          isError(reply, 401, "A bearer token is needed")
          assert.strictEqual(reply.headers["www-authenticate"], "Bearer")
        }
      })
    )

    it.effect("409: sold out", () =>
      Effect.gen(function* () {
        const { book, open, token } = yield* World
        const { event } = yield* open()
        const statuses: Array<number> = []
        // Four places in one area and three in the other.
        for (const quantity of [3, 3, 2, 1]) {
          const reply = yield* book(yield* token(randomUUID()), { event_id: event.id, quantity })
          statuses.push(reply.status)
          if (reply.status === 409) isError(reply, 409, "Sold out")
        }
        assert.deepStrictEqual(statuses, [201, 201, 409, 201])
      })
    )

    it.effect(
      "422: over the customer's limit for the event, and what is no booking; 404: no such event",
      () =>
        Effect.gen(function* () {
          const { book, open, token } = yield* World
          const { event } = yield* open({ maxPerCustomer: 3 })
          const ada = yield* token(randomUUID())
          assert.strictEqual((yield* book(ada, { event_id: event.id, quantity: 2 })).status, 201)
          isError(yield* book(ada, { event_id: event.id, quantity: 2 }), 422, /the limit is 3/)
          assert.strictEqual((yield* book(ada, { event_id: event.id, quantity: 1 })).status, 201)
          const bob = yield* token(randomUUID())
          for (const body of ["{", {}, { event_id: "x", quantity: 1 }, { event_id: event.id, quantity: 0 }]) {
            isError(yield* book(bob, body), 422, invalid)
          }
          isError(yield* book(bob, { event_id: makeEventId(1), quantity: 1 }), 404, "Event not found")
        })
    )

    it.effect("429: after ten requests a minute, for that customer alone", () =>
      Effect.gen(function* () {
        const { book, open, token } = yield* World
        const { event } = yield* open()
        const ada = yield* token(randomUUID())
        for (let request = 0; request < 10; request++) {
          assert.strictEqual((yield* book(ada, {})).status, 422)
        }
        const refused = yield* book(ada, { event_id: event.id, quantity: 1 })
        isError(refused, 429, /try again later/)
        assert.strictEqual(refused.headers["ratelimit-policy"], '"bookings";q=10;w=60')
        assert.match(String(refused.headers["ratelimit"]), /^"bookings";r=0;t=\d+$/)
        assert.isAbove(Number(refused.headers["retry-after"]), 0)
        assert.strictEqual(
          (yield* book(yield* token(randomUUID()), { event_id: event.id, quantity: 1 })).status,
          201
        )
      })
    )
  })
})
