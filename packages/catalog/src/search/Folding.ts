/**
 * Text as search knows it: without case and accents, as words. Done here and not in Postgres, so that every index
 * and every version of a server has the same words, and a query is folded exactly as what it looks for.
 */

/** Letters of a word that count; nobody types more. */
export const maxWordLength = 40

/** Letters that Unicode does not take apart, and two that it folds only in one direction. */
const letters: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  ł: "l",
  þ: "th",
  ı: "i",
  ħ: "h",
  ς: "σ",
  ё: "е"
}
const special = new RegExp(`[${Object.keys(letters).join("")}]`, "gu")

/** Without case, accents and the differences of Unicode between forms of one letter. */
export const fold = (text: string): string =>
  text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}+/gu, "")
    .replace(special, (letter) => letters[letter] ?? letter)

const cut = (word: string): string =>
  word.length <= maxWordLength ? word : Array.from(word).slice(0, maxWordLength).join("")

const apostrophes = /['’‘ʼ`´]/gu
/** Rock'n'roll: three words and more that apostrophes hold together. */
const chained = /[\p{L}\p{N}]+(?:['’‘ʼ`´][\p{L}\p{N}]+){2,}/gu

/** The words of what is looked for, in their order: an apostrophe joins two, all else divides. */
export const queryWords = (text: string): ReadonlyArray<string> =>
  (
    fold(text)
      .replace(chained, (chain) => chain.replace(apostrophes, " "))
      .replace(apostrophes, "")
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).map(cut)

/** Parts that are also known as one word: AC/DC, Jay-Z, R.E.M. More of them is a sentence without spaces. */
const maxJoined = 4

/**
 * The words of what is found, in their order. What is written together with signs in it is known by its parts and
 * as a whole: people write AC/DC as "ac dc" and "acdc".
 */
export const documentWords = (text: string): ReadonlyArray<string> =>
  fold(text)
    .split(/\s+/u)
    .flatMap((chunk) => {
      const parts = chunk.match(/[\p{L}\p{N}]+/gu) ?? []
      if (parts.length < 2) return parts.map(cut)
      const joined = parts.length <= maxJoined ? [parts.join("")] : []
      const byQuery = chunk.replace(apostrophes, "").match(/[\p{L}\p{N}]+/gu) ?? []
      return [...new Set([...parts, ...byQuery, ...joined])].map(cut)
    })
