import { assert, describe, it } from "@effect/vitest"
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { HoldId, makeUuidV7, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import { mattersToBuyers } from "../src/EventChange.ts"
import * as OrderStory from "../src/OrderStory.ts"
import { event, eventId, makeOrderId, makeTickets, nowMs } from "./Samples.ts"

const tickets = makeTickets(2)
const placed = OrderEvent.cases.Placed.make({
  eventId,
  holdId: HoldId.make(makeUuidV7(nowMs)),
  customer: { name: "Ada", email: "ada@example.org" },
  intentId: PaymentIntentId.make(makeUuidV7(nowMs)),
  provider: null,
  method: "tok_ok",
  total: { amount: 9900, currency: "EUR" },
  seats: [{ seat: 0, label: "A 1", tier: tickets[0]?.tier ?? assert.fail(), price: 4950 }],
  areas: [{ area: 0, name: "Floor", quantity: 2, tier: tickets[0]?.tier ?? assert.fail(), price: 2475 }],
  payUntilMs: nowMs
})
const refundOf = (index: number) =>
  OrderEvent.cases.RefundRequested.make({
    refundId: RefundId.make(makeUuidV7(nowMs)),
    amount: 4000,
    fee: 950,
    tickets: tickets.slice(index, index + 1).map(({ id }) => id),
    reason: "ill"
  })
const told = (...events: ReadonlyArray<OrderEvent>) => OrderStory.of([{ atMs: nowMs, events }])
const story = (...events: ReadonlyArray<OrderEvent>) => told(placed, ...events) ?? assert.fail()

describe("OrderStory", () => {
  it("begins with Placed, or not at all", () => {
    assert.isUndefined(told())
    assert.isUndefined(told(refundOf(0)))
  })

  it("goes on where it ended: however many rows there are, the last of them count", () => {
    const rows = [placed, OrderEvent.cases.Confirmed.make({ tickets }), refundOf(0), refundOf(1)].map(
      (event, i) => ({ atMs: nowMs + i, events: [event] })
    )
    const whole = OrderStory.of(rows)
    for (let at = 1; at < rows.length; at++)
      assert.deepStrictEqual(OrderStory.of(rows.slice(at), OrderStory.of(rows.slice(0, at))), whole)
    assert.strictEqual(whole?.refunds.size, 2)
  })

  it("names seats and places before there are tickets, and only valid tickets then", () => {
    const labels = (one: OrderStory.OrderStory) =>
      OrderStory.contentOf(makeOrderId(), one).tickets.map(({ label }) => label)
    assert.deepStrictEqual(labels(story()), ["A 1", "Floor", "Floor"])
    const confirmed = OrderEvent.cases.Confirmed.make({ tickets })
    assert.deepStrictEqual(
      labels(story(confirmed, refundOf(0))),
      tickets.slice(1).map(({ label }) => label)
    )
  })

  it("a refund is whole where no ticket is left by it", () => {
    const [first, second] = [refundOf(0), refundOf(1)]
    const { refunds } = story(OrderEvent.cases.Confirmed.make({ tickets }), first, second)
    assert.deepInclude(refunds.get(first.refundId), { amount: 4000, fee: 950, whole: false })
    assert.deepInclude(refunds.get(second.refundId), { whole: true })
  })

  it("late money takes a cancelled order up again, or goes back", () => {
    const cancelled = OrderEvent.cases.Cancelled.make({ reason: "expired", payment: null })
    assert.deepInclude(story(cancelled), { status: "cancelled", paid: false })
    const late = OrderEvent.cases.LateMoneyCame.make({ provider: "sandbox" })
    assert.deepInclude(story(cancelled, late), { status: "open", paid: true })
  })
})

describe("EventChange", () => {
  it("time, place, name and performers matter, however little; how they are written does not", () => {
    const changes = [
      { startsAt: "2026-12-24T19:31:00Z" },
      { timeZone: "Europe/London" },
      { name: "Midday Symphony" },
      { venue: { ...event.venue, location: "Elsewhere" } },
      { performers: ["Łukasz"] }
    ]
    for (const change of changes)
      assert.isTrue(mattersToBuyers(event, { ...event, ...change }), JSON.stringify(change))
    const same = {
      ...event,
      description: "new",
      startsAt: "2026-12-24T20:30:00+01:00",
      name: `  ${event.name.replace(" ", "   ")}`,
      performers: event.performers.toReversed(),
      tiers: []
    }
    assert.isFalse(mattersToBuyers(event, same))
  })
})
