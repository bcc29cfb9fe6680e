/** Contents to look at templates with: every notice, and what it says in other cases. */
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import { EventId, OrderId, VenueId } from "@onsale/contracts/Ids"
import type { NoticeContent, OrderContent } from "./NoticeContent.ts"

type Samples = {
  readonly [T in NoticeContent["_tag"]]: ReadonlyArray<Extract<NoticeContent, { readonly _tag: T }>>
}

const event: EventFacts = {
  eventId: EventId.make("019aa000-0000-7000-8000-000000000000"),
  name: "Midnight Symphony",
  description: "",
  startsAt: "2026-12-24T19:30:00Z",
  timeZone: "Europe/Berlin",
  venue: {
    id: VenueId.make("019aa000-0000-7000-8000-000000000001"),
    name: "Waldbühne",
    location: "Glockenturmstraße 1, 14053 Berlin"
  },
  performers: ["The Long Goodbyes", "Łukasz"],
  tiers: []
}

const euros = (amount: number) => ({ amount, currency: "EUR" })

const orderOf = (tickets: number): OrderContent => ({
  orderId: OrderId.make("019aa000-0000-7000-8000-000000000002"),
  holder: "Ada Lovelace",
  total: euros(4_950 * tickets),
  tickets: Array.from({ length: tickets }, (_, i) => ({
    label: `Block A, Row 12, Seat ${i + 1}`,
    price: euros(4_950)
  }))
})

const order = orderOf(2)
const about = { event, order }
/** As whoever was given two tickets of a larger order is told of it. */
const given = { event, order: { ...order, toHolder: "Grace Hopper", total: euros(0) } }
const givenTicket = { label: "Block A, Row 12, Seat 9", price: euros(4_950), to: "Grace Hopper" }
/** The same order, of which the buyer has no ticket any more. */
const ordersOfNone = { ...order, tickets: [] }
const payUntilMs = Date.UTC(2026, 10, 21, 12, 15)
const actionUrl = "https://bank.example/confirm/3f7a"

export const samples: Samples = {
  OrderConfirmed: [
    { _tag: "OrderConfirmed", ...about, gone: [] },
    { _tag: "OrderConfirmed", event: { ...event, name: "ليلة الطرب في برلين" }, order: orderOf(1), gone: [] },
    { _tag: "OrderConfirmed", event, order: orderOf(25), gone: [] },
    { _tag: "OrderConfirmed", event, order: ordersOfNone, gone: [givenTicket, givenTicket] },
    {
      _tag: "OrderConfirmed",
      event,
      order: ordersOfNone,
      gone: [givenTicket, { ...givenTicket, label: "Block A, Row 12, Seat 2", to: null }]
    },
    { _tag: "OrderConfirmed", event, order: { ...orderOf(1), total: euros(9_900) }, gone: [givenTicket] }
  ],
  PaymentPending: [
    { _tag: "PaymentPending", ...about, payUntilMs, actionUrl },
    { _tag: "PaymentPending", ...about, payUntilMs, actionUrl: null }
  ],
  PaymentExpiring: [
    { _tag: "PaymentExpiring", ...about, payUntilMs, actionUrl },
    { _tag: "PaymentExpiring", ...about, payUntilMs, actionUrl: null }
  ],
  PaymentDeclined: [{ _tag: "PaymentDeclined", ...about }],
  OrderCancelled: [
    { _tag: "OrderCancelled", ...about, paid: true },
    { _tag: "OrderCancelled", ...about, paid: false }
  ],
  Refunded: [
    {
      _tag: "Refunded",
      event,
      order: orderOf(1),
      amount: euros(4_455),
      fee: euros(495),
      labels: ["Block A, Row 12, Seat 2"],
      whole: false,
      isEventCancelled: false
    },
    {
      _tag: "Refunded",
      event,
      order: orderOf(0),
      amount: euros(9_900),
      fee: euros(0),
      labels: ["Block A, Row 12, Seat 1", "Block A, Row 12, Seat 2"],
      whole: true,
      isEventCancelled: false
    },
    {
      _tag: "Refunded",
      event,
      order: orderOf(0),
      amount: euros(0),
      fee: euros(4_950),
      labels: ["Block A, Row 12, Seat 1"],
      whole: true,
      isEventCancelled: false
    },
    {
      _tag: "Refunded",
      event,
      order: orderOf(0),
      amount: euros(9_900),
      fee: euros(0),
      labels: ["Block A, Row 12, Seat 1", "Block A, Row 12, Seat 2"],
      whole: true,
      isEventCancelled: true
    }
  ],
  EventChanged: [
    {
      _tag: "EventChanged",
      ...about,
      before: {
        ...event,
        startsAt: "2026-12-23T18:00:00Z",
        venue: { ...event.venue, name: "Tempodrom", location: "Möckernstraße 10, 10963 Berlin" }
      }
    },
    { _tag: "EventChanged", ...about, before: { ...event, startsAt: "2026-12-24T18:00:00Z" } },
    { _tag: "EventChanged", ...about, before: { ...event, performers: ["Łukasz"] } },
    { _tag: "EventChanged", ...about, before: null },
    { _tag: "EventChanged", ...given, before: { ...event, startsAt: "2026-12-24T18:00:00Z" } },
    {
      _tag: "EventChanged",
      event,
      order: orderOf(0),
      before: { ...event, startsAt: "2026-12-24T18:00:00Z" }
    }
  ],
  EventCancelled: [
    {
      _tag: "EventCancelled",
      ...about,
      reason: "The singer has lost her voice. We are sorry to miss you.",
      amount: euros(9_900)
    },
    { _tag: "EventCancelled", ...about, reason: "", amount: euros(0) },
    { _tag: "EventCancelled", ...given, reason: "The singer has lost her voice.", amount: euros(0) },
    {
      _tag: "EventCancelled",
      event,
      order: { ...orderOf(1), toHolder: "Grace Hopper", total: euros(0) },
      reason: "",
      amount: euros(0)
    }
  ],
  EventReminder: [
    { _tag: "EventReminder", ...about },
    { _tag: "EventReminder", ...given }
  ],
  TicketReissued: [
    { _tag: "TicketReissued", ...about, label: "Block A, Row 12, Seat 2", transferred: false },
    { _tag: "TicketReissued", ...given, label: "Block A, Row 12, Seat 2", transferred: true },
    {
      _tag: "TicketReissued",
      ...given,
      label: "Block A, Row 12, Seat 2",
      transferred: false
    }
  ],
  TicketGiven: [
    { _tag: "TicketGiven", ...about, label: "Block A, Row 12, Seat 2", to: "Grace Hopper" },
    {
      _tag: "TicketGiven",
      ...given,
      label: "Block A, Row 12, Seat 2",
      to: "Grace Hopper"
    }
  ],
  TicketReturned: [
    { _tag: "TicketReturned", event, order: { ...given.order, tickets: order.tickets.slice(0, 1) } },
    { _tag: "TicketReturned", ...given }
  ],
  HoldExpiring: [{ _tag: "HoldExpiring", event, expiresAtMs: payUntilMs }]
}
