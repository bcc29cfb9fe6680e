/** Which typeface prints the letters of a script, where that is not one for many. */

export interface ScriptFont {
  /** By its name in Unicode. */
  readonly script: string
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

const font = (script: string, name: string, options: Options = {}): ScriptFont => {
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
  font("Devanagari", "devanagari", { family: "noto-sans" }),
  font("Hebrew", "hebrew"),
  font("Arabic", "arabic"),
  font("Thai", "thai")
]

const fonts: ReadonlyArray<ScriptFont> = [
  ...sharing,
  font("Bengali", "bengali"),
  font("Tamil", "tamil"),
  font("Telugu", "telugu"),
  font("Gujarati", "gujarati"),
  font("Kannada", "kannada"),
  font("Malayalam", "malayalam"),
  font("Oriya", "oriya"),
  font("Gurmukhi", "gurmukhi"),
  font("Myanmar", "myanmar"),
  font("Ethiopic", "ethiopic"),
  font("Sinhala", "sinhala"),
  font("Khmer", "khmer"),
  font("Lao", "lao"),
  font("Armenian", "armenian"),
  font("Georgian", "georgian"),
  font("Tibetan", "tibetan", { family: "noto-serif-tibetan", scale: 0.85 }),
  font("Mongolian", "mongolian", { weights: oneWeight }),
  font("Thaana", "thaana"),
  font("Cherokee", "cherokee"),
  font("Canadian_Aboriginal", "canadian-aboriginal"),
  font("Syriac", "syriac"),
  font("Nko", "nko", { weights: oneWeight }),
  font("Tifinagh", "tifinagh", { weights: oneWeight }),
  font("Javanese", "javanese", { scale: 0.75 }),
  font("Balinese", "balinese", { scale: 0.75 }),
  font("Sundanese", "sundanese"),
  font("Ol_Chiki", "ol-chiki"),
  font("Meetei_Mayek", "meetei-mayek"),
  font("Lisu", "lisu"),
  font("Yi", "yi", { weights: oneWeight }),
  font("Adlam", "adlam")
]

/** Below are Latin, Greek and Cyrillic, which most of what we print is in. */
const firstLetter = 0x530

let patterns: ReadonlyArray<readonly [RegExp, ScriptFont]> | undefined

/** The typeface of the script that a cluster begins with; undefined where it is of none of these. */
export const of = (cluster: string): ScriptFont | undefined => {
  const first = cluster.codePointAt(0) ?? 0
  if (first < firstLetter) return undefined
  // Most documents need none of them.
  patterns ??= fonts.map((font) => [new RegExp(`\\p{Script=${font.script}}`, "u"), font])
  const letter = String.fromCodePoint(first)
  return patterns.find(([pattern]) => pattern.test(letter))?.[1]
}
