/** A calendar entry for an event (iCalendar, RFC 5545). */
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { Locale } from "@onsale/contracts/notifications/Locale"
import * as ICalendar from "@onsale/platform/ICalendar"
import { languages } from "./templates/Languages.ts"

/**
 * For a reader of that language, with tickets of an order of theirs or one that was given to them. `atMs` is when the event
 * became what is shown, or the order was placed, milliseconds since 1970; of two entries that with the higher `sequence`
 * counts (RFC 5546). How long an event lasts is not known: it has no end.
 */
export const entry = (
  event: EventFacts,
  { atMs, sequence }: { readonly atMs: number; readonly sequence: number },
  locale: Locale = "en",
  of: "order" | "ticket" = "order"
): string =>
  ICalendar.render(
    ICalendar.component("VCALENDAR", [
      "VERSION:2.0",
      `PRODID:-//Onsale//Tickets//${locale.toUpperCase()}`,
      "METHOD:PUBLISH",
      ...ICalendar.component("VEVENT", [
        // One entry however many orders somebody has for it.
        `UID:${event.eventId}`,
        `SEQUENCE:${sequence}`,
        ICalendar.instant("DTSTAMP", atMs),
        ICalendar.instant("DTSTART", Date.parse(event.startsAt)),
        ICalendar.text("SUMMARY", event.name),
        ICalendar.text(
          "LOCATION",
          [event.venue.name, event.venue.location].filter((part) => part !== "").join(", ")
        ),
        ICalendar.text("DESCRIPTION", languages[locale].calendarNote[of])
      ])
    ])
  )
