/** What buyers and organisers get back, over HTTP alone: refund policies, organisers' refunds, cancelled events. */
import { assert, describe, it } from "@effect/vitest"
import { EventDetail } from "@onsale/contracts/catalog/Event"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { CancellationProgress } from "@onsale/contracts/http/RefundsApi"
import type { EventId, OrderId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect } from "effect"
import type { Reply } from "./HttpCall.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"
import * as TicketQr from "./TicketQr.ts"

const plan = "section,row,seat_from,seat_to,quantity,price\nStalls,A,1,40,,45.00"

const isProblem = (reply: Reply, status: number, type: string, more: object = {}) => {
  assert.strictEqual(reply.status, status, reply.text)
  assert.deepInclude(reply.json, { type: `urn:onsale:problem:${type}`, status, ...more })
}

const sellerAt = (shop: Shop.Shop) => ({
  buy: Effect.fnUntraced(function* (eventId: EventId, quantity: number, method = "tok_ok") {
    const hold = yield* shop.hold(eventId, { bestAvailable: { quantity } })
    return yield* shop.tryOrder(hold.id, method)
  }),
  /** As the organiser. */
  refundWhole: (orderId: OrderId, key = Shop.newKey()) =>
    shop.send({
      path: shop.api(`/organiser/orders/${orderId}/refunds`),
      headers: { authorization: `Bearer ${Service.organiserKey}`, "idempotency-key": key },
      body: { reason: "goodwill" }
    })
})

