/** Events as calendars have them (iCalendar, RFC 5545). Pure. */
import * as CalendarSequence from "@onsale/contracts/booking/CalendarSequence"
import type { OrderView } from "@onsale/contracts/booking/Order"
import type { CalendarEvent } from "@onsale/catalog/PublicEvents"
import * as ICalendar from "@onsale/platform/ICalendar"

/** How often a calendar that is subscribed to should ask again. */
const refreshEvery = "PT1H"
/** Tickets that an entry names. */
const maxNamed = 20

type Status = "CONFIRMED" | "TENTATIVE" | "CANCELLED"

const entry = (
  event: CalendarEvent,
  url: string,
  more: {
    readonly status: Status
    readonly sequence: number
    readonly changedAtMs: number
    readonly description?: string
  }
) =>
  ICalendar.component("VEVENT", [
    // The same in every calendar and in the mail of an order, so that none shows it twice.
    `UID:${event.id}`,
    // A calendar without a METHOD: the time of its last change.
    ICalendar.instant("DTSTAMP", more.changedAtMs),
    ICalendar.instant("LAST-MODIFIED", more.changedAtMs),
    `SEQUENCE:${more.sequence}`,
    // How long an event lasts is not known: it has no end.
    ICalendar.instant("DTSTART", event.startsAtMs),
    ICalendar.text("SUMMARY", event.name),
    ICalendar.text(
      "LOCATION",
      [event.venue.name, event.venue.location].filter((part) => part !== "").join(", ")
    ),
    ...(more.description === undefined ? [] : [ICalendar.text("DESCRIPTION", more.description)]),
    `URL:${url}`,
    `STATUS:${more.status}`
  ])

const calendar = (name: string, entries: ReadonlyArray<string>): string =>
  ICalendar.render(
    ICalendar.component("VCALENDAR", [
      "VERSION:2.0",
      "PRODID:-//Onsale//Events//EN",
      ICalendar.text("NAME", name),
      // What those call it that are older than RFC 7986.
      ICalendar.text("X-WR-CALNAME", name),
      `REFRESH-INTERVAL;VALUE=DURATION:${refreshEvery}`,
      `X-PUBLISHED-TTL:${refreshEvery}`,
      ...entries
    ])
  )

type UrlOf = (eventId: CalendarEvent["id"]) => string

export const ofVenue = (
  venue: { readonly name: string; readonly events: ReadonlyArray<CalendarEvent> },
  urlOf: UrlOf
): string =>
  calendar(
    venue.name,
    venue.events.flatMap((event) =>
      entry(event, urlOf(event.id), {
        status: event.cancelled ? "CANCELLED" : "CONFIRMED",
        sequence: event.revision,
        changedAtMs: event.changedAtMs
      })
    )
  )

const statusOf = (order: OrderView, event: CalendarEvent): Status => {
  if (event.cancelled) return "CANCELLED"
  if (order.status === "payment_pending") return "TENTATIVE"
  return order.tickets.some(({ status }) => status === "valid") ? "CONFIRMED" : "CANCELLED"
}

export const ofOrder = (order: OrderView, event: CalendarEvent, urlOf: UrlOf): string => {
  const tickets = order.tickets.flatMap(({ label, status }) => (status === "valid" ? [label] : []))
  const named = tickets.slice(0, maxNamed)
  const status = statusOf(order, event)
  return calendar(
    event.name,
    entry(event, urlOf(event.id), {
      status,
      sequence: CalendarSequence.ofOrder(event.revision, order),
      changedAtMs: Math.max(event.changedAtMs, Date.parse(order.updatedAt)),
      ...(named.length === 0
        ? {}
        : {
            description: [
              ...named,
              ...(tickets.length > maxNamed ? [`+ ${tickets.length - maxNamed}`] : [])
            ].join("\n")
          })
    })
  )
}
