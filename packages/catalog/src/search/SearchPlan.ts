/** How a query is asked of the full-text index, from what its words mean. Pure. */
import { cityWord, dayOf, spans, spanWord } from "./SearchDocument.ts"
import { eventsOf, type Meaning } from "./SearchWords.ts"

/** Words of folded text have no signs in them, those of spans and cities one at their beginning: none needs escaping. */
const quoted = (word: string): string => `'${word}'`

const anyOf = (words: ReadonlyArray<string>): string => `(${words.join(" | ")})`

/** The meanings as a `tsquery`: each of them is in the event, in one of its forms. */
export const matching = (meanings: ReadonlyArray<Meaning>, city: ReadonlyArray<string>): string =>
  [
    ...meanings.map(({ endings, near, split, word }) =>
      anyOf([
        quoted(word),
        ...[...endings, ...near].map((known) => quoted(known.word)),
        ...(split === null ? [] : [`(${quoted(split[0].word)} & ${quoted(split[1].word)})`])
      ])
    ),
    ...city.map((word) => quoted(cityWord(word)))
  ].join(" & ")

/** Words that count alike, and how much. */
export interface RankedWords {
  readonly query: string
  readonly size: number
  readonly factor: number
}

/** What was typed counts more than what it may have been meant to be. */
export const ranked = (meanings: ReadonlyArray<Meaning>): ReadonlyArray<RankedWords> => {
  const likely = meanings.flatMap(({ endings, events, near, split }) => [
    ...(endings[0] === undefined ? [] : [endings[0]]),
    ...(near[0] === undefined || (events > 0 && endings.length > 0) ? [] : [near[0]]),
    ...(split ?? [])
  ])
  const others = meanings.flatMap(({ endings, near }) => [...endings.slice(1), ...near.slice(1)])
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

/** How many events match, as far as can be told: as if words did not depend on each other. */
export const expected = (meanings: ReadonlyArray<Meaning>, events: number): number => {
  const total = Math.max(1, events)
  return meanings.reduce((left, meaning) => left * Math.min(1, eventsOf(meaning) / total), total)
}

/** Spans that a time is covered by, at most. */
const maxSpans = 5

/** Events between two times (milliseconds since 1970), as a `tsquery` that lets some more through; null is all. */
export const within = (fromMs: number, toMs: number): string | null => {
  const [first, last] = [dayOf(fromMs), dayOf(toMs - 1)]
  for (const days of spans) {
    const [from, to] = [Math.floor(first / days), Math.floor(last / days)]
    if (to - from < maxSpans)
      return anyOf(Array.from({ length: to - from + 1 }, (_, i) => quoted(spanWord(days, from + i))))
  }
  return null
}