describe("What is given back", () => {
  it.live(
    "goes by the policy of the purchase, by the organiser's word, or is all of it where the event is cancelled",
    () =>
      Effect.gen(function* () {
        const service = yield* Service.start()
        const shop = Shop.at(service.url)
        const { buy, refundWhole } = sellerAt(shop)
        const venue = yield* shop.importPlan("csv", plan)
        const event = yield* shop.openEvent(venue, {
          tiers: [],
          currency: "EUR",
          organiser: "city-opera",
          refundPolicy: { hoursBeforeStart: 24, feeBasisPoints: 1_000, feeAmount: 50 }
        })

        // --- the policy is told before, and binds as it was at the purchase
        const shown = yield* Effect.flatMap(
          shop.send({ path: shop.api(`/events/${event.id}`) }),
          Shop.expect(200, EventDetail)
        )
        assert.deepInclude(shown.refundPolicy, { hoursBeforeStart: 24, feeBasisPoints: 1_000, feeAmount: 50 })
        assert.strictEqual(
          Date.parse(shown.startsAt) - Date.parse(shown.refundPolicy?.until ?? ""),
          24 * 3_600_000
        )
        const order = yield* Effect.flatMap(buy(event.id, 3), Shop.expect(201, Order))
        const [ticket] = order.tickets
        assert.isDefined(ticket)
        const printed = yield* shop.pdf(order.id)
        const part = yield* Effect.flatMap(
          shop.refund(order.id, { tickets: [ticket.id], reason: "ill" }),
          Shop.expect(201, Order)
        )
        // 4500 - 450 - 50
        assert.deepInclude(part.refunds[0], {
          amount: { amount: 4_000, currency: "EUR" },
          fee: { amount: 500, currency: "EUR" },
          cause: "customer"
        })
        // --- what is left can be printed, as another version; what was returned has neither page nor pass
        const left = order.tickets[1] ?? assert.fail()
        const ofTicket = (id: string, what: string) => shop.send({ path: shop.api(`/tickets/${id}/${what}`) })
        const changed = yield* shop.send({
          path: shop.api(`/orders/${order.id}/tickets.pdf`),
          headers: { "if-none-match": printed.headers["etag"] ?? "" }
        })
        assert.strictEqual(changed.status, 200)
        assert.deepStrictEqual(TicketQr.codes((yield* ofTicket(left.id, "ticket.pdf")).body), [
          left.code ?? assert.fail()
        ])
        isProblem(yield* ofTicket(ticket.id, "ticket.pdf"), 409, "ticket-not-valid", {
          detail: "It was refunded."
        })
        for (const pass of ["pass.pkpass", "google-wallet"]) {
          isProblem(yield* ofTicket(ticket.id, pass), 409, "ticket-not-valid")
          isProblem(yield* ofTicket(left.id, pass), 404, "wallet-not-configured")
        }

        const closed = yield* shop.organise(
          event.id,
          "/refund-policy",
          { until: "2026-01-01T00:00:00Z" },
          "PUT"
        )
        assert.strictEqual(closed.status, 200, closed.text)
        const later = yield* Effect.flatMap(buy(event.id, 2), Shop.expect(201, Order))
        const late = yield* shop.refund(later.id, { reason: "ill" })
        isProblem(late, 409, "refund-deadline-passed")
        assert.deepInclude(late.json, { deadline: "2026-01-01T00:00:00.000Z" })
        yield* Effect.flatMap(
          shop.refund(order.id, { tickets: [order.tickets[1]!.id], reason: "ill" }),
          Shop.expect(201, Order)
        )

        // --- the organiser may always, and all of it
        const key = Shop.newKey()
        const whole = yield* Effect.flatMap(refundWhole(later.id, key), Shop.expect(201, Order))
        assert.deepInclude(whole, { status: "refunded" })
        assert.deepInclude(whole.refunds[0], {
          amount: { amount: 9_000, currency: "EUR" },
          cause: "organiser"
        })
        assert.strictEqual((yield* refundWhole(later.id, key)).status, 201)
        isProblem(yield* refundWhole(later.id), 422, "not-refundable")
        assert.strictEqual(
          (yield* shop.send({ path: shop.api(`/organiser/orders/${later.id}/refunds`), body: {} })).status,
          401
        )
        const summed = '"currency":"EUR","orders":2,"tickets":5,"amount":22500,"refunded":17000,"kept":1000,'
        yield* pollUntil(shop.organise(event.id, "/sales"), ({ text }) => text.includes(summed))

        // --- a cancelled event
        isProblem(yield* shop.organise(event.id, "/refunds"), 404, "event-not-cancelled")
        const orders = yield* Effect.forEach(
          Array.from({ length: 8 }),
          () => Effect.flatMap(buy(event.id, 2), Shop.expect(201, Order)),
          { concurrency: 4 }
        )
        const underWay = yield* buy(event.id, 2, "tok_3ds")
        assert.strictEqual(underWay.status, 202, underWay.text)
        const held = yield* shop.hold(event.id, { bestAvailable: { quantity: 1 } })
        const cancelled = yield* Effect.flatMap(
          shop.organise(event.id, "/cancel", { reason: "The hall is flooded" }),
          Shop.expect(200, EventDetail)
        )
        assert.deepInclude(cancelled, { status: "cancelled" })
        const again = yield* Effect.flatMap(
          shop.organise(event.id, "/cancel", { reason: "Another reason" }),
          Shop.expect(200, EventDetail)
        )
        assert.deepStrictEqual(again, cancelled)
        isProblem(yield* shop.tryHold(event.id, { bestAvailable: { quantity: 1 } }), 409, "event-cancelled")
        isProblem(yield* shop.tryOrder(held.id, "tok_ok"), 409, "event-cancelled")
        assert.deepInclude((yield* shop.availability(event.id)).seats, { available: 0 })

        const progress = Effect.flatMap(
          shop.organise(event.id, "/refunds"),
          Shop.expect(200, CancellationProgress)
        )
        const through = yield* pollUntil(progress, ({ orders }) => orders.refunded === 9)
        assert.deepInclude(through, { reason: "The hall is flooded", eventId: event.id })
        assert.deepInclude(through.orders, { total: 9, pending: 0, stuck: 0, waiting: 0 })
        for (const { id } of orders) {
          const end = yield* shop.order(id)
          assert.strictEqual(end.status, "refunded")
          assert.deepInclude(end.refunds[0], {
            amount: { amount: 9_000, currency: "EUR" },
            fee: { amount: 0, currency: "EUR" },
            cause: "event_cancelled",
            reason: "The hall is flooded"
          })
        }
        // A buyer at the bank's page has time until the end of his checkout; the event is not finished before.
        assert.deepInclude(through, { finishedAt: null })
        assert.strictEqual(through.orders.unfinished, 1)

        const draft = yield* Effect.flatMap(
          shop.send({
            path: shop.api("/organiser/events"),
            headers: { authorization: `Bearer ${Service.organiserKey}` },
            body: { venueId: venue.id, name: "Draft", startsAt: "2030-01-01T20:00:00Z", currency: "EUR" }
          }),
          Shop.expect(201, EventDetail)
        )
        isProblem(yield* shop.organise(draft.id, "/cancel", { reason: "x" }), 409, "event-not-published")
        // --- what support is told
        const trail = yield* Service.run(service, ["payments", "show", order.id])
        assert.strictEqual(trail.code, 0, trail.stderr)
        assert.match(
          trail.stdout,
          /Captured: amount 13500\n +135.00 EUR {2}provider:sandbox\n +-135.00 EUR {2}organiser:city-opera/
        )
        assert.match(trail.stdout, /Refunded: .*amount 4000/)
        assert.strictEqual((yield* Service.run(service, ["payments", "stuck"])).code, 0)
        yield* Service.assertAudited(service)
        yield* Service.assertNothingBroke(service)
      }),
    120_000
  )
})
