/** One entry of an event in a calendar, by mails and by the order's address: the same is counted alike, and the newer one wins. */
import { assert, describe, it } from "@effect/vitest"
import { EventDetail } from "@onsale/contracts/catalog/Event"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect } from "effect"
import ICAL from "ical.js"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const plan = "section,row,seat_from,seat_to,quantity,price\nStalls,A,1,40,,45.00"
const headers = { authorization: `Bearer ${Service.organiserKey}` }
const patience = { deadline: "60 seconds" } as const
const ada = "ada@example.org"
const grace = "grace@example.org"

const entryOf = (text: string) => {
  const component = new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent("vevent") ?? assert.fail(text)
  const { sequence, startDate, uid } = new ICAL.Event(component)
  return {
    uid,
    sequence,
    startsAt: startDate.toJSDate().toISOString(),
    status: component.getFirstPropertyValue("status")
  }
}

describe("An entry in a calendar", () => {
  it.live(
    "has the same number in mails and at the order's address, and a larger one after each change",
    () =>
      Effect.gen(function* () {
        const service = yield* Service.start({})
        const shop = Shop.at(service.url)
        const venue = yield* shop.importPlan("csv", plan)
        const body = {
          venueId: venue.id,
          name: "Midnight Symphony",
          startsAt: "2031-05-01T18:00:00.000Z",
          tiers: [],
          currency: "EUR"
        }
        const draft = yield* Effect.flatMap(
          shop.send({ path: shop.api("/organiser/events"), headers, body }),
          Shop.expect(201, EventDetail)
        )
        // What is changed of a draft is a revision, and stands in no journal.
        for (const name of ["Midnight", "Morning Symphony"]) {
          const changed = yield* shop.organise(draft.id, "", { ...body, name }, "PUT")
          assert.strictEqual(changed.status, 200, changed.text)
        }
        const event = yield* Effect.flatMap(
          shop.organise(draft.id, "/publish", {}),
          Shop.expect(200, EventDetail)
        )
        const hold = yield* shop.hold(event.id, { bestAvailable: { quantity: 4 } })
        const order = yield* Effect.flatMap(
          shop.tryOrder(hold.id, "tok_ok", { email: ada }),
          Shop.expect(201, Order)
        )
        const atAddress = Effect.map(
          shop.send({ path: shop.api(`/orders/${order.id}/calendar.ics`) }),
          ({ text }) => entryOf(text)
        )
        /** The entries that were mailed to an address, by what their mails are about. */
        const mailed = Effect.fnUntraced(function* (address: string, about: string) {
          const { mails } = yield* pollUntil(
            shop.mailsTo(address),
            ({ mails }) => mails.some(({ messageId }) => messageId.includes(about)),
            patience
          )
          const [mail, ...more] = mails.filter(({ messageId }) => messageId.includes(about))
          assert.deepStrictEqual(more, [])
          const file = mail?.attachments.find(({ filename }) => filename === "event.ics")
          assert.isDefined(file, about)
          return entryOf((yield* shop.send({ path: file?.url ?? "" })).text)
        })

        // --- bought
        const bought = yield* atAddress
        assert.strictEqual(bought.uid, event.id)
        assert.deepStrictEqual(yield* mailed(ada, "confirmed"), bought)

        // --- moved: who has imported the order's entry takes that of the mail
        const move = (startsAt: string) =>
          Effect.flatMap(shop.organise(event.id, "", { startsAt }, "PATCH"), Shop.expect(200, EventDetail))
        yield* move("2031-07-01T17:30:00.000Z")
        const moved = yield* mailed(ada, "event-changed.2")
        assert.strictEqual(moved.startsAt, "2031-07-01T17:30:00.000Z")
        assert.isAbove(moved.sequence, bought.sequence)
        assert.deepStrictEqual(yield* atAddress, moved)

        // --- two tickets returned at once, and a mail about another one
        const [first, second, third] = order.tickets
        const tickets = [first ?? assert.fail(), second ?? assert.fail()].map(({ id }) => id)
        const refunded = yield* shop.refund(order.id, { tickets, reason: "ill" })
        assert.strictEqual(refunded.status, 201, refunded.text)
        const smaller = yield* atAddress
        assert.isAbove(smaller.sequence, moved.sequence)
        yield* Effect.flatMap(
          shop.send({
            path: shop.api(`/orders/${order.id}/tickets/${third?.id}/transfer`),
            headers: { "idempotency-key": Shop.newKey() },
            body: { name: "Grace Hopper", email: grace }
          }),
          Shop.expect(200, Order)
        )
        assert.deepStrictEqual(yield* mailed(grace, "reissued"), smaller)

        // --- moved once more, after the refund
        yield* move("2031-08-01T17:30:00.000Z")
        const again = yield* mailed(ada, "event-changed.3")
        assert.isAbove(again.sequence, smaller.sequence)
        assert.deepStrictEqual(yield* atAddress, again)
        assert.deepStrictEqual(yield* mailed(grace, "event-changed.3"), again)

        // --- cancelled
        const cancelled = yield* shop.organise(event.id, "/cancel", { reason: "Rain" })
        assert.strictEqual(cancelled.status, 200, cancelled.text)
        const off = yield* mailed(ada, "event-cancelled")
        assert.strictEqual(off.status, "CANCELLED")
        assert.isAbove(off.sequence, again.sequence)
        assert.deepStrictEqual(yield* atAddress, off)
        assert.deepStrictEqual(yield* mailed(grace, "event-cancelled"), off)
        yield* Service.assertNothingBroke(service)
        yield* Service.assertAudited(service)
      }),
    240_000
  )
})
