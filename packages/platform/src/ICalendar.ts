/** Calendars as text (iCalendar, RFC 5545): content lines, folded and escaped. What stands in them is the caller's. */

/** Octets of a line without its end; what is more goes on in the next line, behind a blank (RFC 5545 §3.1). */
const maxLineOctets = 75

/** A text as a value of a property: what somebody typed cannot end the line, or the value. */
const escape = (text: string): string =>
  text
    .replace(/\\/g, "\\\\")
    .replace(/([;,])/g, "\\$1")
    .replace(/\r\n|[\r\n\u2028\u2029]/g, "\\n")
    .replace(/\p{Cc}/gu, "")

/** Never within a character: half of one would not be UTF-8. */
const fold = (line: string): string => {
  let folded = ""
  let octets = 0
  for (const char of line) {
    const size = Buffer.byteLength(char)
    if (octets + size > maxLineOctets) {
      folded += "\r\n "
      octets = 1
    }
    folded += char
    octets += size
  }
  return folded
}

/** A property whose value is a TEXT. */
export const text = (name: string, value: string): string => `${name}:${escape(value)}`

/** A property whose value is an instant, milliseconds since 1970, in UTC: so it needs no rules of a time zone. */
export const instant = (name: string, ms: number): string =>
  `${name}:${new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, "")}`

/** Properties between the lines that begin and end a component, such as `VEVENT`. */
export const component = (name: string, lines: ReadonlyArray<string>): ReadonlyArray<string> => [
  `BEGIN:${name}`,
  ...lines,
  `END:${name}`
]

/** The lines of a calendar as they are sent. */
export const render = (lines: ReadonlyArray<string>): string =>
  lines.map((line) => `${fold(line)}\r\n`).join("")
