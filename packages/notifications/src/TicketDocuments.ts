/**
 * What stands on the tickets of an order. Whoever asks for a document, a buyer at the gateway or a worker that writes a
 * mail, brings the tickets as they are; all else is looked up here, in one place each: what never changes of an order
 * in its `Placed`, the event in what this context has heard of it. So equal tickets have equal documents in a language.
 */
import { OrderEvent, type OrderTicket } from "@onsale/contracts/booking/Order"
import { CatalogEvent, type EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { EventId, OrderId, SeatId, TicketId } from "@onsale/contracts/Ids"
import type { Locale } from "@onsale/contracts/notifications/Locale"
import {
  type TicketDocument,
  TicketsNotFound,
  TicketsNotReady
} from "@onsale/contracts/notifications/TicketDocument"
import * as Gathered from "@onsale/platform/Gathered"
import * as Journal from "@onsale/platform/Journal"
import { indexIn } from "@onsale/contracts/Ids"
import * as PreferencesContract from "@onsale/contracts/notifications/Preferences"
import { Cache, Context, Duration, Effect, Exit, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { EventCopies } from "./EventCopies.ts"
import { localeFor } from "./Preferences.ts"
import * as SeatPlaces from "./SeatPlaces.ts"
import { settled } from "./SettledSql.ts"
import { TicketCodes } from "./TicketCode.ts"

/** Events whose plan is kept, a megabyte or less each: those that sell, and are printed again and again. */
const plansKept = 16

export interface DocumentOptions {
  /** That ticket alone, whoever has it; all that were not given to others when left out. */
  readonly ticketId?: TicketId | undefined
  /** The language of the letter that it goes with; that of the order when left out. */
  readonly locale?: Locale | undefined
  /** Of an event that the catalog's journal does not tell of: SQL has put it there. */
  readonly untold?: ((eventId: EventId) => Effect.Effect<EventFacts>) | undefined
}

export class TicketDocuments extends Context.Service<
  TicketDocuments,
  {
    /**
     * The valid ones of an order's tickets but those that were given to others, or that one alone, whoever has it.
     * Fails where none of them is valid.
     */
    readonly of: (
      orderId: OrderId,
      tickets: ReadonlyArray<OrderTicket>,
      options?: DocumentOptions
    ) => Effect.Effect<TicketDocument, TicketsNotFound | TicketsNotReady>
  }
>()("@onsale/notifications/TicketDocuments") {
  static readonly layer = Layer.effect(
    TicketDocuments,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const copies = yield* EventCopies
      const codes = yield* TicketCodes
      const bookings = yield* Journal.make({ schema: "booking", event: OrderEvent })
      const catalog = yield* Journal.make({ schema: "catalog", event: CatalogEvent })

      const placedOf = Gathered.make<
        OrderId,
        Extract<OrderEvent, { readonly _tag: "Placed" }> & { readonly placedAtMs: number }
      >(sql, {
        idOf: (orderId) => orderId.toLowerCase(),
        run: Effect.fnUntraced(function* (orderIds) {
          const rows = yield* settled(bookings.firsts(orderIds))
          return new Map(
            rows.flatMap(({ atMs, events: [first], stream }) =>
              first?._tag === "Placed" ? [[stream, { ...first, placedAtMs: atMs }] as const] : []
            )
          )
        })
      })

      /** What the first row of an event tells; undefined where there is none yet. It never changes. */
      const readFirst = Effect.fnUntraced(function* (eventId: EventId) {
        const [row] = yield* settled(catalog.read(eventId, 1, 1))
        const first = row?.events[0]
        if (first?._tag !== "EventPublished") return undefined
        const { facts, plan } = first
        return { facts, places: plan === undefined ? null : SeatPlaces.make(plan) }
      })
      const firsts = yield* Cache.makeWith(readFirst, {
        capacity: plansKept,
        timeToLive: (exit) =>
          Exit.isSuccess(exit) && exit.value !== undefined ? Duration.infinity : Duration.zero
      })

      const newest = Gathered.make<
        { readonly eventId: EventId; readonly version: number; readonly facts: EventFacts },
        EventFacts
      >(sql, {
        idOf: ({ eventId }) => eventId.toLowerCase(),
        run: (bases) =>
          settled(
            catalog.foldAll(
              bases.map(({ eventId, facts, version }) => ({ stream: eventId, version, initial: facts })),
              (newest, { events }) =>
                events.reduce((facts, event) => ("facts" in event ? event.facts : facts), newest)
            )
          )
      })

      /**
       * The newest facts of an event. Who buys in the first second of a sale, or looks at his tickets in the minute in
       * which the event was moved, must not wait for the follower of the catalog: what it will read is read.
       */
      const eventOf = Effect.fnUntraced(function* (eventId: EventId) {
        const known = yield* copies.base(eventId)
        const facts = known?.facts ?? (yield* Cache.get(firsts, eventId))?.facts
        return facts === undefined
          ? undefined
          : yield* newest({ eventId, version: known?.version ?? 1, facts })
      })

      return TicketDocuments.of({
        of: Effect.fn("TicketDocuments.of")(function* (orderId, all, { locale, ticketId, untold } = {}) {
          const valid = all.filter(
            ({ holder, id, status }) =>
              status === "valid" && (ticketId === undefined ? holder === undefined : id === ticketId)
          )
          if (valid.length === 0) return yield* new TicketsNotReady({ orderId, reason: "NoValidTickets" })
          const placed = (yield* placedOf(orderId)) ?? (yield* new TicketsNotFound({ orderId }))
          const { customer, eventId, placedAtMs, terms, total } = placed
          const event =
            (yield* eventOf(eventId)) ??
            (untold === undefined ? undefined : yield* untold(eventId)) ??
            (yield* new TicketsNotReady({ orderId, reason: "EventUnknown" }))
          const onPlan = valid.some(({ seatId }) => seatId !== null)
            ? (yield* Cache.get(firsts, eventId))?.places
            : null
          const tiers = new Map(event.tiers.map(({ id, name }) => [id, name]))
          const placeOf = (seatId: SeatId | null) => {
            const place = seatId === null ? undefined : onPlan?.of(indexIn(eventId, "seat", seatId))
            return place === undefined ? {} : { place }
          }
          const tickets = yield* Effect.forEach(valid, (ticket) =>
            Effect.map(codes.sign({ eventId, ticketId: ticket.id, version: ticket.codeVersion }), (code) => ({
              id: ticket.id,
              label: ticket.label,
              ...(ticket.areaId === null ? {} : { isArea: true as const }),
              ...placeOf(ticket.seatId),
              tier: tiers.get(ticket.tier) ?? null,
              ...(ticket.holder === undefined
                ? { price: { amount: ticket.price, currency: total.currency } }
                : { holder: ticket.holder.name }),
              code
            }))
          )
          const { name, performers, startsAt, timeZone, venue } = event
          return {
            orderId,
            holder: customer.name,
            event: {
              name,
              startsAt,
              timeZone,
              venue: { name: venue.name, location: venue.location },
              performers
            },
            locale: locale ?? localeFor(PreferencesContract.defaults, customer.locale),
            refunds: terms?.refunds ?? {},
            ...(onPlan != null && tickets.some(({ place }) => place !== undefined)
              ? { plan: onPlan.plan }
              : {}),
            tickets,
            issuedAtMs: placedAtMs
          } satisfies TicketDocument
        })
      })
    })
  ).pipe(Layer.provide(EventCopies.layer))
}
