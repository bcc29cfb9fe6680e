/** An event that sells, as far as the notifications see it: its orders are written straight into the journals. */
import { OrderEvent, type OrderTicket } from "@onsale/contracts/booking/Order"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import {
  HoldId,
  makeEventId,
  makeUuidV7,
  OrderId,
  PaymentIntentId,
  seatId,
  TicketId,
  TierId,
  VenueId
} from "@onsale/contracts/Ids"
import * as Journal from "@onsale/platform/Journal"
import { Clock, Effect } from "effect"

const price = 4950
const daysAhead = 60
/** Orders that are written at the same time. */
const atOnce = 8

/** Publishes the event. */
export const open = Effect.gen(function* () {
  const catalog = yield* Journal.make({ schema: "catalog", event: CatalogEvent })
  const booking = yield* Journal.make({ schema: "booking", event: OrderEvent })
  const openedMs = yield* Clock.currentTimeMillis
  const eventId = makeEventId(openedMs)
  const tier = TierId.make(makeUuidV7(openedMs))
  yield* catalog.append({
    stream: eventId,
    version: 1,
    atMs: openedMs,
    correlation: null,
    events: [
      CatalogEvent.cases.EventPublished.make({
        facts: {
          eventId,
          name: "Midnight Symphony",
          description: "",
          startsAt: new Date(openedMs + daysAhead * 86_400_000).toISOString(),
          timeZone: "Europe/Berlin",
          venue: { id: VenueId.make(makeUuidV7(openedMs)), name: "Waldbühne", location: "Berlin" },
          performers: ["The Long Goodbyes"],
          tiers: [{ id: tier, name: "Block A" }]
        }
      })
    ]
  })

  let seat = 0
  const buy = Effect.fnUntraced(function* (tickets: number) {
    const atMs = yield* Clock.currentTimeMillis
    const orderId = OrderId.make(makeUuidV7(atMs))
    const bought = Array.from({ length: tickets }, (): OrderTicket => {
      const index = seat++
      return {
        id: TicketId.make(makeUuidV7(atMs)),
        seatId: seatId(eventId, index),
        areaId: null,
        label: `Block A ${Math.floor(index / 40) + 1}-${(index % 40) + 1}`,
        tier,
        price,
        status: "valid",
        codeVersion: 1
      }
    })
    const append = (version: number, event: OrderEvent) =>
      booking.append({ stream: orderId, version, atMs, correlation: null, events: [event] })
    yield* append(
      1,
      OrderEvent.cases.Placed.make({
        eventId,
        holdId: HoldId.make(makeUuidV7(atMs)),
        customer: { name: "Ada Lovelace", email: `buyer-${orderId}@example.org` },
        intentId: PaymentIntentId.make(makeUuidV7(atMs)),
        provider: null,
        method: "tok_ok",
        total: { amount: price * tickets, currency: "EUR" },
        seats: [],
        areas: [],
        payUntilMs: atMs + 600_000
      })
    )
    yield* append(2, OrderEvent.cases.Confirmed.make({ tickets: bought }))
    return orderId
  })

  return {
    /** So many confirmed orders of two seats each, with their ids. */
    sell: (orders: number) =>
      Effect.forEach(Array.from({ length: orders }), () => buy(2), { concurrency: atOnce })
  }
})
