/** Whatever is sent: the answer is a problem that tells what was wrong with it, nothing of ours, and nothing breaks. */
import { assert, describe, it } from "@effect/vitest"
import { Hold } from "@onsale/contracts/http/HoldsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { Effect, Random } from "effect"
import { connect } from "node:net"
import * as Fuzz from "./Fuzz.ts"
import type { Reply } from "./HttpCall.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"
import { purchases } from "./WrongPurchases.ts"
import { routes } from "./WrongRoutes.ts"
import { sale } from "./WrongSale.ts"
import { assertOldError, assertProblem, organiser, ours, plan, Wrong } from "./WrongWorld.ts"

const cases = [...purchases, ...routes, ...sale]

/** Sends bytes as they are, and answers with what came until the server closed. */
const sendRaw = (url: string, bytes: string) =>
  Effect.callback<string>((resume) => {
    const { hostname, port } = new URL(url)
    let heard = ""
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.setEncoding("utf8").on("data", (text: string) => {
      heard += text
    })
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(heard)))
    return Effect.sync(() => socket.destroy())
  })

const fuzzSeed = 20_261_121
const fuzzRequests = 500

describe("Wrong input", () => {
  it.layer(Wrong.layer, { timeout: 60_000, excludeTestServices: true })((it) => {
    it.effect(`is a 4xx problem with its own type (${cases.length} cases)`, () =>
      Effect.gen(function* () {
        const world = yield* Wrong
        const wrong: Array<string> = []
        for (const { call, name, status, type } of cases) {
          const reply = yield* world.shop.send(call(world))
          const got = assertProblem(reply, name)
          assert.isString(reply.headers["x-correlation-id"], name)
          if (reply.status !== status || got !== type) {
            wrong.push(`${name}: expected ${status} ${type}, got ${reply.status} ${got}`)
          }
        }
        assert.deepStrictEqual(wrong, [])
        yield* Service.assertNothingBroke(world.service)
      })
    )

    it.effect("that is no HTTP is a 4xx problem too, and closes the connection", () =>
      Effect.gen(function* () {
        const world = yield* Wrong
        for (const [bytes, status] of [
          ["GARBAGE\r\n\r\n", 400],
          ["BREW /coffee HTTP/1.1\r\nhost: x\r\n\r\n", 400],
          ["GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n", 400],
          ["GET / HTTP/1.1\r\nhost: x\r\nx-correlation-id: a\rset-cookie: b=c\r\n\r\n", 400],
          ["POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400],
          ["POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400],
          ["POST /api/v1/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400],
          [`GET /${"x".repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431]
        ] as const) {
          const heard = yield* sendRaw(world.shop.url, bytes)
          assert.match(heard, new RegExp(`^HTTP/1.1 ${status} `), bytes.slice(0, 60))
          assert.match(heard, /\r\ncontent-type: application\/problem\+json\r\n/i)
          assert.notMatch(heard, ours)
        }
        yield* Service.assertNothingBroke(world.service)
      })
    )

    it.effect("HEAD is answered as GET without a body", () =>
      Effect.gen(function* () {
        const { shop } = yield* Wrong
        const reply = yield* shop.send({ method: "HEAD", path: "/api/v1/events" })
        assert.strictEqual(reply.status, 200)
        assert.strictEqual(reply.text, "")
      })
    )

    it.effect("a correlation id that could do harm is replaced", () =>
      Effect.gen(function* () {
        const { shop } = yield* Wrong
        for (const given of ["<script>alert(1)</script>", "a b", "x".repeat(129), "a, b", "\u00e9"]) {
          const reply = yield* shop.send({ path: "/healthz", headers: { "x-correlation-id": given } })
          assert.match(String(reply.headers["x-correlation-id"]), /^[0-9a-f]{8}-[0-9a-f-]{27}$/)
        }
        const kept = yield* shop.send({ path: "/healthz", headers: { "x-correlation-id": "mine-1" } })
        assert.strictEqual(kept.headers["x-correlation-id"], "mine-1")
      })
    )

    it.effect("a key with another body is a 422, at holds, orders and refunds (INV-07)", () =>
      Effect.gen(function* () {
        const world = yield* Wrong
        const { event, shop } = world
        const first = yield* shop.tryHold(event.id, { bestAvailable: { quantity: 3 } }, "key-1")
        const again = yield* shop.tryHold(event.id, { bestAvailable: { quantity: 3 } }, "key-1")
        assert.deepStrictEqual(again.json, first.json)
        const other = yield* shop.tryHold(event.id, { bestAvailable: { quantity: 2 } }, "key-1")
        assert.strictEqual(other.status, 422)
        assert.strictEqual(assertProblem(other, "hold"), "idempotency-key-reused")

        const hold = yield* Shop.expect(201, Hold)(first)
        const placed = yield* shop.tryOrder(hold.id, "tok_ok", { key: "key-2" })
        assert.deepStrictEqual((yield* shop.tryOrder(hold.id, "tok_ok", { key: "key-2" })).json, placed.json)
        const reused = yield* shop.tryOrder(hold.id, "tok_ok", { key: "key-2", email: "other@example.org" })
        assert.strictEqual(assertProblem(reused, "order"), "idempotency-key-reused")

        const order = yield* Shop.expect(201, Order)(placed)
        const refund = yield* shop.refund(order.id, { reason: "one" }, "key-3")
        assert.strictEqual(refund.status, 201)
        const refunded = yield* shop.refund(order.id, { reason: "two" }, "key-3")
        assert.strictEqual(assertProblem(refunded, "refund"), "idempotency-key-reused")
        yield* Service.assertNothingBroke(world.service)
      })
    )

    it.effect("the same key at the same time gives the same answer, or a 409 (INV-07)", () =>
      Effect.gen(function* () {
        const world = yield* Wrong
        const { event, shop } = world
        const parallel = <E, R>(one: Effect.Effect<Reply, E, R>) =>
          Effect.all(
            Array.from({ length: 20 }, () => one),
            { concurrency: "unbounded" }
          )
        const oneOf = (replies: ReadonlyArray<Reply>, what: string) => {
          const won = replies.filter(({ status }) => status === 201)
          for (const reply of replies) {
            if (reply.status !== 201) assert.strictEqual(assertProblem(reply, what), "idempotency-key-in-use")
          }
          assert.isAbove(won.length, 0, what)
          assert.lengthOf(new Set(won.map(({ text }) => text)), 1, what)
          return won[0] ?? assert.fail(what)
        }
        const held = oneOf(
          yield* parallel(shop.tryHold(event.id, { bestAvailable: { quantity: 2 } }, "parallel")),
          "holds"
        )
        const { id } = yield* Shop.expect(201, Hold)(held)
        oneOf(yield* parallel(shop.tryOrder(id, "tok_ok", { key: "parallel" })), "orders")
        yield* Service.assertNothingBroke(world.service)
      })
    )

    it.effect("names of any letters are taken, printed and mailed", () =>
      Effect.gen(function* () {
        const world = yield* Wrong
        const { event, shop } = world
        const names = [
          "\u0000",
          "\ud800",
          "\u202e\u0007x",
          "👩‍👩‍👧‍👦 محمد",
          "Robert'); DROP TABLE orders;--",
          "=cmd|' /C calc'!A0"
        ]
        for (const [n, name] of names.entries()) {
          const hold = yield* shop.hold(event.id, { bestAvailable: { quantity: 1 } })
          const reply = yield* shop.send({
            path: "/api/v1/orders",
            headers: { "idempotency-key": `name-${n}` },
            body: {
              holdId: hold.id,
              customer: { name, email: "any@example.org" },
              payment: { method: "tok_ok" }
            }
          })
          // U+0000 cannot be stored.
          if (reply.status === 400) {
            assertProblem(reply, name)
            continue
          }
          const order = yield* Shop.expect(201, Order)(reply)
          assert.strictEqual((yield* shop.pdf(order.id)).status, 200)
        }
        yield* Service.assertNothingBroke(world.service)
      })
    )

    it.effect(`of any kind is never a 5xx: ${fuzzRequests} random requests (seed ${fuzzSeed})`, () =>
      Effect.gen(function* () {
        const world = yield* Wrong
        const { event, hold, order, seats, shop } = world
        const whole = yield* Effect.flatMap(
          shop.send({ path: "/openapi.json" }),
          Shop.expect(200, Fuzz.Document)
        )
        // A stream does not end.
        const endless = "/api/v1/events/{eventId}/availability/stream"
        const document = {
          ...whole,
          paths: Object.fromEntries(Object.entries(whole.paths).filter(([path]) => path !== endless))
        }
        const known: Fuzz.Known = {
          eventId: [event.id, world.other.id],
          venueId: [event.venue.id],
          venue: [event.venue.id],
          holdId: [hold.id],
          orderId: [order.id],
          ticketId: [order.tickets[0]?.id ?? ""],
          tickets: order.tickets.map(({ id }) => id),
          seats: seats.slice(200, 260),
          areaId: [world.area],
          tier: event.tiers.map(({ id }) => id),
          "idempotency-key": Array.from({ length: 200 }, (_, n) => `fuzz-${n}`),
          email: ["ada@example.org"],
          method: ["tok_ok", "tok_declined", "tok_3ds"],
          provider: ["sandbox"],
          timeZone: ["Europe/Berlin"],
          from: ["2026-01-01T00:00:00Z"],
          to: ["2030-01-01T00:00:00Z"],
          startsAt: ["2027-01-01T20:00:00Z"],
          onSaleAt: ["2026-01-01T00:00:00Z"],
          saleEndsAt: ["2027-01-01T20:00:00Z"],
          currency: ["EUR"],
          content: [plan],
          uuid: [event.id],
          event_id: [world.other.id],
          seatId: seats.slice(260, 280),
          ticket_uuid: seats.slice(280, 300),
          page: ["1"],
          size: ["10"],
          q: ["opera"]
        }
        const statuses = new Map<number, number>()
        for (let n = 0; n < fuzzRequests; n++) {
          const call = yield* Fuzz.request(document, known)
          const reply = yield* shop.send({ ...call, headers: { ...organiser, ...call.headers } })
          statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1)
          const told = `request ${n}: ${JSON.stringify(call).slice(0, 600)}`
          if (reply.status >= 400) {
            if (call.path.startsWith("/compat/")) assertOldError(reply, told)
            // What a reader of a mail sees is a page.
            else if (call.path.startsWith("/api/v1/unsubscribe/") && reply.status === 404) {
              assert.match(
                reply.headers["content-type"] ?? "",
                /^(text\/html|application\/problem\+json)/,
                told
              )
            } else assertProblem(reply, told)
          } else assert.isAtLeast(reply.status, 200, told)
        }
        // It got behind the front door.
        const done = [...statuses].reduce((sum, [status, count]) => sum + (status < 300 ? count : 0), 0)
        assert.isAbove(done, fuzzRequests / 5, JSON.stringify([...statuses]))
        yield* Service.assertNothingBroke(world.service)
      }).pipe(Random.withSeed(fuzzSeed))
    )
  })
})
