/** Reads our PDFs as far as a test has to: that it is whole, and what the QR codes on its pages say. */
import jsqr from "jsqr"
import { inflateSync } from "node:zlib"

/** Modules of white that a QR needs around it. */
const quietZone = 4
const pixelsAModule = 4

const read = (dark: ReadonlySet<string>, modules: number): string | undefined => {
  const side = (modules + 2 * quietZone) * pixelsAModule
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = `${Math.floor(x / pixelsAModule) - quietZone},${Math.floor(y / pixelsAModule) - quietZone}`
      if (dark.has(at)) pixels.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3)
    }
  }
  return jsqr.default(pixels, side, side)?.data
}

/** The numbers of its pages and the place of its cross-reference table, as its trailer tells; null for no whole PDF. */
export const structure = (pdf: Buffer): { readonly pages: number } | null => {
  const text = pdf.toString("latin1")
  const startxref = Number(/startxref\n(\d+)\n%%EOF\s*$/.exec(text)?.[1] ?? Number.NaN)
  if (!text.startsWith("%PDF-1.") || text.slice(startxref, startxref + 4) !== "xref") return null
  const [, size = "0"] = /\/Size (\d+)/.exec(text) ?? []
  const entries = text.slice(startxref).match(/^\d{10} \d{5} [nf]/gm)?.length
  return entries === Number(size) ? { pages: text.match(/\/Type \/Page\n/g)?.length ?? 0 } : null
}

/** What the QR codes say, in the order of the pages: each is drawn in modules, as rectangles one high. */
export const codes = (pdf: Buffer): ReadonlyArray<string | undefined> =>
  Array.from(
    pdf.toString("latin1").matchAll(/\/Filter \/FlateDecode\n>>\nstream\n([\s\S]*?)\nendstream/g),
    ([, stream = ""]) => inflateSync(Buffer.from(stream, "latin1")).toString("latin1")
  ).flatMap((content) => {
    const bars = Array.from(content.matchAll(/^(\d+) (\d+) (\d+) 1 re$/gm), (bar) => bar.slice(1).map(Number))
    if (bars.length === 0) return []
    const left = Math.min(...bars.map(([x = 0]) => x))
    const top = Math.min(...bars.map(([, y = 0]) => y))
    const dark = new Set(
      bars.flatMap(([x = 0, y = 0, length = 0]) =>
        Array.from({ length }, (_, i) => `${x - left + i},${y - top}`)
      )
    )
    return [read(dark, Math.max(...bars.map(([, y = 0]) => y)) - top + 1)]
  })
