/** Tickets as documents and codes, and the mails that carry them: what the gateway asks of this context. */
import type { OrderTicket, OrderView } from "@onsale/contracts/booking/Order"
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { DoorKey } from "@onsale/contracts/booking/DoorBundle"
import type { EventDetail } from "@onsale/contracts/catalog/Event"
import type { EventId, OrderId, TicketId } from "@onsale/contracts/Ids"
import type { SentMail } from "@onsale/contracts/notifications/Mail"
import type { TicketClaim, TicketCode, TicketCodeForged } from "@onsale/contracts/notifications/TicketCode"
import {
  maxTicketsInDocument,
  type TicketDocument,
  TicketsNotFound,
  TicketsNotReady
} from "@onsale/contracts/notifications/TicketDocument"
import { Context, Effect, Layer, Option } from "effect"
import { MailWebhooks } from "./MailWebhooks.ts"
import { MessageLog } from "./MessageLog.ts"
import { NoticeJobs } from "./NoticeJobs.ts"
import { type ConfirmedOrder, NotificationFacts } from "./NotificationFacts.ts"
import { Preferences } from "./Preferences.ts"
import { UnsubscribeLinks } from "./UnsubscribeLinks.ts"
import { PushSubscriptions } from "./push/PushSubscriptions.ts"
import { VapidKeys } from "./push/VapidKeys.ts"
import { SmsCallbacks } from "./sms/SmsCallbacks.ts"
import { SigningKeys } from "./SigningKeys.ts"
import { Suppressions } from "./Suppressions.ts"
import { TicketCodes } from "./TicketCode.ts"
import { TicketPress } from "./TicketPress.ts"

/** What a document is made of, besides the codes. */
interface Printable {
  readonly orderId: OrderId
  readonly placedAtMs: number
  readonly eventId: EventId
  readonly holder: string
  readonly currency: string
  readonly tickets: ReadonlyArray<OrderTicket>
  readonly event: TicketDocument["event"]
  /** Names of tiers by id, as far as they are known. */
  readonly tiers: ReadonlyMap<string, string>
}

export class Notifications extends Context.Service<
  Notifications,
  {
    /**
     * The tickets of a confirmed order as a PDF, by what this context has heard of it. `TicketsNotFound` may
     * mean not yet: the caller who knows better has `documentOf` and `renderTickets`.
     */
    readonly documentFor: (orderId: OrderId) => Effect.Effect<Uint8Array, TicketsNotFound | TicketsNotReady>
    /** The same of what is at hand, or that ticket of it alone; fails where none of it is valid. */
    readonly ticketsOf: (
      order: ConfirmedOrder,
      event: EventFacts,
      ticketId?: TicketId
    ) => Effect.Effect<Uint8Array, TicketsNotReady>
    /** What stands on the valid tickets of an order that the caller has at hand, but for those that were given to others. */
    readonly documentOf: (
      order: OrderView,
      event: EventDetail
    ) => Effect.Effect<TicketDocument, TicketsNotReady>
    /** A PDF of that; waits where many are drawn already. */
    readonly renderTickets: (document: TicketDocument) => Effect.Effect<Uint8Array>
    /** The code of a ticket, in its present version. */
    readonly codeFor: (
      eventId: EventId,
      ticket: { readonly id: TicketId; readonly codeVersion: number }
    ) => Effect.Effect<TicketCode>
    readonly verify: (code: string) => Effect.Effect<TicketClaim, TicketCodeForged>
    /** What a gate takes with it, as a compact JWS. */
    readonly seal: TicketCodes["Service"]["seal"]
    /** The public keys that codes and bundles hold by. */
    readonly doorKeys: Effect.Effect<ReadonlyArray<DoorKey>>
    /** The mails that were sent about an order, oldest first. */
    readonly mails: (orderId: OrderId) => Effect.Effect<ReadonlyArray<SentMail>>
  }
