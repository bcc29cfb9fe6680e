/** A calendar entry for an event (iCalendar, RFC 5545). */
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { Locale } from "@onsale/contracts/notifications/Locale"
import * as ICalendar from "@onsale/platform/ICalendar"
import type { Revision } from "./Told.ts"
import { languages } from "./templates/Languages.ts"

/**
 * For a reader of that language, with tickets of an order of theirs or one that was given to them. Of two entries that
 * with the higher `sequence` counts (RFC 5546). How long an event lasts is not known: it has no end.
 */
export const entry = (
  event: EventFacts,
  { atMs, cancelled, sequence }: Revision,
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
        ...(cancelled
          ? ["STATUS:CANCELLED"]
          : [ICalendar.text("DESCRIPTION", languages[locale].calendarNote[of]), "STATUS:CONFIRMED"])
      ])
    ])
  )
