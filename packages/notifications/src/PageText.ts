/** Puts text on a page: lines that begin at the left, the middle or the right, and fields with a label. */
import { reach } from "./MarkStacks.ts"
import { type Line, line, type Style, wrap } from "./TextLayout.ts"

export type Document = PDFKit.PDFDocument

export type Align = "left" | "centre" | "right"

/** Where a block of text stands, in points: at the top of `y`, between two edges. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
}

/** Sizes and numbers of lines to be tried, the best first. */
export type Choices = ReadonlyArray<readonly [size: number, lines: number]>

export const leading = 1.28

export const ink = "#14142b"
export const faint = "#6e7191"

export const labelStyle: Style = { weight: "bold", size: 7 }
const smallStyle: Style = { weight: "regular", size: 9 }

const shares: { readonly [A in Align]: number } = { left: 0, centre: 0.5, right: 1 }

/** Of what may stand over or under a letter, also by a way that nobody has thought of: marks, and what joins letters. */
const stacking = /[\p{M}\p{Cf}]/u

/** Whatever is stacked up in a line, no more of it than half a line stands in another. */
const withinLine = (
  doc: Document,
  { runs, width }: Line,
  size: number,
  x: number,
  baseline: number,
  put: () => void
) => {
  if (!runs.some(({ text }) => stacking.test(text))) return put()
  doc.save()
  doc
    .rect(x - size, baseline - reach.above * size, width + 2 * size, (reach.above + reach.below) * size)
    .clip()
  put()
  doc.restore()
}

/** Draws lines, and answers where the next would begin. */
export const draw = (
  doc: Document,
  lines: ReadonlyArray<Line>,
  style: Style,
  box: Box,
  colour: string,
  align: Align
): number => {
  let baseline = box.y + style.size
  for (const each of lines) {
    const start = box.x + (box.width - each.width) * shares[align]
    const at = baseline
    withinLine(doc, each, style.size, start, at, () => {
      let x = start
      for (const run of each.runs) {
        doc.registerFont(run.face.name, run.face.font)
        doc
          .font(run.face.name)
          .fontSize(style.size * run.face.scale)
          .fillColor(colour)
        doc.text(run.text, x, at, { lineBreak: false, features: [], baseline: "alphabetic" })
        x += run.width
      }
    })
    baseline += style.size * leading
  }
  return box.y + style.size * leading * lines.length
}

export interface Fitted {
  readonly style: Style
  readonly lines: ReadonlyArray<Line>
}

/** In the first of some sizes and numbers of lines in which the whole text has room, or else the last. */
export const fitting = (text: string, weight: Style["weight"], choices: Choices, width: number): Fitted => {
  for (const [size, maxLines] of choices) {
    const lines = wrap(text, { weight, size }, width, maxLines + 1)
    if (lines.length <= maxLines) return { style: { weight, size }, lines }
  }
  const [size, maxLines] = choices[choices.length - 1] ?? [10, 1]
  return { style: { weight, size }, lines: wrap(text, { weight, size }, width, maxLines) }
}

export const heightOf = ({ lines, style }: Fitted): number => lines.length * style.size * leading

export interface Field extends Fitted {
  readonly label: Line
  readonly more: ReadonlyArray<Line>
}

/** A text under its label, with more of it in small. */
export const field = (
  name: string,
  text: string,
  width: number,
  choices: Choices,
  { more = "", moreLines = 2 }: { readonly more?: string; readonly moreLines?: number } = {}
): Field => ({
  label: line(name, labelStyle),
  ...fitting(text, "bold", choices, width),
  more: wrap(more, smallStyle, width, moreLines)
})

export const drawField = (doc: Document, field: Field, box: Box, align: Align): number => {
  draw(doc, [field.label], labelStyle, box, faint, align)
  const below = draw(doc, field.lines, field.style, { ...box, y: box.y + 11 }, ink, align)
  return draw(doc, field.more, smallStyle, { ...box, y: below }, faint, align)
}
