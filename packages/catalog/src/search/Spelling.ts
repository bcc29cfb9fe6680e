/** What a word may have been meant to be: candidates to look up, and which of those that exist to believe. Pure. */
import { editDistance } from "./EditDistance.ts"

/** A word that documents have, and how many. */
export interface KnownWord {
  readonly word: string
  readonly events: number
}

/** Meanings of a word that are searched for at most. */
const maxMeanings = 4

/** Slips that a word of so many letters may have: short words are all alike. */
export const slipsOf = (length: number): number => (length < 3 ? 0 : length < 6 ? 1 : length < 12 ? 2 : 3)

const latin = "abcdefghijklmnopqrstuvwxyz0123456789"
const greek = "αβγδεζηθικλμνξοπρστυφχψω"
const cyrillic = "абвгдежзийклмнопрстуфхцчшщъыьэюя"

/** Letters that may stand in the place of a wrong one. */
const alphabetOf = (word: string): string =>
  /^[a-z0-9]+$/.test(word)
    ? latin
    : /\p{Script=Greek}/u.test(word)
      ? greek
      : /\p{Script=Cyrillic}/u.test(word)
        ? cyrillic
        : ""

/** Words that are one slip away, in the alphabet of the word: some 70 a letter, to be looked up by their key. */
export const oneSlip = (word: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  const alphabet = alphabetOf(word)
  for (let i = 0; i <= word.length; i++) {
    const [head, tail] = [word.slice(0, i), word.slice(i)]
    if (tail !== "") found.add(head + tail.slice(1))
    if (tail.length > 1) found.add(head + tail[1] + tail[0] + tail.slice(2))
    for (const letter of alphabet) {
      if (tail !== "") found.add(head + letter + tail.slice(1))
      found.add(head + letter + tail)
    }
  }
  found.delete(word)
  found.delete("")
  return [...found]
}

/** The word as two: the space was forgotten. */
export const splits = (word: string): ReadonlyArray<readonly [string, string]> =>
  word.length < 6
    ? []
    : Array.from({ length: word.length - 5 }, (_, i) => [word.slice(0, i + 3), word.slice(i + 3)] as const)

const withoutDoubles = (word: string): string => word.replace(/(.)\1+/gu, "$1")

/**
 * The candidates that are near enough, the likeliest first: fewer slips, then the same first letter, which is
 * seldom wrong, then the more frequent.
 */
export const choose = (
  word: string,
  candidates: ReadonlyArray<KnownWord>,
  slips: number = slipsOf(word.length)
): ReadonlyArray<KnownWord> => {
  const rated = candidates.flatMap((known) => {
    const distance = editDistance(word, known.word, slips)
    if (distance === 0 || distance > slips || known.events <= 0) return []
    // A letter doubled or not is the most frequent slip of all.
    const doubled = withoutDoubles(known.word) === withoutDoubles(word)
    const rating =
      distance +
      (known.word[0] === word[0] ? 0 : 0.5) -
      (doubled ? 0.5 : 0) -
      Math.min(0.4, Math.log10(known.events) / 12)
    return [{ known, rating }]
  })
  rated.sort((a, b) => a.rating - b.rating || (a.known.word < b.known.word ? -1 : 1))
  const best = rated[0]?.rating ?? 0
  return rated
    .filter(({ rating }) => rating <= best + 0.75)
    .slice(0, maxMeanings)
    .map(({ known }) => known)
}
