/** What search knows of an event, and the words that it is found by. Pure. */
import { EventId } from "@onsale/contracts/Ids"
import { Schema } from "effect"
import { documentWords } from "./Folding.ts"

export const SearchDocument = Schema.Struct({
  eventId: EventId,
  name: Schema.String,
  performers: Schema.Array(Schema.String),
  /** Of its venue. */
  venue: Schema.String,
  location: Schema.String,
  description: Schema.String,
  /** Milliseconds since 1970. */
  startsAtMs: Schema.Int,
  currency: Schema.String,
  /** The lowest and the highest price, in minor units. */
  priceFrom: Schema.Int,
  priceTo: Schema.Int
})
export type SearchDocument = typeof SearchDocument.Type

/** How much a word counts by where it stands: A the name, B a performer, C the place, D the description. */
export const weights = { A: 4, B: 3, C: 2, D: 1 } as const
type Weight = keyof typeof weights

/** Words of a description that are found: as many as say what it is about. */
export const maxDescriptionWords = 300
/** Of performers: a festival has a hundred. */
const maxPerformerWords = 400

/**
 * Words are indexed with the four days that their event starts in as well: fewer would make the index larger, more
 * would read more of a frequent word than is wanted. The same days are in the migration of `search_keys`.
 */
export const spanMs = 4 * 86_400_000
export const spanOf = (ms: number): number => Math.floor(ms / spanMs)
/** The first moment behind it; milliseconds since 1970. */
export const endOfSpan = (span: number): number => (span + 1) * spanMs

/** The words of its location once more: the filter by city asks for them and for nothing else. */
export const cityWord = (word: string): string => `@${word}`

/** The parts of a document by weight. */
export const partsOf = (document: SearchDocument): Readonly<Record<Weight, ReadonlyArray<string>>> => ({
  A: documentWords(document.name),
  B: document.performers.flatMap(documentWords).slice(0, maxPerformerWords),
  C: documentWords(`${document.venue} ${document.location}`),
  D: documentWords(document.description).slice(0, maxDescriptionWords)
})

/** Positions that Postgres keeps of a word. */
const maxPosition = 16_383

/**
 * The words of a document as a `tsvector` literal, each at its weight. None of them has a sign in it (`Folding`), so
 * they need no quotes but to stand apart from the grammar; a sign makes the words of cities ones of their own.
 */
export const toVector = (
  document: SearchDocument
): { readonly vector: string; readonly nameWords: number } => {
  const parts = partsOf(document)
  const places: Array<string> = []
  let position = 0
  for (const weight of ["A", "B", "C", "D"] as const) {
    for (const word of parts[weight]) {
      position = Math.min(maxPosition, position + 1)
      places.push(`'${word}':${position}${weight}`)
    }
  }
  for (const word of new Set(documentWords(document.location))) places.push(`'${cityWord(word)}'`)
  return { vector: places.join(" "), nameWords: Math.min(1_000, Math.max(1, parts.A.length)) }
}
