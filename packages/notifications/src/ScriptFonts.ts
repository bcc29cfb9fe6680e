/** Which typeface prints the letters of a script, where that is not one for many. */

export interface ScriptFont {
  readonly script: RegExp
  /** Where the file of a weight is. */
  readonly file: (weight: number) => string
  /** How large it is drawn, of the size of the line: some scripts reach far above and below it. */
  readonly scale: number
}

interface Options {
  readonly family?: string
  /** Some have one weight only. */
  readonly weights?: ReadonlyArray<number>
  readonly scale?: number
}

const twoWeights = [400, 700]
const oneWeight = [400]

const font = (script: RegExp, name: string, options: Options = {}): ScriptFont => {
  const { family = `noto-sans-${name}`, scale = 1, weights = twoWeights } = options
  return {
    script,
    scale,
    file: (weight) =>
      `${family}/files/${family}-${name}-${weights.includes(weight) ? weight : weights[0]}-normal`
  }
}

/** Those that signs are looked for in which are of no script, such as a comma or a danda. */
export const sharing: ReadonlyArray<ScriptFont> = [
  font(/\p{Script=Devanagari}/u, "devanagari", { family: "noto-sans" }),
  font(/\p{Script=Hebrew}/u, "hebrew"),
  font(/\p{Script=Arabic}/u, "arabic"),
  font(/\p{Script=Thai}/u, "thai")
]

const fonts: ReadonlyArray<ScriptFont> = [
  ...sharing,
  font(/\p{Script=Bengali}/u, "bengali"),
  font(/\p{Script=Tamil}/u, "tamil"),
  font(/\p{Script=Telugu}/u, "telugu"),
  font(/\p{Script=Gujarati}/u, "gujarati"),
  font(/\p{Script=Kannada}/u, "kannada"),
  font(/\p{Script=Malayalam}/u, "malayalam"),
  font(/\p{Script=Oriya}/u, "oriya"),
  font(/\p{Script=Gurmukhi}/u, "gurmukhi"),
  font(/\p{Script=Myanmar}/u, "myanmar"),
  font(/\p{Script=Ethiopic}/u, "ethiopic"),
  font(/\p{Script=Sinhala}/u, "sinhala"),
  font(/\p{Script=Khmer}/u, "khmer"),
  font(/\p{Script=Lao}/u, "lao"),
  font(/\p{Script=Armenian}/u, "armenian"),
  font(/\p{Script=Georgian}/u, "georgian"),
  font(/\p{Script=Tibetan}/u, "tibetan", { family: "noto-serif-tibetan", scale: 0.85 }),
  font(/\p{Script=Mongolian}/u, "mongolian", { weights: oneWeight }),
  font(/\p{Script=Thaana}/u, "thaana"),
  font(/\p{Script=Cherokee}/u, "cherokee"),
  font(/\p{Script=Canadian_Aboriginal}/u, "canadian-aboriginal"),
  font(/\p{Script=Syriac}/u, "syriac"),
  font(/\p{Script=Nko}/u, "nko", { weights: oneWeight }),
  font(/\p{Script=Tifinagh}/u, "tifinagh", { weights: oneWeight }),
  font(/\p{Script=Javanese}/u, "javanese", { scale: 0.75 }),
  font(/\p{Script=Balinese}/u, "balinese", { scale: 0.75 }),
  font(/\p{Script=Sundanese}/u, "sundanese"),
  font(/\p{Script=Ol_Chiki}/u, "ol-chiki"),
  font(/\p{Script=Meetei_Mayek}/u, "meetei-mayek"),
  font(/\p{Script=Lisu}/u, "lisu"),
  font(/\p{Script=Yi}/u, "yi", { weights: oneWeight }),
  font(/\p{Script=Adlam}/u, "adlam")
]

/** Below are Latin, Greek and Cyrillic, which most of what we print is in. */
const firstLetter = 0x530

/** The typeface of the script that a cluster begins with; undefined where it is of none of these. */
export const of = (cluster: string): ScriptFont | undefined => {
  const first = cluster.codePointAt(0) ?? 0
  if (first < firstLetter) return undefined
  const letter = String.fromCodePoint(first)
  return fonts.find(({ script }) => script.test(letter))
}
