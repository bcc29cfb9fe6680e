import { assert, describe, it } from "@effect/vitest"
import type { Customer, OrderTicket } from "@onsale/contracts/booking/Order"
import { makeUuidV7, RefundId } from "@onsale/contracts/Ids"
import { Notice, noticeId } from "@onsale/contracts/notifications/Notice"
import * as TicketHolders from "../src/TicketHolders.ts"
import { eventId, makeOrderId, makeTickets, nowMs } from "./Samples.ts"

const buyer = { name: "Ada Lovelace", email: "ada@example.org", locale: "fr" }
const grace = { name: "Grace Hopper", email: "grace@example.org" }
const orderId = makeOrderId()

const orderOf = (...holders: ReadonlyArray<Customer | null>) => ({
  orderId,
  customer: buyer,
  total: { amount: 4_950 * holders.length, currency: "EUR" },
  tickets: makeTickets(holders.length).map(
    (ticket, i): OrderTicket => ({ ...ticket, ...(holders[i] ? { holder: holders[i] } : {}) })
  )
})

describe("TicketHolders", () => {
  it("several tickets at one address, however it is written, are one holder's", () => {
    const order = orderOf(null, grace, { name: "G. Hopper", email: "Grace@Example.org" }, null)
    const [holder, ...others] = TicketHolders.of(order)
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual(holder?.tickets, order.tickets.slice(1, 3))
    assert.strictEqual(holder?.reader.name, "Grace Hopper")
  })

  it("what was made out to another name at the buyer's own address is told to the buyer", () => {
    const order = orderOf({ name: "A child", email: "ADA@example.org" }, grace)
    assert.deepStrictEqual(
      TicketHolders.of(order).map(({ reader }) => reader.email),
      [grace.email]
    )
    assert.deepStrictEqual(
      TicketHolders.buyersContent(order).tickets.map(({ label }) => label),
      [order.tickets[0]?.label]
    )
  })

  it("who has no valid ticket any more is no holder, unless it is told of those", () => {
    const { tickets, ...order } = orderOf(grace)
    const gone = tickets.map((ticket) => ({ ...ticket, status: "refunded" as const }))
    assert.deepStrictEqual(TicketHolders.of({ ...order, tickets: gone }), [])
    assert.strictEqual(TicketHolders.of({ ...order, tickets: gone }, gone).length, 1)
  })

  it("a holder reads a language of their own, else that of the order", () => {
    const readers = TicketHolders.of(orderOf(grace, { ...grace, email: "g@example.org", locale: "de" })).map(
      ({ reader }) => reader.locale
    )
    assert.deepStrictEqual(readers, ["fr", "de"])
  })

  it("a holder is shown nothing of the order's money, nor of its other tickets", () => {
    const order = orderOf(null, grace)
    const [holder] = TicketHolders.of(order)
    const content = TicketHolders.holdersContent(order, holder ?? assert.fail())
    assert.deepInclude(content, { toHolder: "Grace Hopper", holder: "Ada Lovelace" })
    assert.deepStrictEqual(content.tickets, [
      { label: order.tickets[1]?.label ?? "", price: { amount: 0, currency: "EUR" } }
    ])
    assert.strictEqual(content.total.amount, 0)
  })

  it("one id a fact and a holder, that does not name the order", () => {
    const holder = TicketHolders.keyOf(orderId, grace.email)
    assert.notStrictEqual(holder, TicketHolders.keyOf(makeOrderId(), grace.email))
    const about = { orderId, eventId, holder }
    const ids = [
      Notice.cases.EventChanged.make({ ...about, change: 2 }),
      Notice.cases.EventChanged.make({ ...about, change: 3 }),
      Notice.cases.EventReminder.make({ ...about, startsAt: "2026-12-24T19:30:00Z" }),
      Notice.cases.EventCancelled.make(about),
      Notice.cases.TicketReturned.make({ orderId, holder, refundId: RefundId.make(makeUuidV7(nowMs)) })
    ].map(noticeId)
    assert.strictEqual(new Set(ids).size, ids.length)
    for (const id of ids) assert.notInclude(id, orderId)
  })
})
