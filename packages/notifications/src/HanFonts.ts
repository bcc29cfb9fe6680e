/**
 * Which of the typefaces for Chinese, Japanese and Korean prints a letter. Each comes in some hundred files, of which a
 * name needs one or two. Many letters are common to these languages and look a little different in each.
 */
import { readFileSync } from "node:fs"

export const hanLanguages = ["sc", "tc", "jp", "kr"] as const
export type HanLanguage = (typeof hanLanguages)[number]

interface Range {
  readonly from: number
  readonly to: number
  readonly file: string
}

const at = (path: string): URL => new URL(import.meta.resolve(`@fontsource-variable/${path}`))

/** The ranges of letters of a language in their order, with the files that have them. */
const rangesOf = (language: HanLanguage): ReadonlyArray<Range> => {
  const byFile: { readonly [key: string]: string } = JSON.parse(
    readFileSync(at(`noto-sans-${language}/unicode.json`), "utf8")
  )
  return Object.entries(byFile)
    .flatMap(([key, ranges]) => {
      // "[12]"; those with names are Latin and such, which our other typefaces have.
      const number = /^\[(\d+)\]$/.exec(key)?.[1]
      if (number === undefined) return []
      return ranges.split(",").map((range): Range => {
        const [from = "", to = from] = range.replace("U+", "").split("-")
        return {
          from: Number.parseInt(from, 16),
          to: Number.parseInt(to, 16),
          file: `noto-sans-${language}/files/noto-sans-${language}-${number}-wght-normal.woff2`
        }
      })
    })
    .toSorted((a, b) => a.from - b.from)
}

const known = new Map<HanLanguage, ReadonlyArray<Range>>()

/** The file of a language that has the letter; undefined where none has. */
export const fileOf = (language: HanLanguage, codePoint: number): string | undefined => {
  let ranges = known.get(language)
  if (ranges === undefined) {
    ranges = rangesOf(language)
    known.set(language, ranges)
  }
  let [low, high] = [0, ranges.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const range = ranges[middle]!
    if (codePoint < range.from) high = middle - 1
    else if (codePoint > range.to) low = middle + 1
    else return range.file
  }
  return undefined
}

export const read = (file: string): Buffer => readFileSync(at(file))

const zones: { readonly [timeZone: string]: HanLanguage } = {
  "Asia/Tokyo": "jp",
  "Asia/Seoul": "kr",
  "Asia/Taipei": "tc",
  "Asia/Hong_Kong": "tc",
  "Asia/Macau": "tc"
}

/** In whose form a document has its Chinese letters: that of the writing beside them, else of the place. */
export const languageOf = (text: string, timeZone: string): HanLanguage => {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return "jp"
  if (/\p{Script=Hangul}/u.test(text)) return "kr"
  if (/\p{Script=Bopomofo}/u.test(text)) return "tc"
  return zones[timeZone] ?? "sc"
}
