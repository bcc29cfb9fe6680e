/**
 * Remembers how a font has shaped a text: labels, sentences and events are the same on ticket after ticket, and
 * shaping them twice, once to measure and once to draw, is half of what a page costs.
 */
import type { Font } from "fontkit"

type Run = ReturnType<Font["layout"]>

/** Texts of one font; a page has some thirty. */
const kept = 1_000
/** Longer ones are somebody's own words, which hardly come again. */
const longest = 200

const like = <T extends object>(original: T, changes: Partial<T>): T =>
  Object.assign(Object.create(Object.getPrototypeOf(original)), original, changes)

/** Whoever draws a run scales its positions where they are: each gets some of its own. */
const own = (run: Run): Run => like(run, { positions: run.positions.map((position) => like(position, {})) })

/** The font, which from now on shapes a text that it has shaped before from memory. */
export const remembering = (font: Font): Font => {
  const shape = font.layout.bind(font)
  const runs = new Map<string, Run>()
  font.layout = (text, features, ...more) => {
    // What comes with a script, a language or features of its own is shaped differently.
    const plain =
      more.length === 0 && (features === undefined || (Array.isArray(features) && features.length === 0))
    if (!plain || text.length > longest) return shape(text, features, ...more)
    const known = runs.get(text)
    if (known !== undefined) return own(known)
    // A font keeps a glyph with the letters that it stood for first, which must be letters of this text: they go into
    // whatever document the text is in.
    Object.assign(font, { _glyphs: {} })
    const run = shape(text, features)
    const [first] = runs.keys()
    if (first !== undefined && runs.size >= kept) runs.delete(first)
    runs.set(text, run)
    return own(run)
  }
  return font
}
