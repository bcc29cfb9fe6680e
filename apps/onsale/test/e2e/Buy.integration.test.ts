/** A ticket from the seat map's import to the mail, over HTTP alone; and every way a payment can end. */
import { assert, describe, it } from "@effect/vitest"
import { EventDetail } from "@onsale/contracts/catalog/Event"
import { Hold } from "@onsale/contracts/http/HoldsApi"
import { Order, Ticket } from "@onsale/contracts/http/OrdersApi"
import type { EventId, OrderId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Context, Effect, Layer, Schema } from "effect"
import * as HttpCall from "./HttpCall.ts"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"
import * as TicketQr from "./TicketQr.ts"

const price = 4500

class Arena extends Context.Service<
  Arena,
  {
    readonly shop: Shop.Shop
    readonly service: Service.Service
    readonly report: { readonly seats: number; readonly rows: number; readonly problems: number }
    readonly event: EventDetail
  }
>()("test/Arena") {
  static readonly layer = Layer.effect(
    Arena,
    Effect.gen(function* () {
      const service = yield* Service.start()
      const shop = Shop.at(service.url)
      const venue = yield* shop.importPlan("seatsio", SeatsioChart.make({ seats: SeatsioChart.arenaSeats }))
      const event = yield* shop.openEvent(venue)
      const { problemCount, rows, seats } = venue.report
      return { shop, service, event, report: { seats, rows, problems: problemCount } }
    })
  )
}

const best = (quantity: number) => ({ bestAvailable: { quantity } })

/** Until the order is no longer waiting for its payment. */
const settled = (shop: Shop.Shop, orderId: OrderId) =>
  pollUntil(shop.order(orderId), ({ status }) => status !== "payment_pending", { deadline: "30 seconds" })

/** The sandbox's address, and what it knows of an order, found by what the order paid. */
const chargesOf = Effect.fnUntraced(function* (origin: string, { dataDir }: Service.Service, method: string) {
  const { payments } = yield* Shop.ledger(origin, dataDir)
  return payments.filter((payment) => payment.method === method)
})

/** A payment that needs the buyer: where the sandbox asks for it. */
const startThreeDSecure = Effect.fnUntraced(function* (shop: Shop.Shop, eventId: EventId) {
  const hold = yield* shop.hold(eventId, best(1))
  const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_3ds"), Shop.expect(202, Order))
  const url = order.nextAction?.url ?? assert.fail("a next action was expected")
  return { hold, order, page: new URL(url) }
})

const answerPage = (page: URL, approve: boolean) =>
  HttpCall.send(page.origin, {
    path: page.pathname,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: `approve=${approve}`
  })

