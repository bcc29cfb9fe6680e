/** The card on a page: its edge, its head in colour, and the line where it may be torn. */
import type { Document } from "./PageText.ts"

// Points. A5, with a card on it that most printers can print whole.
export const page = { width: 419.53, height: 595.28 }
const margin = 22
export const card = {
  x: margin,
  y: margin,
  width: page.width - 2 * margin,
  height: page.height - 2 * margin - 14
}
const corner = 14
const notch = 8

const hairline = "#d9dbe9"
const headFrom = "#1b1147"
const headTo = "#5b2bd9"

/** `tearY`: between what a person reads and what a door reads. */
export const drawCard = (doc: Document, headHeight: number, tearY: number) => {
  doc.save().roundedRect(card.x, card.y, card.width, card.height, corner).clip()
  const gradient = doc.linearGradient(card.x, card.y, card.x + card.width, card.y + headHeight)
  gradient.stop(0, headFrom).stop(1, headTo)
  doc.rect(card.x, card.y, card.width, headHeight).fill(gradient).restore()
  doc.lineWidth(0.8).strokeColor(hairline)
  doc.roundedRect(card.x, card.y, card.width, card.height, corner).stroke()
  doc
    .save()
    .dash(3, { space: 4 })
    .moveTo(card.x + notch + 6, tearY)
    .lineTo(card.x + card.width - notch - 6, tearY)
    .stroke()
    .restore()
  for (const [x, clipX] of [
    [card.x, card.x - 1],
    [card.x + card.width, card.x + card.width - notch - 1]
  ] as const) {
    doc
      .save()
      .rect(clipX, tearY - notch - 1, notch + 2, 2 * notch + 2)
      .clip()
    doc.circle(x, tearY, notch).fillAndStroke("#ffffff", hairline).restore()
  }
}
