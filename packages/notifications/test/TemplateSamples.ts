/** Contents to render in tests: ordinary ones are those of the preview, hostile ones are made here. */
import type { NoticeContent } from "../src/templates/NoticeContent.ts"
import { samples } from "../src/templates/Samples.ts"

/** Tags, quotes, line breaks, things that look like placeholders, and characters that turn the direction of text. */
export const hostile = `<img src=x onerror=alert(1)>"'&\u202eevil\u202c\u2066\r\nBcc: all@example.org {name} ${"שלום".repeat(3)}`

/** The same content with hostile text wherever somebody can type, as long as anybody will. */
export const hostileOf = (content: NoticeContent): NoticeContent => {
  const long = hostile + "x".repeat(200)
  const event = {
    ...content.event,
    name: long,
    venue: { ...content.event.venue, name: hostile, location: hostile },
    performers: [hostile]
  }
  if (content._tag === "HoldExpiring") return { ...content, event }
  const order = {
    ...content.order,
    holder: long,
    ...(content.order.toHolder === undefined ? {} : { toHolder: long }),
    tickets: content.order.tickets.map((ticket) => ({ ...ticket, label: hostile }))
  }
  switch (content._tag) {
    case "OrderConfirmed":
      return {
        ...content,
        event,
        order,
        gone: content.gone.map((ticket) => ({
          ...ticket,
          label: hostile,
          to: ticket.to === null ? null : long
        }))
      }
    case "EventCancelled":
      return { ...content, event, order, reason: hostile }
    case "Refunded":
      return { ...content, event, order, labels: content.labels.map(() => hostile) }
    case "TicketReissued":
      return { ...content, event, order, label: hostile }
    case "PaymentPending":
    case "PaymentExpiring":
      return { ...content, event, order, actionUrl: "javascript:alert(1)" }
    default:
      return { ...content, event, order }
  }
}

export const all: ReadonlyArray<NoticeContent> = Object.values(samples).flat()