>()("@onsale/notifications/Notifications") {
  static readonly layerNoDeps = Layer.effect(
    Notifications,
    Effect.gen(function* () {
      const facts = yield* NotificationFacts
      const log = yield* MessageLog
      const codes = yield* TicketCodes
      const press = yield* TicketPress

      const codeFor = Effect.fn("Notifications.codeFor")(
        (eventId: EventId, ticket: { readonly id: TicketId; readonly codeVersion: number }) =>
          codes.sign({ eventId, ticketId: ticket.id, version: ticket.codeVersion })
      )

      /** The buyer's tickets, or that one. What was given to somebody else is for that person alone. */
      const compose = Effect.fnUntraced(function* (source: Printable, ticketId?: TicketId) {
        const valid = source.tickets.filter(
          ({ holder, id, status }) =>
            status === "valid" && (ticketId === undefined ? holder === undefined : id === ticketId)
        )
        if (valid.length === 0) {
          return yield* new TicketsNotReady({ orderId: source.orderId, reason: "NoValidTickets" })
        }
        const tickets = yield* Effect.forEach(valid, (ticket) =>
          Effect.map(codeFor(source.eventId, ticket), (code) => ({
            id: ticket.id,
            label: ticket.label,
            tier: source.tiers.get(ticket.tier) ?? null,
            price: { amount: ticket.price, currency: source.currency },
            ...(ticket.holder === undefined ? {} : { holder: ticket.holder.name }),
            code
          }))
        )
        return {
          orderId: source.orderId,
          holder: source.holder,
          event: source.event,
          tickets,
          issuedAtMs: source.placedAtMs
        } satisfies TicketDocument
      })

      const renderTickets = Effect.fn("Notifications.renderTickets")((document: TicketDocument) =>
        document.tickets.length > maxTicketsInDocument
          ? Effect.die(new RangeError(`order ${document.orderId} has more tickets than a document`))
          : press.draw(document)
      )

      const ticketsOf = Effect.fn("Notifications.ticketsOf")(function* (
        order: ConfirmedOrder,
        event: EventFacts,
        ticketId?: TicketId
      ) {
        const { customer, eventId, orderId, placedAtMs, tickets, total } = order
        const tiers = new Map(event.tiers.map(({ id, name }) => [id, name]))
        const document = yield* compose(
          {
            orderId,
            placedAtMs,
            eventId,
            holder: customer.name,
            currency: total.currency,
            tickets,
            event,
            tiers
          },
          ticketId
        )
        return yield* renderTickets(document)
      })

      return Notifications.of({
        codeFor,
        renderTickets,
        verify: codes.verify,
        seal: codes.seal,
        doorKeys: codes.doorKeys,
        mails: log.mails,

        documentOf: Effect.fn("Notifications.documentOf")((order, event) =>
          compose({
            orderId: order.id,
            placedAtMs: Date.parse(order.createdAt),
            eventId: order.eventId,
            holder: order.customer.name,
            currency: order.total.currency,
            tickets: order.tickets,
            event: { ...event, performers: event.performers.map(({ name }) => name) },
            tiers: new Map(event.tiers.map(({ id, name }) => [id, name]))
          })
        ),

        documentFor: Effect.fn("Notifications.documentFor")(function* (orderId) {
          const order = yield* facts.order(orderId)
          if (Option.isNone(order)) return yield* new TicketsNotFound({ orderId })
          const event = yield* facts.event(order.value.eventId)
          if (Option.isNone(event)) return yield* new TicketsNotReady({ orderId, reason: "EventUnknown" })
          return yield* ticketsOf(order.value, event.value)
        }),
        ticketsOf
      })
    })
  )

  /** Documents and codes: what a process needs that answers requests. */
  static readonly layer = this.layerNoDeps.pipe(
    Layer.provide(TicketPress.layer),
    Layer.provideMerge([
      NotificationFacts.layer,
      Preferences.layer,
      UnsubscribeLinks.layer,
      MessageLog.layer.pipe(Layer.provide(NoticeJobs.layer)),
      PushSubscriptions.layer.pipe(Layer.provide(NoticeJobs.layer)),
      VapidKeys.layer,
      Layer.merge(MailWebhooks.layer, SmsCallbacks.layer).pipe(Layer.provideMerge(Suppressions.layer))
    ]),
    Layer.provideMerge(TicketCodes.layer.pipe(Layer.provide(SigningKeys.layer)))
  )
}
