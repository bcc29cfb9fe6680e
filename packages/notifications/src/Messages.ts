/** What our mails say. */
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import * as Calendar from "./Calendar.ts"
import type { Mail } from "./Mailer.ts"
import type { ConfirmedOrder } from "./NotificationFacts.ts"
import * as OrderReference from "./OrderReference.ts"
import { plain } from "./TextLayout.ts"
import * as Wording from "./Wording.ts"

/** Everything that stands in a mail and was typed by somebody goes through here. */
const html = (text: string) =>
  plain(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")

/** Tickets that are listed in a mail; the others are in the PDF. */
const maxListed = 20

const font = "font-family:-apple-system,'Segoe UI',Roboto,'Noto Sans',Helvetica,Arial,sans-serif"

/** The confirmation of an order, with its tickets as a PDF and the event as a calendar entry. */
export const orderConfirmed = (input: {
  readonly messageId: string
  readonly order: ConfirmedOrder
  readonly event: EventFacts
  readonly pdf: Uint8Array
}): Mail => {
  const { event, order } = input
  const tickets = order.tickets.filter(({ status }) => status === "valid")
  const listed = tickets.slice(0, maxListed)
  const priced = listed.map((ticket) => ({
    label: ticket.label,
    price: Wording.amount({ amount: ticket.price, currency: order.total.currency })
  }))
  const more = tickets.length - listed.length
  const name = plain(event.name)
  const day = Wording.day(event.startsAt, event.timeZone)
  const time = `${Wording.time(event.startsAt, event.timeZone)} ${Wording.zone(event.startsAt, event.timeZone)}`
  const place = [event.venue.name, event.venue.location].map(plain).filter((part) => part !== "")
  const count = tickets.length === 1 ? "your ticket" : `your ${tickets.length} tickets`
  const total = Wording.amount(order.total)
  const reference = OrderReference.make(order.orderId)

  const text = [
    `Hello ${plain(order.customer.name)},`,
    "",
    `thank you for your order. Here ${tickets.length === 1 ? "is" : "are"} ${count} for ${name}.`,
    "",
    `${day}, ${time}`,
    ...place,
    "",
    ...priced.map(({ label, price }) => `- ${plain(label)}: ${price}`),
    ...(more > 0 ? [`- and ${more} more`] : []),
    `Total: ${total}`,
    "",
    "The tickets are attached as a PDF. Show the code of each at the door, on paper or on a screen.",
    "Whoever has the code has the ticket: keep it to yourself.",
    "",
    `Order ${order.orderId} (on the tickets: ${reference})`,
    "Whoever has this number can return the tickets: do not pass this mail on.",
    ""
  ].join("\n")

  const rows = priced
    .map(
      ({ label, price }) =>
        `<tr><td style="padding:6px 0;border-bottom:1px solid #eef0f6">${html(label)}</td>` +
        `<td align="right" style="padding:6px 0;border-bottom:1px solid #eef0f6;white-space:nowrap">${html(price)}</td></tr>`
    )
    .join("")
  const body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${html(name)}</title></head>
<body style="margin:0;background:#f4f5fa;color:#14142b;${font};font-size:16px;line-height:1.5">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border-radius:14px;overflow:hidden">
<tr><td style="background:#3a1d94;color:#ffffff;padding:28px">
<div style="font-size:24px;font-weight:700;line-height:1.25" dir="auto">${html(name)}</div>
<div style="margin-top:10px;font-weight:600">${html(day)} · ${html(time)}</div>
<div style="color:#d6ccff" dir="auto">${place.map(html).join("<br>")}</div>
</td></tr>
<tr><td style="padding:24px 28px">
<p style="margin:0 0 12px">Hello <span dir="auto">${html(order.customer.name)}</span>,</p>
<p style="margin:0 0 18px">thank you for your order. ${tickets.length === 1 ? "Your ticket is" : "Your tickets are"} attached as a PDF. Show the code of each at the door, on paper or on a screen. Whoever has the code has the ticket: keep it to yourself.</p>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0">${rows}${
    more > 0 ? `<tr><td colspan="2" style="padding:6px 0">and ${more} more</td></tr>` : ""
  }<tr><td style="padding:10px 0;font-weight:700">Total</td><td align="right" style="padding:10px 0;font-weight:700">${html(total)}</td></tr></table>
<p style="margin:18px 0 0;color:#6e7191;font-size:13px">Order ${html(order.orderId)} (on the tickets: ${reference}). Whoever has this number can return the tickets: do not pass this mail on.</p>
</td></tr>
</table>
</td></tr></table>
</body>
</html>
`

  return {
    messageId: input.messageId,
    to: { name: plain(order.customer.name), address: order.customer.email },
    subject: `${tickets.length === 1 ? "Your ticket" : "Your tickets"} for ${name}`,
    text,
    html: body,
    attachments: [
      { filename: "tickets.pdf", contentType: "application/pdf", content: input.pdf },
      {
        filename: "event.ics",
        contentType: "text/calendar; charset=utf-8; method=PUBLISH",
        content: Buffer.from(Calendar.entry(event, order.placedAtMs))
      }
    ]
  }
}
