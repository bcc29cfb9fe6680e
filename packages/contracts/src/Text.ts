/** Text that everything behind us can keep: Postgres has no U+0000, and JSON no half of a surrogate pair. */
import { Schema } from "effect"

export const isStorable = Schema.makeFilter((text: string) =>
  !text.includes("\0") && text.isWellFormed()
    ? undefined
    : "Expected well-formed Unicode without the character U+0000"
)

/** New names of events, venues and people, which end up in headers, calendars, file names and on tickets: nothing in them ends a line or steers a terminal. */
export const isLine = Schema.makeFilter((text: string) =>
  /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) ? "Expected one line without control characters" : undefined
)

/** Any text up to a number of UTF-16 code units. */
export const storableText = (maxLength: number) =>
  Schema.String.check(Schema.isMaxLength(maxLength), isStorable)
