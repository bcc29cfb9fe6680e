/** An event that does not take place, over HTTP and the command line: nobody buys any more, all get their money. */
import { assert, describe, it } from "@effect/vitest"
import { EventDetail } from "@onsale/contracts/catalog/Event"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { EventRefunds } from "@onsale/contracts/http/OrganiserApi"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect, Schema } from "effect"
import * as HttpCall from "./HttpCall.ts"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const price = 4500
const best = (quantity: number) => ({ bestAvailable: { quantity } })
const deadline = { deadline: "30 seconds" } as const

const typeOf = (reply: HttpCall.Reply) => Effect.map(Shop.problemOf(reply), ({ type }) => type)
const cancelled = "urn:onsale:problem:event-cancelled"

describe("Cancel an event", () => {
  it.live(
    "closes its sale, refunds who has bought, and gives no ticket to who is at the bank's page",
    () =>
      Effect.gen(function* () {
        const service = yield* Service.start()
        const shop = Shop.at(service.url)
        const env = { PORT: new URL(service.url).port, ONSALE_ORGANISER_KEY: Service.organiserKey }
        const venue = yield* shop.importPlan("seatsio", SeatsioChart.make({ seats: 60 }))
        const event = yield* shop.openEvent(venue)
        const other = yield* shop.openEvent(venue)
        const draft = yield* Effect.flatMap(
          shop.send({
            path: shop.api("/organiser/events"),
            headers: { authorization: `Bearer ${Service.organiserKey}` },
            body: {
              venueId: venue.id,
              name: "Draft",
              startsAt: event.startsAt,
              tiers: [
                { name: "All", price: { amount: 1, currency: "EUR" }, categories: event.tiers[0]!.categories }
              ]
            }
          }),
          Shop.expect(201, EventDetail)
        )
        const cancelEvent = (id: typeof event.id, reason: string) => shop.organise(id, "/cancel", { reason })
        assert.strictEqual(
          yield* typeOf(yield* cancelEvent(draft.id, "no")),
          "urn:onsale:problem:event-not-published"
        )
        assert.strictEqual(
          yield* typeOf(yield* shop.organise(event.id, "/refunds")),
          "urn:onsale:problem:event-not-cancelled"
        )

        const buy = Effect.fnUntraced(function* (eventId: typeof event.id, quantity: number) {
          const hold = yield* shop.hold(eventId, best(quantity))
          return yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok"), Shop.expect(201, Order))
        })
        const bought = [yield* buy(event.id, 2), yield* buy(event.id, 1)]
        const elsewhere = yield* buy(other.id, 1)
        const waiting = yield* Effect.flatMap(
          shop.tryOrder((yield* shop.hold(event.id, best(1))).id, "tok_3ds"),
          Shop.expect(202, Order)
        )
        const unsold = yield* shop.hold(event.id, best(1))

        // By the command, and once more over HTTP: the first reason stays.
        const done = yield* Service.run(
          service,
          ["event", "cancel", event.id, "--reason", "The tenor is ill"],
          env
        )
        assert.strictEqual(done.code, 0, done.stderr)
        const again = yield* Effect.flatMap(cancelEvent(event.id, "Rain"), Shop.expect(200, EventDetail))
        assert.strictEqual(again.status, "cancelled")
        assert.strictEqual(again.cancellation?.reason, "The tenor is ill")
        assert.strictEqual(again.cancellation?.at.length, 24)

        // The lean path and the typed one.
        assert.strictEqual(yield* typeOf(yield* shop.tryHold(event.id, best(1))), cancelled)
        const seat = { seats: [unsold.seats[0]!.seatId] }
        assert.strictEqual(yield* typeOf(yield* shop.tryHold(event.id, seat)), cancelled)
        assert.strictEqual(yield* typeOf(yield* shop.tryOrder(unsold.id, "tok_ok")), cancelled)
        const extend = { method: "POST", path: shop.api(`/holds/${unsold.id}/extend`) }
        assert.strictEqual(yield* typeOf(yield* shop.send(extend)), cancelled)
        assert.strictEqual((yield* shop.availability(event.id)).seats.available, 0)
        const shown = yield* Effect.flatMap(
          shop.send({ path: shop.api(`/events/${event.id}`) }),
          Shop.expect(200, EventDetail)
        )
        assert.deepStrictEqual(shown.cancellation, again.cancellation)
        const listed = yield* Effect.flatMap(
          shop.send({ path: shop.api("/events") }),
          Shop.expect(
            200,
            Schema.Struct({
              events: Schema.Array(Schema.Struct({ id: Schema.String, status: Schema.String }))
            })
          )
        )
        assert.strictEqual(listed.events.find(({ id }) => id === event.id)?.status, "cancelled")

        const refunds = Effect.flatMap(shop.organise(event.id, "/refunds"), Shop.expect(200, EventRefunds))
        yield* pollUntil(refunds, ({ orders }) => orders.refunded === 2, deadline)
        const under = yield* refunds
        assert.deepInclude(under, {
          finishedAt: null,
          orders: { total: 3, refunded: 2, pending: 0, unfinished: 1 },
          refunded: 3 * price,
          currency: "EUR",
          reason: "The tenor is ill"
        })
        for (const { id } of bought) {
          const order = yield* shop.order(id)
          assert.strictEqual(order.status, "refunded")
          assert.lengthOf(order.refunds, 1)
          assert.deepStrictEqual(order.refunds[0]!.amount, order.total)
        }

        // Who approves the payment now is not charged, and has no ticket.
        const page = new URL(waiting.nextAction?.url ?? assert.fail("a next action was expected"))
        yield* HttpCall.send(page.origin, {
          path: page.pathname,
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: "approve=true"
        })
        const ended = yield* pollUntil(
          shop.order(waiting.id),
          ({ status }) => status !== "payment_pending",
          deadline
        )
        assert.deepInclude(ended, { status: "cancelled", reason: "event_cancelled", tickets: [] })
        const finished = yield* pollUntil(refunds, ({ finishedAt }) => finishedAt !== null, deadline)
        assert.deepStrictEqual(finished.orders, { total: 2, refunded: 2, pending: 0, unfinished: 0 })
        const told = yield* Service.run(service, ["event", "refunds", event.id], env)
        assert.match(told.stdout, /2 of 2 refunded, 0 to come, 0 at checkout\nPaid back +.*135\.00/)
        const { payments } = yield* Shop.ledger(page.origin, service.dataDir)
        const owed = payments
          .map(({ captured, refunded }) => captured - refunded)
          .filter((left) => left !== 0)
        assert.deepStrictEqual(owed, [price], "but for the order of another event")
        assert.strictEqual((yield* shop.order(elsewhere.id)).status, "confirmed")

        yield* Service.assertNothingBroke(service)
        yield* Service.assertAudited(service)
      }),
    120_000
  )
})
