/** A calendar entry for an event (iCalendar, RFC 5545). */
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"

const escape = (text: string) =>
  text
    .replace(/\\/g, "\\\\")
    .replace(/([;,])/g, "\\$1")
    .replace(/\r?\n|\r/g, "\\n")
    .replace(/\p{Cc}/gu, "")

/** A line is at most 75 bytes long; what is more goes on in the next, behind a blank. */
const fold = (text: string): string => {
  let folded = ""
  let bytes = 0
  for (const char of text) {
    const size = Buffer.byteLength(char)
    if (bytes + size > 75) {
      folded += "\r\n "
      bytes = 1
    }
    folded += char
    bytes += size
  }
  return folded
}

const instant = (ms: number) => new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, "")

/** `issuedAtMs` is when it is made, milliseconds since 1970. How long an event lasts is not known: it has no end. */
export const entry = (event: EventFacts, issuedAtMs: number): string =>
  [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Onsale//Tickets//EN",
    "METHOD:PUBLISH",
    "BEGIN:VEVENT",
    // One entry however many orders somebody has for it.
    `UID:${event.eventId}`,
    `DTSTAMP:${instant(issuedAtMs)}`,
    `DTSTART:${instant(Date.parse(event.startsAt))}`,
    `SUMMARY:${escape(event.name)}`,
    `LOCATION:${escape([event.venue.name, event.venue.location].filter((part) => part !== "").join(", "))}`,
    "END:VEVENT",
    "END:VCALENDAR"
  ]
    .map((line) => `${fold(line)}\r\n`)
    .join("")
