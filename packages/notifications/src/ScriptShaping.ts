/** A font whose texts HarfBuzz shapes; all else it does as before. */
import type { Font } from "fontkit"
import type { PlacedGlyph } from "./HarfBuzz.ts"

const partsOf = (text: string): Array<number> => Array.from(text, (char) => char.codePointAt(0)!)

/**
 * The letters that each of some glyphs stands for, as they are found when a document is searched. A glyph has one
 * meaning in a document, so one that the font has for a letter means that one, though it be a part of another here.
 */
const lettersOf = (
  text: string,
  glyphs: ReadonlyArray<PlacedGlyph>,
  meaning: (id: number) => number | undefined
): ReadonlyArray<Array<number>> => {
  const byStart = Map.groupBy(glyphs, ({ from }) => from)
  const starts = [...byStart.keys()].toSorted((a, b) => a - b)
  const letters = new Map<PlacedGlyph, Array<number>>()
  for (const [i, from] of starts.entries()) {
    const written = text.slice(from, starts[i + 1])
    const together = byStart.get(from) ?? []
    const parts = partsOf(written.normalize("NFKD"))
    const own = together.map(({ id }) => {
      const letter = together.length === 1 ? undefined : meaning(id)
      return letter !== undefined && parts.includes(letter) ? letter : undefined
    })
    const rest = own.every((letter) => letter === undefined)
      ? partsOf(written)
      : parts.filter((letter) => !own.includes(letter))
    for (const [j, glyph] of together.entries()) {
      const letter = own[j]
      // Of several glyphs that are no letters the first has what is left.
      letters.set(glyph, letter === undefined ? rest.splice(0) : [letter])
    }
  }
  return glyphs.map((glyph) => letters.get(glyph) ?? [])
}

/** The font, which from now on lays out what `shape` makes of a text. */
export const shapedBy = (shape: (text: string) => ReadonlyArray<PlacedGlyph>, font: Font): Font => {
  const layout = font.layout.bind(font)
  font.layout = (text) => {
    const placed = shape(text)
    const letters = lettersOf(text, placed, (id) => font.stringsForGlyph(id)[0]?.codePointAt(0))
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
