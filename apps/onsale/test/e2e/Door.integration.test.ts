/** The door, from the PDF that a buyer is sent to the conflict of two gates: over HTTP, RPC and the command line. */
import { assert, describe, it } from "@effect/vitest"
import { CheckInCounts, ConflictPage, DoorKeys, ScanReports } from "@onsale/contracts/http/CheckInsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import type { EventId, OrderId, TicketId } from "@onsale/contracts/Ids"
import { Door } from "@onsale/door/Door"
import { decode, encode } from "@onsale/notifications/Base32"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect, Random } from "effect"
import type { Reply } from "./HttpCall.ts"
import * as RenderedQr from "./RenderedQr.ts"
import * as RpcClients from "./RpcClients.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"
import * as TicketQr from "./TicketQr.ts"

const key = { authorization: `Bearer ${Service.organiserKey}` }
const plan = "section,row,seat_from,seat_to,quantity,price\nStalls,A,1,400,,45.00"

const isProblem = (reply: Reply, status: number, type: string, more: object = {}) => {
  assert.strictEqual(reply.status, status, reply.text)
  assert.deepInclude(reply.json, { type: `urn:onsale:problem:${type}`, status, ...more })
}

/** What staff and holders of tickets do. */
const doorAt = (shop: Shop.Shop, eventId: EventId) => {
  const organiser = (path: string) =>
    shop.send({ path: shop.api(`/organiser/events/${eventId}${path}`), headers: key })
  return {
    checkIn: (body: object, headers: Readonly<Record<string, string>> = {}) =>
      shop.send({ path: shop.api("/checkins"), body, headers }),
    bundle: (etag?: string) =>
      shop.send({
        path: shop.api(`/organiser/events/${eventId}/door-bundle`),
        headers: { ...key, ...(etag === undefined ? {} : { "if-none-match": etag }) }
      }),
    keys: Effect.map(
      Effect.flatMap(
        shop.send({ path: shop.api("/organiser/door-keys"), headers: key }),
        Shop.expect(200, DoorKeys)
      ),
      ({ keys }) => keys
    ),
    upload: (body: object) =>
      Effect.flatMap(
        shop.send({ path: shop.api(`/organiser/events/${eventId}/scans`), headers: key, body }),
        Shop.expect(200, ScanReports)
      ),
    conflicts: Effect.flatMap(organiser("/scans/conflicts"), Shop.expect(200, ConflictPage)),
    counts: Effect.flatMap(organiser("/checkins"), Shop.expect(200, CheckInCounts)),
    reissue: (orderId: OrderId, ticketId: TicketId, body?: object, idempotencyKey = Shop.newKey()) =>
      shop.send({
        path: shop.api(
          `/orders/${orderId}/tickets/${ticketId}/${body === undefined ? "reissue" : "transfer"}`
        ),
        headers: { "idempotency-key": idempotencyKey },
        method: "POST",
        ...(body === undefined ? {} : { body })
      })
  }
}

/** An event with so many tickets of random seats, ten an order. */
const sell = Effect.fnUntraced(function* (shop: Shop.Shop, tickets: number) {
  const venue = yield* shop.importPlan("csv", plan)
  const event = yield* shop.openEvent(venue)
  const { sections } = yield* shop.seatMap(event.id)
  const all = sections.flatMap(({ rows }) => rows.flatMap(({ seats }) => seats.map(({ id }) => id)))
  const seats = (yield* Random.shuffle(all)).slice(0, tickets)
  const orders = yield* Effect.forEach(
    Array.from({ length: Math.ceil(tickets / 10) }, (_, i) => seats.slice(i * 10, i * 10 + 10)),
    (seats) =>
      shop.hold(event.id, { seats }).pipe(
        Effect.flatMap(({ id }) => shop.tryOrder(id, "tok_ok")),
        Effect.flatMap(Shop.expect(201, Order))
      ),
    { concurrency: 2 }
  )
  return { event, orders }
})

const ticketOf = (order: typeof Order.Type, place = 0) => {
  const ticket = order.tickets[place]
  assert.isDefined(ticket)
  return { ...ticket, code: ticket.code ?? "" }
}

