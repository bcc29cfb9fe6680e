/**
 * The typefaces of our documents: Noto in two weights for Latin, Cyrillic and Greek, for Chinese, Japanese and Korean,
 * and for some thirty scripts more, each in a typeface of its own; and UnifontEX, which is plain but has a glyph for
 * every script there is. A face is read when a text needs it first, and kept. All are under the SIL Open Font License.
 */
import { readFileSync } from "node:fs"
import { create, type Font } from "fontkit"
import * as HanFonts from "./HanFonts.ts"
import * as HarfBuzz from "./HarfBuzz.ts"
import * as ScriptFonts from "./ScriptFonts.ts"
import { shapedBy } from "./ScriptShaping.ts"
import { remembering } from "./ShapedText.ts"
import * as VariableFont from "./VariableFont.ts"
import { unpack } from "./Woff.ts"

export type Weight = "regular" | "bold"

export interface Face {
  /** Names it within a document. */
  readonly name: string
  readonly font: Font
  /** How large it is drawn, of the size of the line. */
  readonly scale: number
}

const read = (name: string) => {
  const data = unpack(readFileSync(new URL(import.meta.resolve(`@fontsource/${name}.woff`))))
  const font = create(data)
  if (!("layout" in font)) throw new TypeError(`${name} is a collection of fonts`)
  return { data, font }
}

const open = (name: string): Face => ({ name, font: remembering(read(name).font), scale: 1 })

const openShaped = (name: string, scale: number): Face => {
  const { data, font } = read(name)
  return { name, font: remembering(shapedBy(HarfBuzz.open(data), font)), scale }
}

const opened: Array<Face> = []

const lazily = (name: string): (() => Face) => {
  let face: Face | undefined
  return () => {
    if (face === undefined) {
      face = open(name)
      opened.push(face)
    }
    return face
  }
}

const lastResort = lazily("unifontex/files/unifontex-latin-400-normal")

const scriptFaces = new Map<string, Face>()

const scriptFace = (script: ScriptFonts.ScriptFont, weight: number): Face => {
  const name = script.file(weight)
  const known = scriptFaces.get(name)
  if (known !== undefined) return known
  const face = openShaped(name, script.scale)
  scriptFaces.set(name, face)
  return face
}

const stack = (weight: number) =>
  ["latin", "latin-ext", "cyrillic", "cyrillic-ext", "greek", "greek-ext", "vietnamese"].map((subset) =>
    lazily(`noto-sans/files/noto-sans-${subset}-${weight}-normal`)
  )

const weights: { readonly [W in Weight]: number } = { regular: 400, bold: 700 }

const stacks: { readonly [W in Weight]: ReadonlyArray<() => Face> } = {
  regular: stack(weights.regular),
  bold: stack(weights.bold)
}

/** Some tens of megabytes. There are a thousand; a document needs one or two a language. */
const maxHanFaces = 96

const hanFaces = new Map<string, Face>()

const hanFace = (file: string, weight: Weight): Face => {
  const name = `${file} ${weight}`
  const known = hanFaces.get(name)
  if (known !== undefined) return known
  const face = { name, scale: 1, font: VariableFont.open(HanFonts.read(file), weights[weight]) }
  hanFaces.set(name, face)
  return face
}

/** Whether this face prints a text in every document that can be printed in it: not in one language alone. */
export const isCommon = (face: Face) => !hanFaces.has(face.name)

/** Whether this face is the one of a script, which may have signs in its own form that other scripts have too. */
export const isOfScript = (face: Face) => scriptFaces.has(face.name)

/** The language whose forms Chinese letters have, then the others. */
let languages: ReadonlyArray<HanFonts.HanLanguage> = HanFonts.hanLanguages

/** Joiners and variation selectors change glyphs but have none. */
const invisible = /\p{Join_Control}|\p{Variation_Selector}/u

/** Whether this face can print the whole cluster. */
export const prints = (face: Face, cluster: string) => {
  for (const char of cluster) {
    if (!face.font.hasGlyphForCodePoint(char.codePointAt(0) ?? 0) && !invisible.test(char)) return false
  }
  return true
}

/**
 * Begins a document, whose Chinese letters have the forms of that language, and has all faces forget what they were
 * used for. A face keeps each glyph with the letters that it stood for first, and those go into a document for who
 * searches it: without this its bytes would tell what was printed before it.
 */
export const begin = (language: HanFonts.HanLanguage) => {
  languages = [language, ...HanFonts.hanLanguages.filter((other) => other !== language)]
  // Between documents only: within one, a face is the same all along.
  if (hanFaces.size > maxHanFaces) hanFaces.clear()
  for (const { font } of [...opened, ...scriptFaces.values(), ...hanFaces.values()])
    Object.assign(font, { _glyphs: {} })
}

/** Signs of no script, of which those for some scripts have more than those for Latin. */
const sign =
  /^(?![\p{Extended_Pictographic}\u3000-\u33ff\uff00-\uffef])[\p{Script=Common}\p{Script=Inherited}]/u

/** The first face that can print the whole cluster, or else the last resort. */
export const faceFor = (weight: Weight, cluster: string): Face => {
  const script = ScriptFonts.of(cluster)
  if (script !== undefined) {
    const face = scriptFace(script, weights[weight])
    if (prints(face, cluster)) return face
  }
  for (const face of stacks[weight]) {
    if (prints(face(), cluster)) return face()
  }
  if (sign.test(cluster)) {
    for (const one of ScriptFonts.sharing) {
      const face = scriptFace(one, weights[weight])
      if (prints(face, cluster)) return face
    }
  }
  for (const language of languages) {
    const file = HanFonts.fileOf(language, cluster.codePointAt(0) ?? 0)
    if (file === undefined) continue
    const face = hanFace(file, weight)
    if (prints(face, cluster)) return face
  }
  return lastResort()
}
