/**
 * A typeface of a variable font in WOFF 2.0 at one of its weights, as a font that can be laid out and embedded.
 *
 * The library reads such fonts and knows how their outlines vary, but not both at once: it varies outlines when it
 * reads a glyph from the table of a TrueType font, which WOFF 2.0 keeps in a form of its own.
 */
import { create, type Font } from "fontkit"
import * as GlyphOutline from "./GlyphOutline.ts"

interface Glyph {
  readonly numberOfContours: number
  readonly points?: Array<unknown>
}

/** What the library has, and its types do not say. */
interface Varied extends Font {
  variationCoords: ReadonlyArray<number>
  readonly _transformedGlyphs: ReadonlyArray<Glyph>
  readonly _variationProcessor: { transformPoints(id: number, points: ReadonlyArray<unknown>): void }
  _transformGlyfTable(): void
  getGlyph(
    id: number
  ): Font["getGlyph"] extends (id: number) => infer G
    ? G & { _getPhantomPoints(glyph: Glyph): ReadonlyArray<unknown> }
    : never
}

const isVaried = (font: object): font is Varied =>
  "_transformGlyfTable" in font && "variationAxes" in font && "wght" in Object(font.variationAxes)

/** Throws a `TypeError` where it is no such font, or one with a glyph that is put together of others. */
export const open = (woff2: Buffer, weight: number): Font => {
  const font: object = create(woff2)
  if (!isVaried(font)) throw new TypeError("not a WOFF 2.0 font of variable weight")
  font.variationCoords = [weight]
  font._transformGlyfTable()
  for (const [id, glyph] of font._transformedGlyphs.entries()) {
    // In this form of a file the library could not embed a glyph that is put together of others. The fonts have none.
    if (glyph.numberOfContours < 0) throw new TypeError(`glyph ${id} is put together of others`)
    if (glyph.points === undefined || glyph.numberOfContours === 0) continue
    const phantoms = font.getGlyph(id)._getPhantomPoints(glyph)
    font._variationProcessor.transformPoints(id, [...glyph.points, ...phantoms])
  }
  // Of two fonts of one name and one file a document takes the first for both.
  Object.defineProperty(font, "postscriptName", { value: `${font.postscriptName}-${weight}` })
  const createSubset = font.createSubset.bind(font)
  return Object.assign(font, {
    // What was asked of them so far was as they were before.
    _glyphs: {},
    createSubset: () =>
      // The library's own encoder of such outlines does not run with the streams that it comes with.
      Object.assign(createSubset(), { glyphEncoder: { encodeSimple: GlyphOutline.encode } })
  })
}