/** Flips a bit of what the code is made of. */
const withBit = (code: string, byte: number, bit: number): string => {
  const bytes = decode(code)
  assert.isDefined(bytes)
  bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit)
  return encode(bytes)
}

/** What a code consists of, by its bytes in format 1. */
const parts = {
  format: [0, 1],
  event: [1, 14],
  ticket: [14, 30],
  version: [30, 32],
  signature: [32, 96]
} as const

const keyHeader = (serviceKey: string) => ({ authorization: `Bearer ${serviceKey}` })

describe("The door", () => {
  it.live(
    "codes of 200 random tickets, read from their drawn pages, hold without network; a changed byte is forged; a refunded ticket is cancelled with the next bundle",
    () =>
      Effect.gen(function* () {
        const service = yield* Service.start()
        const shop = Shop.at(service.url)
        const { event, orders } = yield* sell(shop, 200)
        const door = doorAt(shop, event.id)
        const trustedKeys = yield* door.keys

        // --- every page of every order, as pictures
        const drawn = yield* Effect.forEach(orders, ({ id }) =>
          Effect.flatMap(shop.pdf(id), ({ body }) => RenderedQr.read(body))
        )
        const codes = drawn.flat()
        assert.deepStrictEqual(
          codes,
          orders.flatMap(({ tickets }) => tickets.map(({ code }) => code ?? ""))
        )
        assert.strictEqual(new Set(codes).size, 200)

        const first = yield* door.bundle()
        assert.strictEqual(first.status, 200, first.text)
        assert.strictEqual(first.headers["content-type"], "application/jose")
        const open = () => Effect.promise(() => Door.open({ jws: first.text, trustedKeys }))
        const verify = (gate: Door, code: string, now = Date.parse(event.startsAt)) =>
          Effect.promise(() => gate.verify(code, { gate: "North", now }))
        const gate = yield* open()
        assert.strictEqual(gate.bundle.event.name, event.name)
        assert.deepStrictEqual(
          gate.bundle.tiers.map(({ admitted, name, refunded, valid }) => ({
            admitted,
            name,
            refunded,
            valid
          })),
          [{ admitted: 0, name: "Every seat", refunded: 0, valid: 200 }]
        )

        // --- one random bit of each part of each code, and every bit of one
        let forged = 0
        const isForged = (code: string, byte: number, bit: number) =>
          Effect.map(verify(gate, withBit(code, byte, bit)), ({ result }) => {
            assert.strictEqual(result, "forged", `bit ${bit} of byte ${byte} of ${code}`)
            forged++
          })
        for (const code of codes) {
          for (const [from, to] of Object.values(parts)) {
            const byte = yield* Random.nextIntBetween(from, to - 1)
            yield* isForged(code ?? "", byte, yield* Random.nextIntBetween(0, 7))
          }
        }
        for (let byte = 0; byte < parts.signature[1]; byte++) {
          for (let bit = 0; bit < 8; bit++) yield* isForged(codes[0] ?? "", byte, bit)
        }
        assert.strictEqual(forged, 200 * 5 + 96 * 8)

        // --- refunded: one bundle later it is cancelled
        const [order] = orders
        assert.isDefined(order)
        const refunded = ticketOf(order)
        const refund = yield* shop.refund(order.id, { tickets: [refunded.id], reason: "ill" })
        assert.strictEqual(refund.status, 201, refund.text)
        assert.deepInclude(yield* verify(yield* open(), refunded.code), { result: "admitted" })
        const { etag = "" } = first.headers
        const second = yield* door.bundle(etag)
        assert.strictEqual(second.status, 200)
        assert.strictEqual((yield* door.bundle(second.headers.etag)).status, 304)
        yield* Effect.promise(() => gate.refresh(second.text))
        assert.deepInclude(yield* verify(gate, refunded.code), { result: "cancelled", reason: "refunded" })

        // --- every other one admits, once
        for (const code of codes) {
          if (code === refunded.code || code === undefined) continue
          const admitted = yield* verify(gate, code)
          assert.strictEqual(admitted.result, "admitted")
          assert.strictEqual((yield* verify(gate, code)).result, "used")
        }

        // --- and all of them are told of at once, and are inside for everybody
        const upload = yield* Effect.promise(() => gate.upload(Date.parse(event.startsAt)))
        assert.strictEqual(upload?.scans.length, 199)
        const { scans } = yield* door.upload({ ...upload, clockMs: 0 })
        assert.deepStrictEqual(new Set(scans.map(({ result }) => result)), new Set(["admitted"]))
        yield* Effect.promise(() => gate.settle(scans))
        assert.isNull(yield* Effect.promise(() => gate.upload(0)))
        assert.deepInclude(yield* door.counts, { admitted: 199, conflicts: 0 })
        isProblem(yield* door.checkIn({ code: codes[42], gate: "South" }), 409, "ticket-used")
        const third = yield* door.bundle(second.headers.etag)
        const late = yield* Effect.promise(() => Door.open({ jws: third.text, trustedKeys }))
        for (const code of codes) {
          const { result } = yield* verify(late, code ?? "")
          assert.strictEqual(result, code === refunded.code ? "cancelled" : "used")
        }
        yield* Effect.logInfo(`${codes.length} codes read, ${forged} changes forged`)
        yield* Service.assertAudited(service)
        yield* Service.assertNothingBroke(service)
      }),
    600_000
  )

  it.live(
    "admits online once, settles what gates tell later, gives tickets on, and shows it to the organiser",
    () =>
      Effect.gen(function* () {
        const service = yield* Service.start()
        const shop = Shop.at(service.url)
        const { event, orders } = yield* sell(shop, 10)
        const { event: other, orders: others } = yield* sell(shop, 1)
        const door = doorAt(shop, event.id)
        const trustedKeys = yield* door.keys
        const [order] = orders
        const [otherOrder] = others
        assert.isDefined(order)
        assert.isDefined(otherOrder)
        const open = Effect.flatMap(door.bundle(), ({ text }) =>
          Effect.promise(() => Door.open({ jws: text, trustedKeys }))
        )
        const offline = yield* open
        const verify = (gate: Door, code: string, name: string, now: number) =>
          Effect.promise(() => gate.verify(code, { gate: name, now, event: event.id }))

        // --- online
        const a = ticketOf(order, 0)
        const asked = { code: a.code, gate: "North", eventId: event.id, scanId: "scan-1" }
        const admitted = yield* door.checkIn(asked)
        assert.strictEqual(admitted.status, 200, admitted.text)
        assert.deepInclude(admitted.json, {
          result: "admitted",
          ticketId: a.id,
          eventId: event.id,
          label: a.label,
          holder: "Ada Lovelace",
          gate: "North"
        })
        assert.deepStrictEqual((yield* door.checkIn(asked)).json, admitted.json)
        isProblem(yield* door.checkIn({ code: a.code, gate: "South" }), 409, "ticket-used", {
          ticketId: a.id,
          gate: "North"
        })
        isProblem(yield* door.checkIn({ code: withBit(a.code, 40, 3), gate: "North" }), 422, "code-forged")
        isProblem(yield* door.checkIn({ code: "not a code", gate: "North" }), 422, "code-forged")
        isProblem(yield* door.checkIn({ ...asked, eventId: other.id }), 422, "wrong-event", {
          eventId: event.id
        })
        isProblem(yield* door.checkIn({ code: a.code }), 400, "request-invalid")
        const refused = yield* shop.refund(order.id, { tickets: [a.id], reason: "ill" })
        isProblem(refused, 409, "tickets-used", {
          tickets: [a.id],
          detail: "The tickets were used at the door."
        })
        isProblem(yield* door.reissue(order.id, a.id), 409, "not-reissuable", {
          reason: "used",
          detail: "It was used at the door."
        })

        // --- given on, and lost
        const b = ticketOf(order, 1)
        const holder = { name: "Grace Hopper", email: `${Shop.newKey()}@example.org` }
        const idempotencyKey = Shop.newKey()
        const transferred = yield* door.reissue(order.id, b.id, holder, idempotencyKey)
        const given = yield* Shop.expect(200, Order)(transferred)
        // Whoever gives a ticket away does not keep what opens the door.
        assert.deepInclude(given.tickets[1], {
          id: b.id,
          holder: "Grace Hopper",
          status: "valid",
          code: null
        })
        assert.deepStrictEqual(
          (yield* door.reissue(order.id, b.id, holder, idempotencyKey)).json,
          transferred.json
        )
        for (const what of ["ticket.pdf", "pass.pkpass", "google-wallet"]) {
          const path = shop.api(`/tickets/${b.id}/${what}`)
          isProblem(yield* shop.send({ path }), 409, "ticket-not-valid", {
            detail: "It is valid, and was given to another person: it is in the letter to its holder."
          })
        }
        isProblem(yield* door.checkIn({ code: b.code, gate: "North" }), 409, "code-replaced")
        // Nobody loses what they never had: whoever has not got it yet is given it by the newer code.
        yield* pollUntil(shop.mailsTo(holder.email), ({ mails }) =>
          mails.some(({ subject }) => subject.startsWith("A ticket for"))
        )
        const lost = yield* Effect.flatMap(door.reissue(order.id, b.id), Shop.expect(200, Order))
        assert.deepInclude(ticketOf(lost, 1), { holder: "Grace Hopper" })
        assert.deepStrictEqual(
          yield* Effect.flatMap(shop.pdf(order.id), ({ body }) => RenderedQr.read(body)),
          lost.tickets.flatMap(({ code }) => code ?? [])
        )
        assert.strictEqual(lost.tickets.filter(({ code }) => code === null).length, 1)
        assert.deepInclude((yield* shop.send({ path: shop.api(`/tickets/${b.id}`) })).json, { code: null })
        const { mails } = yield* pollUntil(shop.mailsTo(holder.email), ({ mails }) =>
          mails.some(({ subject }) => subject.startsWith("Your new ticket"))
        )
        const [newest] = mails.filter(({ subject }) => subject.startsWith("Your new ticket"))
        const pdf = newest?.attachments.find(({ contentType }) => contentType === "application/pdf")
        const codes = TicketQr.codes((yield* shop.send({ path: pdf?.url ?? "" })).body)
        assert.strictEqual(codes.length, 1)
        const written = yield* shop.send({ path: `/dev/mail/${newest?.id}/raw` })
        assert.notInclude(written.text, order.id)
        const [code = ""] = codes
        assert.deepInclude((yield* door.checkIn({ code, gate: "North" })).json, {
          ticketId: b.id,
          holder: "Grace Hopper"
        })
        isProblem(yield* door.reissue(order.id, ticketOf(otherOrder).id), 404, "ticket-not-found")
        yield* Effect.flatMap(
          door.reissue(otherOrder.id, ticketOf(otherOrder).id, holder),
          Shop.expect(200, Order)
        )
        isProblem(yield* shop.pdf(otherOrder.id), 409, "tickets-not-ready", {
          detail: "All of its tickets were given to other people: each is in the letter to its holder."
        })
        isProblem(yield* door.reissue(order.id, b.id, { name: "", email: "nobody" }), 400, "request-invalid")

        // --- two gates without network, of which one is twenty seconds ahead; times are the service's own
        const startMs = Date.parse(lost.updatedAt)
        const c = ticketOf(order, 2)
        const south = yield* open
        const west = yield* open
        assert.deepInclude(yield* verify(offline, a.code, "West", startMs), { result: "admitted" })
        assert.deepInclude(yield* verify(south, a.code, "South", startMs), { result: "used" })
        assert.deepInclude(yield* verify(south, b.code, "South", startMs), {
          result: "cancelled",
          reason: "replaced"
        })
        assert.deepInclude(yield* verify(south, ticketOf(otherOrder).code, "South", startMs), {
          result: "wrong event",
          eventId: other.id
        })
        assert.deepInclude(yield* verify(south, c.code, "South", startMs - 1), { result: "admitted" })
        assert.deepInclude(yield* verify(west, c.code, "West", startMs + 20_000 - 2), { result: "admitted" })
        const clockMs = (ahead: number) =>
          Effect.map(shop.send({ path: "/healthz" }), ({ headers }) => Date.parse(headers.date ?? "") + ahead)
        const tell = Effect.fnUntraced(function* (gate: Door, ahead: number) {
          const body = yield* Effect.promise(() => gate.upload(startMs))
          assert.isNotNull(body)
          const reports = yield* door.upload({ ...body, clockMs: yield* clockMs(ahead) })
          yield* Effect.promise(() => gate.settle(reports.scans))
          assert.isNull(yield* Effect.promise(() => gate.upload(startMs)))
          assert.deepStrictEqual(
            (yield* door.upload({ ...body, clockMs: yield* clockMs(ahead) })).scans.length,
            body.scans.length
          )
          return reports
        })
        const fromSouth = yield* tell(south, 0)
        assert.deepStrictEqual(
          fromSouth.scans.map(({ result }) => result),
          ["admitted"]
        )
        const fromWest = yield* tell(west, 20_000)
        assert.isBelow(fromWest.correctionMs ?? 0, -18_000)
        const { conflicts } = yield* door.conflicts
        assert.strictEqual(conflicts.length, 1)
        assert.deepInclude(conflicts[0], { ticketId: c.id, label: c.label, reason: "used" })
        yield* tell(offline, 0)

        // --- what the organiser sees
        const counts = yield* door.counts
        assert.strictEqual(counts.admitted, 3)
        assert.strictEqual(counts.conflicts, 2)
        const told = yield* Service.run(service, ["checkins", event.id, "--url", service.url], {
          PORT: "3000",
          ONSALE_ORGANISER_KEY: Service.organiserKey
        })
        assert.strictEqual(told.code, 0, told.stderr)
        assert.include(told.stdout, "3 admitted, 2 scans that let somebody in and do not count")
        assert.match(told.stdout, /North\s+2/)
        assert.include(told.stdout, c.id)
        assert.deepStrictEqual(ticketOf(yield* shop.order(order.id)).checkIn?.gate, "North")
        isProblem(
          yield* shop.send({ path: shop.api(`/organiser/events/${event.id}/door-bundle`) }),
          401,
          "unauthorized"
        )

        // --- the same over RPC
        const rpc = yield* RpcClients.make("WebSocket", service.url)
        const d = ticketOf(order, 3)
        assert.strictEqual((yield* rpc.CheckIn({ code: d.code, gate: "East" })).ticketId, d.id)
        const again = yield* Effect.flip(rpc.CheckIn({ code: d.code, gate: "East" }))
        assert.strictEqual(again._tag, "TicketUsed")

        yield* Service.assertAudited(service)
        yield* Service.assertNothingBroke(service)
      }),
    300_000
  )

  it.live(
    "asks for the door's key where it is set up so, over HTTP and RPC",
    () =>
      Effect.gen(function* () {
        const doorKey = "the-key-of-the-door-for-tests"
        const service = yield* Service.start({ env: { ONSALE_CHECKINS: "key", ONSALE_DOOR_KEY: doorKey } })
        const shop = Shop.at(service.url)
        const { event, orders } = yield* sell(shop, 3)
        const door = doorAt(shop, event.id)
        const [order] = orders
        assert.isDefined(order)
        const codes = order.tickets.map(({ code }) => code)
        isProblem(yield* door.checkIn({ code: codes[0], gate: "A" }), 401, "unauthorized")
        isProblem(
          yield* door.checkIn({ code: codes[0], gate: "A" }, keyHeader("another")),
          401,
          "unauthorized"
        )
        assert.strictEqual(
          (yield* door.checkIn({ code: codes[0], gate: "A" }, keyHeader(doorKey))).status,
          200
        )
        assert.strictEqual((yield* door.checkIn({ code: codes[1], gate: "A" }, key)).status, 200)
        const rpc = yield* RpcClients.make("HTTP", service.url)
        const refused = yield* Effect.flip(rpc.CheckIn({ code: codes[2] ?? "", gate: "A" }))
        assert.strictEqual(refused._tag, "Unauthorized")
        const admitted = yield* rpc.CheckIn(
          { code: codes[2] ?? "", gate: "A" },
          { headers: keyHeader(doorKey) }
        )
        assert.strictEqual(admitted.result, "admitted")
        yield* Service.assertNothingBroke(service)
      }),
    300_000
  )
})
