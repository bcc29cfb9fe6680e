/** A font whose texts HarfBuzz shapes; all else it does as before. */
import type { Font } from "fontkit"
import type { PlacedGlyph } from "./HarfBuzz.ts"

/** The letters that each of some glyphs stands for, as they are found when a document is searched. */
const lettersOf = (text: string, glyphs: ReadonlyArray<PlacedGlyph>): ReadonlyArray<Array<number>> => {
  const starts = [...new Set(glyphs.map(({ from }) => from))].toSorted((a, b) => a - b)
  const left = new Map(
    starts.map((from, i) => [
      from,
      Array.from(text.slice(from, starts[i + 1]), (char) => char.codePointAt(0)!)
    ])
  )
  return glyphs.map(({ from }) => {
    const letters = left.get(from) ?? []
    // Of several glyphs for one letter the first has it.
    left.delete(from)
    return letters
  })
}

/** The font, which from now on lays out what `shape` makes of a text. */
export const shapedBy = (shape: (text: string) => ReadonlyArray<PlacedGlyph>, font: Font): Font => {
  const layout = font.layout.bind(font)
  font.layout = (text) => {
    const placed = shape(text)
    const letters = lettersOf(text, placed)
    return Object.assign(layout(""), {
      glyphs: placed.map(({ id }, i) => font.getGlyph(id, letters[i])),
      positions: placed.map(({ xAdvance, xOffset, yAdvance, yOffset }) => ({
        xAdvance,
        yAdvance,
        xOffset,
        yOffset
      }))
    })
  }
  return font
}
