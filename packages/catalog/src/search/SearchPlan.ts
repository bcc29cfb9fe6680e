/** How a query is asked of the full-text index, from what its words mean. Pure. */
import { cityWord } from "./SearchDocument.ts"
import { eventsOf, type Meaning } from "./SearchWords.ts"

/** Words of folded text have no signs in them, those of cities one at their beginning: none needs escaping. */
const quoted = (word: string): string => `'${word}'`

/**
 * What an event must have: one word of each group. Two halves of a word in whose place they may stand are in a group
 * each.
 */
export const groups = (
  meanings: ReadonlyArray<Meaning>,
  city: ReadonlyArray<string>
): ReadonlyArray<ReadonlyArray<string>> => [
  ...meanings.flatMap(({ endings, near, split, word }) => {
    const forms = [word, ...[...endings, ...near].map((known) => known.word)]
    return split === null ? [forms] : split.map((half) => [...forms, half.word])
  }),
  ...city.map((word) => [cityWord(word)])
]

/** The groups as a `tsquery`. */
export const matching = (groups: ReadonlyArray<ReadonlyArray<string>>): string =>
  groups.map((words) => `(${words.map(quoted).join(" | ")})`).join(" & ")

/** Words that count alike, and how much. */
export interface RankedWords {
  readonly query: string
  readonly size: number
  readonly factor: number
}

/**
 * What was typed counts more than what it may have been meant to be, and what it begins more than what a slip may have
 * made of another word.
 */
export const ranked = (meanings: ReadonlyArray<Meaning>): ReadonlyArray<RankedWords> => {
  const likely = meanings.flatMap(({ endings, near, split }) => [
    ...[...endings, ...near].slice(0, 1),
    ...(split ?? [])
  ])
  const others = meanings.flatMap(({ endings, near }) => [...endings, ...near].slice(1))
  const levels: ReadonlyArray<readonly [ReadonlyArray<string>, number]> = [
    [meanings.filter(({ events }) => events > 0).map(({ word }) => word), 1],
    [likely.map(({ word }) => word), 0.7],
    [others.map(({ word }) => word), 0.45]
  ]
  return levels
    .map(([words, factor]) => [[...new Set(words)], factor] as const)
    .filter(([words]) => words.length > 0)
    .map(([words, factor]) => ({ query: words.map(quoted).join(" | "), size: words.length, factor }))
}

/** How many events match at most: those of the rarest word. */
export const atMost = (meanings: ReadonlyArray<Meaning>): number => Math.min(...meanings.map(eventsOf))
