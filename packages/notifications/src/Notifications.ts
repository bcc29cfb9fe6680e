/** Tickets as documents and codes, and the mails that carry them: what the gateway asks of this context. */
import type { DoorKey } from "@onsale/contracts/booking/DoorBundle"
import type { EventId, OrderId, TicketId } from "@onsale/contracts/Ids"
import type { SentMail } from "@onsale/contracts/notifications/Mail"
import type { TicketClaim, TicketCode, TicketCodeForged } from "@onsale/contracts/notifications/TicketCode"
import {
  maxTicketsInDocument,
  type TicketDocument,
  TicketsNotFound,
  type TicketsNotReady
} from "@onsale/contracts/notifications/TicketDocument"
import { Context, Effect, Layer, Option } from "effect"
import { MailWebhooks } from "./MailWebhooks.ts"
import { MessageLog } from "./MessageLog.ts"
import { NoticeJobs } from "./NoticeJobs.ts"
import { NotificationFacts } from "./NotificationFacts.ts"
import { Preferences } from "./Preferences.ts"
import { UnsubscribeLinks } from "./UnsubscribeLinks.ts"
import { PushSubscriptions } from "./push/PushSubscriptions.ts"
import { VapidKeys } from "./push/VapidKeys.ts"
import { SmsCallbacks } from "./sms/SmsCallbacks.ts"
import { SigningKeys } from "./SigningKeys.ts"
import { Suppressions } from "./Suppressions.ts"
import { TicketCodes } from "./TicketCode.ts"
import { TicketDocuments } from "./TicketDocuments.ts"
import { TicketPress } from "./TicketPress.ts"

export class Notifications extends Context.Service<
  Notifications,
  {
    /** The tickets of a confirmed order as a PDF, by what this context has heard of it; `TicketsNotFound` may mean not yet. */
    readonly documentFor: (orderId: OrderId) => Effect.Effect<Uint8Array, TicketsNotFound | TicketsNotReady>
    /** What stands on the valid tickets of an order, or on one of them, of tickets that the caller has at hand: see there. */
    readonly documentOf: TicketDocuments["Service"]["of"]
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
      const documents = yield* TicketDocuments

      const codeFor = Effect.fn("Notifications.codeFor")(
        (eventId: EventId, ticket: { readonly id: TicketId; readonly codeVersion: number }) =>
          codes.sign({ eventId, ticketId: ticket.id, version: ticket.codeVersion })
      )

      const renderTickets = Effect.fn("Notifications.renderTickets")((document: TicketDocument) =>
        document.tickets.length > maxTicketsInDocument
          ? Effect.die(new RangeError(`order ${document.orderId} has more tickets than a document`))
          : press.draw(document)
      )

      return Notifications.of({
        codeFor,
        renderTickets,
        verify: codes.verify,
        seal: codes.seal,
        doorKeys: codes.doorKeys,
        mails: log.mails,

        documentOf: documents.of,

        documentFor: Effect.fn("Notifications.documentFor")(function* (orderId) {
          const order = yield* facts.order(orderId)
          if (Option.isNone(order)) return yield* new TicketsNotFound({ orderId })
          return yield* renderTickets(yield* documents.of(orderId, order.value.tickets))
        })
      })
    })
  )

  /** Documents and codes: what a process needs that answers requests. */
  static readonly layer = this.layerNoDeps.pipe(
    Layer.provide([TicketPress.layer, TicketDocuments.layer]),
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
