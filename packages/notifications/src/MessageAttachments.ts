/** What goes with a mail: the tickets, and the entry for a calendar. */
import type { Locale } from "@onsale/contracts/notifications/Locale"
import { Context, Effect, Layer, Result } from "effect"
import * as Calendar from "./Calendar.ts"
import type { Attachment } from "./Channel.ts"
import type { Revision, Told } from "./Told.ts"
import { Notifications } from "./Notifications.ts"
import type { NoticeContent } from "./templates/NoticeContent.ts"

const calendar = (
  { event, order }: Extract<NoticeContent, { readonly order: unknown }>,
  revision: Revision | undefined,
  locale: Locale
): ReadonlyArray<Attachment> =>
  revision === undefined
    ? []
    : [
        {
          filename: "event.ics",
          contentType: "text/calendar; charset=utf-8; method=PUBLISH",
          content: Buffer.from(
            Calendar.entry(event, revision, locale, order.toHolder === undefined ? "order" : "ticket")
          )
        }
      ]

export class MessageAttachments extends Context.Service<
  MessageAttachments,
  {
    /** Fails in its result with why there is nothing to send any more. */
    readonly of: (
      told: Told,
      locale: Locale
    ) => Effect.Effect<Result.Result<ReadonlyArray<Attachment>, string>>
  }
>()("@onsale/notifications/MessageAttachments") {
  static readonly layer = Layer.effect(
    MessageAttachments,
    Effect.gen(function* () {
      const notifications = yield* Notifications
      return MessageAttachments.of({
        of: Effect.fn("MessageAttachments.of")(function* (
          { confirmed, content, revision, ticketId },
          locale
        ) {
          switch (content._tag) {
            case "OrderConfirmed":
            case "TicketReissued": {
              if (confirmed === null) return Result.succeed([])
              // Whoever paid hears of it, and has given every ticket away.
              if (content._tag === "OrderConfirmed" && content.order.tickets.length === 0) {
                return Result.succeed([])
              }
              const { orderId, tickets } = confirmed
              const document = yield* Effect.result(
                notifications.documentOf(orderId, tickets, { ticketId, locale })
              )
              if (Result.isFailure(document)) {
                const { failure } = document
                // Refunded before it could be sent: there is nothing left to send. All else was there when it was offered.
                return failure._tag === "TicketsNotReady" && failure.reason === "NoValidTickets"
                  ? Result.fail(
                      ticketId === undefined
                        ? "the order has no valid tickets any more"
                        : "the ticket is not valid any more"
                    )
                  : yield* Effect.die(failure)
              }
              const pdf = yield* notifications.renderTickets(document.success)
              return Result.succeed([
                { filename: "tickets.pdf", contentType: "application/pdf", content: pdf },
                ...calendar(content, revision, locale)
              ])
            }
            case "EventChanged":
              return Result.succeed(
                content.order.tickets.length === 0 ? [] : calendar(content, revision, locale)
              )
            // No tickets are left, and calendars may have the entry.
            case "EventCancelled":
              return Result.succeed(calendar(content, revision, locale))
            default:
              return Result.succeed([])
          }
        })
      })
    })
  )
}
