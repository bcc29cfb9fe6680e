/** What goes with a mail: the tickets, and the entry for a calendar. */
import { Context, Effect, Layer, Option, Result } from "effect"
import * as Calendar from "./Calendar.ts"
import type { Attachment } from "./Channel.ts"
import type { EventNotKnownYet } from "./NoticeContents.ts"
import { NotificationFacts } from "./NotificationFacts.ts"
import { Notifications } from "./Notifications.ts"
import type { NoticeContent } from "./templates/NoticeContent.ts"

type About = Extract<NoticeContent, { readonly order: unknown }>

export class MessageAttachments extends Context.Service<
  MessageAttachments,
  {
    /** Fails in its result with why there is nothing to send any more. */
    readonly of: (
      content: NoticeContent
    ) => Effect.Effect<Result.Result<ReadonlyArray<Attachment>, string>, EventNotKnownYet>
  }
>()("@onsale/notifications/MessageAttachments") {
  static readonly layer = Layer.effect(
    MessageAttachments,
    Effect.gen(function* () {
      const facts = yield* NotificationFacts
      const notifications = yield* Notifications

      const calendar = Effect.fnUntraced(function* ({ event, order }: About) {
        const known = yield* facts.order(order.orderId)
        const issuedAtMs = Option.match(known, { onNone: () => 0, onSome: ({ placedAtMs }) => placedAtMs })
        const attachment: Attachment = {
          filename: "event.ics",
          contentType: "text/calendar; charset=utf-8; method=PUBLISH",
          content: Buffer.from(Calendar.entry(event, issuedAtMs))
        }
        return attachment
      })

      const tickets = Effect.fnUntraced(function* ({ order: { orderId } }: About) {
        const pdf = yield* Effect.result(notifications.documentFor(orderId))
        if (Result.isSuccess(pdf)) {
          const attachment: Attachment = {
            filename: "tickets.pdf",
            contentType: "application/pdf",
            content: pdf.success
          }
          return Result.succeed(attachment)
        }
        const { failure } = pdf
        // Refunded before it could be sent: there is nothing left to send.
        if (failure._tag === "TicketsNotReady" && failure.reason === "NoValidTickets") {
          return Result.fail("the order has no valid tickets any more")
        }
        return yield* Effect.die(failure)
      })

      return MessageAttachments.of({
        of: Effect.fn("MessageAttachments.of")(function* (content) {
          switch (content._tag) {
            case "OrderConfirmed":
            case "TicketReissued": {
              const pdf = yield* tickets(content)
              if (Result.isFailure(pdf)) return Result.fail(pdf.failure)
              return Result.succeed([pdf.success, yield* calendar(content)])
            }
            case "EventChanged":
              return Result.succeed([yield* calendar(content)])
            default:
              return Result.succeed([])
          }
        })
      })
    })
  )
}