describe("Buy a ticket", () => {
  it.layer(Arena.layer, { timeout: 60_000, excludeTestServices: true })((it) => {
    it.effect("imports the arena whole and puts every seat on sale", () =>
      Effect.gen(function* () {
        const { event, report, shop } = yield* Arena
        assert.deepStrictEqual(report, { seats: SeatsioChart.arenaSeats, rows: 132, problems: 0 })
        const map = yield* shop.seatMap(event.id)
        assert.strictEqual(
          map.sections.flatMap(({ rows }) => rows.flatMap(({ seats }) => seats)).length,
          SeatsioChart.arenaSeats
        )
        const { seats, unavailable } = yield* shop.availability(event.id)
        assert.deepStrictEqual(seats, {
          total: SeatsioChart.arenaSeats,
          available: SeatsioChart.arenaSeats,
          held: 0,
          sold: 0
        })
        assert.deepStrictEqual(unavailable, {})
        const listed = yield* Effect.flatMap(
          shop.send({ path: shop.api("/events") }),
          Shop.expect(200, Schema.Struct({ events: Schema.Array(Schema.Struct({ id: Schema.String })) }))
        )
        assert.include(
          listed.events.map(({ id }) => id),
          event.id
        )
        yield* Effect.flatMap(
          shop.send({ path: shop.api(`/events/${event.id}`) }),
          Shop.expect(200, EventDetail)
        )
      })
    )

    it.effect(
      "holds four seats side by side and two by id, sells them, and mails a PDF whose codes open doors",
      () =>
        Effect.gen(function* () {
          const { event, shop } = yield* Arena
          const map = yield* shop.seatMap(event.id)
          const rows = map.sections.flatMap((section) => section.rows)
          const email = "four.and.two@example.org"

          const four = yield* shop.hold(event.id, best(4))
          const row = rows.find(({ seats }) => seats.some(({ id }) => id === four.seats[0]?.seatId))
          const places = four.seats
            .map(({ seatId }) => row?.seats.findIndex(({ id }) => id === seatId) ?? -1)
            .sort((a, b) => a - b)
          assert.notInclude(places, -1, "all four are in one row")
          assert.deepStrictEqual(
            places,
            Array.from({ length: 4 }, (_, i) => (places[0] ?? 0) + i),
            "and next to each other"
          )
          assert.deepStrictEqual(four.total, { amount: 4 * price, currency: "EUR" })

          const wanted = rows
            .at(-1)
            ?.seats.slice(0, 2)
            .map(({ id }) => id)
          const two = yield* shop.hold(event.id, { seats: wanted ?? [] })
          assert.deepStrictEqual(
            two.seats.map(({ seatId }) => seatId),
            wanted
          )
          const held = yield* shop.availability(event.id)
          for (const { seatId } of [...four.seats, ...two.seats]) {
            assert.strictEqual(held.unavailable[seatId], "held")
          }

          for (const hold of [four, two]) {
            const placed = yield* Effect.flatMap(
              shop.tryOrder(hold.id, "tok_ok", { email }),
              Shop.expect(201, Order)
            )
            assert.strictEqual(placed.status, "confirmed")
            const order = yield* shop.order(placed.id)
            assert.deepStrictEqual(order, placed)
            assert.deepStrictEqual(
              order.tickets.map(({ seatId }) => seatId),
              hold.seats.map(({ seatId }) => seatId)
            )
            assert.deepStrictEqual(order.payment, { status: "captured", provider: "sandbox" })
            const sold = yield* shop.availability(event.id)
            for (const { seatId } of hold.seats) assert.strictEqual(sold.unavailable[seatId], "sold")
            for (const ticket of order.tickets) {
              const one = yield* Effect.flatMap(
                shop.send({ path: shop.api(`/tickets/${ticket.id}`) }),
                Shop.expect(200, Ticket)
              )
              assert.deepStrictEqual(one, ticket)
            }

            const pdf = yield* shop.pdf(order.id)
            assert.strictEqual(pdf.status, 200)
            assert.strictEqual(pdf.headers["content-type"], "application/pdf")
            assert.deepStrictEqual(TicketQr.structure(pdf.body), { pages: order.tickets.length })
            const codes = order.tickets.map(({ code }) => code ?? "")
            assert.deepStrictEqual(TicketQr.codes(pdf.body), codes)
            const again = yield* shop.send({
              path: shop.api(`/orders/${order.id}/tickets.pdf`),
              headers: { "if-none-match": pdf.headers["etag"] ?? "" }
            })
            assert.deepStrictEqual([again.status, again.text], [304, ""])

            const { mails } = yield* pollUntil(shop.mailsTo(email), ({ mails }) =>
              mails.some(({ messageId }) => messageId.includes(order.id))
            )
            const mail = mails.find(({ messageId }) => messageId.includes(order.id)) ?? assert.fail()
            assert.deepStrictEqual(mail.to, [`Ada Lovelace <${email}>`])
            const attached = mail.attachments.find(({ contentType }) => contentType === "application/pdf")
            const mailed = yield* shop.send({ path: attached?.url ?? "" })
            assert.deepStrictEqual(TicketQr.codes(mailed.body), codes)
          }
        })
    )

    it.effect("says what is free at once to whoever has changed it", () =>
      Effect.gen(function* () {
        const { event, shop } = yield* Arena
        const hold = yield* shop.hold(event.id, best(2))
        const read = yield* shop.availability(event.id)
        assert.isAtLeast(read.version, hold.version)
        const released = yield* shop.send({ method: "DELETE", path: shop.api(`/holds/${hold.id}`) })
        assert.strictEqual(released.status, 204)
        const { unavailable } = yield* shop.availability(event.id)
        for (const { seatId } of hold.seats) assert.isUndefined(unavailable[seatId])
        assert.strictEqual((yield* shop.holdOf(hold.id)).status, 404)
      })
    )

    it.effect("a declined payment is a 402, and the hold lives on for a new order", () =>
      Effect.gen(function* () {
        const { event, shop } = yield* Arena
        const hold = yield* shop.hold(event.id, best(2))
        const key = Shop.newKey()
        const declined = yield* shop.tryOrder(hold.id, "tok_declined", { key })
        const problem = yield* Shop.expect(402, Shop.Problem)(declined)
        assert.strictEqual(problem.type, "urn:onsale:problem:payment-declined")
        assert.strictEqual(problem.code, "card_declined")
        const again = yield* shop.tryOrder(hold.id, "tok_declined", { key })
        assert.deepStrictEqual(again.json, declined.json, "the same key has the same answer")
        yield* Effect.flatMap(shop.holdOf(hold.id), Shop.expect(200, Hold))
        const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok"), Shop.expect(201, Order))
        assert.deepStrictEqual(
          order.tickets.map(({ seatId }) => seatId),
          hold.seats.map(({ seatId }) => seatId)
        )
      })
    )

    it.effect("a payment whose answer never comes is charged once, and the order is confirmed", () =>
      Effect.gen(function* () {
        const { event, service, shop } = yield* Arena
        const { page } = yield* startThreeDSecure(shop, event.id)
        const hold = yield* shop.hold(event.id, best(2))
        const key = Shop.newKey()
        const placed = yield* shop.tryOrder(hold.id, "tok_timeout", { key })
        assert.include([201, 202], placed.status)
        const { id } = yield* Shop.expect(placed.status, Order)(placed)
        const order = yield* settled(shop, id)
        assert.strictEqual(order.status, "confirmed")
        const again = yield* shop.tryOrder(hold.id, "tok_timeout", { key })
        assert.strictEqual((yield* Shop.expect(again.status, Order)(again)).id, id)
        const charges = yield* chargesOf(page.origin, service, "tok_timeout")
        assert.deepStrictEqual(
          charges.map(({ captured, refunded, status }) => ({ captured, refunded, status })),
          [{ captured: 2 * price, refunded: 0, status: "captured" }]
        )
      })
    )

    it.effect("a payment that the provider fails to make charges nothing and leaves the order pending", () =>
      Effect.gen(function* () {
        const { event, service, shop } = yield* Arena
        const { page } = yield* startThreeDSecure(shop, event.id)
        const hold = yield* shop.hold(event.id, best(2))
        const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_error"), Shop.expect(202, Order))
        assert.strictEqual(order.status, "payment_pending")
        assert.deepStrictEqual(order.tickets, [])
        assert.deepStrictEqual(yield* chargesOf(page.origin, service, "tok_error"), [])
        const { type } = yield* Shop.problemOf(yield* shop.tryOrder(hold.id, "tok_ok"))
        assert.strictEqual(type, "urn:onsale:problem:hold-in-checkout")
      })
    )

    it.effect("3-D Secure: approved by the buyer, the order is confirmed", () =>
      Effect.gen(function* () {
        const { event, shop } = yield* Arena
        const { hold, order, page } = yield* startThreeDSecure(shop, event.id)
        const question = yield* HttpCall.send(page.origin, { path: page.pathname })
        assert.include(question.text, "Approve this payment?")
        assert.strictEqual((yield* answerPage(page, true)).status, 200)
        const confirmed = yield* settled(shop, order.id)
        assert.strictEqual(confirmed.status, "confirmed")
        assert.isUndefined(confirmed.nextAction)
        assert.deepStrictEqual(
          confirmed.tickets.map(({ seatId }) => seatId),
          hold.seats.map(({ seatId }) => seatId)
        )
      })
    )

    it.effect("3-D Secure: declined by the buyer, the order is declined and the hold lives on", () =>
      Effect.gen(function* () {
        const { event, shop } = yield* Arena
        const { hold, order, page } = yield* startThreeDSecure(shop, event.id)
        yield* answerPage(page, false)
        const declined = yield* settled(shop, order.id)
        assert.strictEqual(declined.status, "declined")
        assert.strictEqual(declined.reason, "authentication_failed")
        yield* pollUntil(shop.tryOrder(hold.id, "tok_ok"), ({ status }) => status === 201)
      })
    )

    it.effect("a payment that succeeds late, by webhook, confirms the order", () =>
      Effect.gen(function* () {
        const { event, shop } = yield* Arena
        const hold = yield* shop.hold(event.id, best(1))
        const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_late_1"), Shop.expect(202, Order))
        const confirmed = yield* settled(shop, order.id)
        assert.strictEqual(confirmed.status, "confirmed")
        assert.lengthOf(confirmed.tickets, 1)
      })
    )

    it.effect("refunds in part and in whole: money back, tickets refunded, seats free again", () =>
      Effect.gen(function* () {
        const { event, service, shop } = yield* Arena
        const { page } = yield* startThreeDSecure(shop, event.id)
        const hold = yield* shop.hold(event.id, best(3))
        const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok"), Shop.expect(201, Order))
        const [first] = order.tickets
        assert.isDefined(first)

        const key = Shop.newKey()
        const part = { tickets: [first.id], reason: "ill" }
        const partly = yield* Effect.flatMap(shop.refund(order.id, part, key), Shop.expect(201, Order))
        const repeated = yield* Effect.flatMap(shop.refund(order.id, part, key), Shop.expect(201, Order))
        assert.lengthOf(repeated.refunds, 1)
        assert.deepStrictEqual(partly.refunds[0]?.amount, { amount: price, currency: "EUR" })
        const one = yield* pollUntil(shop.order(order.id), ({ status }) => status === "partially_refunded")
        assert.deepStrictEqual(
          one.tickets.map(({ status }) => status),
          ["refunded", "valid", "valid"]
        )
        const after = yield* shop.availability(event.id)
        assert.deepStrictEqual(
          hold.seats.map(({ seatId }) => after.unavailable[seatId]),
          [undefined, "sold", "sold"]
        )
        assert.deepStrictEqual(
          TicketQr.codes((yield* shop.pdf(order.id)).body),
          one.tickets.slice(1).map(({ code }) => code ?? "")
        )

        yield* Effect.flatMap(shop.refund(order.id, { reason: "the rest" }), Shop.expect(201, Order))
        const all = yield* pollUntil(shop.order(order.id), ({ status }) => status === "refunded")
        assert.isTrue(all.tickets.every(({ status }) => status === "refunded"))
        const { unavailable } = yield* shop.availability(event.id)
        for (const { seatId } of hold.seats) assert.isUndefined(unavailable[seatId])
        const nothing = yield* shop.refund(order.id, { reason: "once more" })
        assert.strictEqual(nothing.status, 422)
        assert.strictEqual((yield* shop.pdf(order.id)).status, 409)

        const { payments } = yield* Shop.ledger(page.origin, service.dataDir)
        const paid = payments.filter(({ refunded }) => refunded > 0)
        assert.deepStrictEqual(
          paid.map(({ captured, refunded }) => ({ captured, refunded })),
          [{ captured: 3 * price, refunded: 3 * price }]
        )
        // The seats can be bought by somebody else.
        yield* shop.hold(event.id, { seats: hold.seats.map(({ seatId }) => seatId) })
      })
    )

    it.effect("leaves nothing broken behind", () =>
      Effect.gen(function* () {
        const { service } = yield* Arena
        yield* Service.assertNothingBroke(service)
        yield* Service.assertAudited(service)
      })
    )
  })
})
