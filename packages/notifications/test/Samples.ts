import type { OrderTicket } from "@onsale/contracts/booking/Order"
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import { makeEventId, makeUuidV7, OrderId, seatId, TicketId, TierId, VenueId } from "@onsale/contracts/Ids"
import type { TicketDocument } from "@onsale/contracts/notifications/TicketDocument"
import { Effect } from "effect"
import { TicketCodes } from "../src/TicketCode.ts"

export const nowMs = Date.UTC(2026, 10, 21, 12)

export const eventId = makeEventId(nowMs)
export const makeTicketId = () => TicketId.make(makeUuidV7(nowMs))
export const makeOrderId = () => OrderId.make(makeUuidV7(nowMs))
const tier = TierId.make(makeUuidV7(nowMs))

export const event: EventFacts = {
  eventId,
  name: "Midnight Symphony",
  description: "",
  startsAt: "2026-12-24T19:30:00Z",
  timeZone: "Europe/Berlin",
  venue: { id: VenueId.make(makeUuidV7(nowMs)), name: "Waldbühne", location: "Glockenturmstraße 1, Berlin" },
  performers: ["The Long Goodbyes", "Łukasz"],
  tiers: [{ id: tier, name: "Block A" }]
}

export const makeTickets = (count: number): ReadonlyArray<OrderTicket> =>
  Array.from({ length: count }, (_, i) => ({
    id: makeTicketId(),
    seatId: seatId(eventId, i),
    areaId: null,
    label: `Block A 12-${i + 1}`,
    tier,
    price: 4950,
    status: "valid",
    codeVersion: 1
  }))

/** A document whose codes are signed. */
export const makeDocument = Effect.fnUntraced(function* (
  tickets: number,
  changes: { readonly holder?: string; readonly name?: string } = {}
) {
  const codes = yield* TicketCodes
  const document: TicketDocument = {
    orderId: makeOrderId(),
    holder: changes.holder ?? "Ada Lovelace",
    event: { ...event, name: changes.name ?? event.name },
    tickets: yield* Effect.forEach(makeTickets(tickets), ({ id, label, price }) =>
      Effect.map(codes.sign({ eventId, ticketId: id, version: 1 }), (code) => ({
        id,
        label,
        tier: "Premium",
        price: { amount: price, currency: "EUR" },
        code
      }))
    ),
    locale: "en",
    refunds: {},
    issuedAtMs: nowMs
  }
  return document
})
