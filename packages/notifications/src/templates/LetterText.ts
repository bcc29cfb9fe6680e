/** The plain text part of a mail. */
import type { Letter, Row } from "./Letter.ts"
import type { Words } from "./Words.ts"

const rowText = ({ label, value }: Row, words: Words): string =>
  value.length === 0 ? `- ${label}` : `- ${words.labelled(label, value.join(" · "))}`

/** Blocks with blank lines between them. */
export const render = (letter: Letter, words: Words): string => {
  const blocks: ReadonlyArray<ReadonlyArray<string>> = [
    [letter.heading],
    letter.greeting === null ? [] : [letter.greeting],
    letter.body,
    [letter.event.name, letter.event.when, ...letter.event.place],
    letter.quote === null ? [] : [`${letter.quote.label}:`, letter.quote.text],
    letter.rows.map((row) => rowText(row, words)),
    letter.action === null ? [] : [`${letter.action.label}:`, letter.action.url],
    letter.notes,
    [
      "-- ",
      letter.because,
      ...(letter.unsubscribe === null ? [] : [`${letter.unsubscribe.label}:`, letter.unsubscribe.url])
    ]
  ]
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`
}
