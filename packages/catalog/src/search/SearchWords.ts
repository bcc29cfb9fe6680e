/**
 * The vocabulary: every word of a document, with the number of events that have it. It tells what a word was meant
 * to be, and how many events a query will match before it is asked.
 */
import { Cache, Duration, Effect, Exit, Schema } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import * as SearchReading from "./SearchReading.ts"
import type { SearchSchema } from "./SearchRows.ts"
import { choose, type KnownWord, oneSlip, slipsOf, splits } from "./Spelling.ts"

/** Unfinished words have many ends; those are searched for that most events have. */
const maxEndings = 8
/** Two letters say nothing of the rest. */
const minPrefix = 3
/** Short beginnings have thousands of ends, of which the most frequent seldom change. */
const shortPrefix = 4
const rememberedPrefixes = 4_096
const rememberedFor = Duration.seconds(30)
/** Similar words that are compared letter by letter. */
const maxSimilar = 40
/** Below it Postgres calls two words unlike; the letters decide, so it is a low one. A setting of who searches. */
export const similarity = "0.3"
/** Words with fewer letters have too few trigrams; for them every slip is looked up. */
const minTrigram = 6
/** A word of so few events may be a slip of the organiser, or of who searches. */
const rare = 3

export const Words = Schema.Array(Schema.Struct({ word: Schema.String, events: Schema.Int }))

/** What a word of a query stands for. One without any meaning is nowhere. */
export interface Meaning {
  /** As it was typed. */
  readonly word: string
  /** Events that have it as it is. */
  readonly events: number
  /** What it begins, where it may be unfinished. */
  readonly endings: ReadonlyArray<KnownWord>
  /** What else it may have been meant to be, the likeliest first. */
  readonly near: ReadonlyArray<KnownWord>
  /** Two words whose space was forgotten. */
  readonly split: readonly [KnownWord, KnownWord] | null
}

/** Events that may match it, at most. */
export const eventsOf = ({ endings, events, near, split }: Meaning): number =>
  [...endings, ...near].reduce((sum, known) => sum + known.events, events) +
  (split === null ? 0 : Math.min(split[0].events, split[1].events))

/** True where they lead to the same events. */
export const areSame = (some: ReadonlyArray<Meaning>, others: ReadonlyArray<Meaning>): boolean =>
  JSON.stringify(some) === JSON.stringify(others)

/** What one search has looked up. */
export interface LookedUp {
  /** Null for those that no event has. */
  readonly words: Map<string, KnownWord | null>
  /** What its last word begins. */
  endings: ReadonlyArray<KnownWord> | null
}

/** Nothing, or what the words of a query were found to mean before. */
export const lookedUp = (meanings: ReadonlyArray<Meaning> = []): LookedUp => ({
  words: new Map(meanings.map(({ events, word }) => [word, events > 0 ? { word, events } : null])),
  endings: meanings[meanings.length - 1]?.endings ?? null
})

/** The words that they are made of, with the number of events of each; without ends that are remembered for longer. */
export const countsOf = (meanings: ReadonlyArray<Meaning>): ReadonlyMap<string, number> =>
  new Map(
    meanings.flatMap(({ endings, events, near, split, word }) => [
      ...[...(word.length > shortPrefix ? endings : []), ...near, ...(split ?? [])].map(
        (known) => [known.word, known.events] as const
      ),
      [word, events] as const
    ])
  )

/** Which words may be slips: those that no event has, those that few have, or all. */
export type Doubt = "unknown" | "rare" | "all"

const isDoubtful = (events: number, doubt: Doubt): boolean =>
  doubt === "all" || events < (doubt === "rare" ? rare : 1)

/** True where events are few enough that a word of theirs may be a slip. */
export const isRare = ({ events }: Meaning): boolean => isDoubtful(events, "rare")

/**
 * Counts every word anew from the documents, whatever was counted before. In a transaction that holds `SearchLock`:
 * who refreshes events waits until all documents are read; who searches does not.
 */
export const recount = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  yield* sql`CREATE TEMPORARY TABLE counted_words ON COMMIT DROP AS
    SELECT word COLLATE "C" AS word, count(*)::int AS events
    FROM catalog.search_events, unnest(tsvector_to_array(words)) AS word
    WHERE left(word, 1) NOT IN ('#', '@') GROUP BY word`
  yield* sql`DELETE FROM catalog.search_words known
    WHERE NOT EXISTS (SELECT FROM counted_words counted WHERE counted.word = known.word)`
  yield* sql`INSERT INTO catalog.search_words AS known (word, events) SELECT word, events FROM counted_words
    ON CONFLICT (word) DO UPDATE SET events = excluded.events WHERE known.events <> excluded.events`
})

/** Adds to the number of events that have each word, in their order, so that two do not wait in a ring. */
export const count = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  schema: SearchSchema,
  changes: ReadonlyMap<string, number>
) {
  const rows = [...changes].filter(([, by]) => by !== 0).sort(([a], [b]) => (a < b ? -1 : 1))
  if (rows.length === 0) return
  const json = JSON.stringify(rows.map(([word, by]) => ({ word, by })))
  yield* sql`INSERT INTO ${sql.literal(`${schema}.search_words`)} AS known (word, events)
    SELECT word, by FROM json_to_recordset(${json}::json) AS change (word text, by int)
    ON CONFLICT (word) DO UPDATE SET events = greatest(0, known.events + excluded.events)`
})

/** A word that gets an event meanwhile stays: the statement looks again once it has the row. */
export const forgetUnused = (sql: SqlClient.SqlClient) =>
  Effect.asVoid(sql`DELETE FROM catalog.search_words WHERE events <= 0`)

/** Of those of the words that events have, as JSON. A join and not ANY, whose five hundred members would all be estimated one by one. */
export const counted = (
  sql: SqlClient.SqlClient,
  schema: SearchSchema,
  words: ReadonlyArray<string>
): Statement.Fragment =>
  sql`(SELECT coalesce(json_agg(json_build_object('word', known.word, 'events', known.events)), '[]'::json)
    FROM unnest(${words}::text[]) AS asked (word)
      JOIN ${sql.literal(`${schema}.search_words`)} known ON known.word = asked.word COLLATE "C"
    WHERE known.events > 0)`

/** In sessions or transactions with `SearchFinder.settings`. */
export const make = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, schema: SearchSchema) {
  const vocabulary = sql.literal(`${schema}.search_words`)
  const reader = SearchReading.make(sql, schema)
  const readWords = reader(Schema.Struct({ words: Words, endings: Words }))

  /** Looks up words that were not looked up before, and what `prefix` begins. */
  const lookUp = Effect.fnUntraced(function* (
    words: Iterable<string>,
    looked: LookedUp,
    reading: SearchReading.SearchReading,
    prefix: string | null = null
  ) {
    const asked = [...new Set(words)].filter((word) => !looked.words.has(word))
    if (asked.length === 0 && prefix === null) return []
    const found = yield* readWords(
      reading,
      sql`${counted(sql, schema, asked)} AS words,
        (SELECT coalesce(json_agg(ending ORDER BY events DESC, word), '[]'::json) FROM (SELECT word, events FROM ${vocabulary}
          WHERE word > ${prefix}::text AND word < ${prefix === null ? null : `${prefix}\u{10FFFF}`}::text AND events > 0
          ORDER BY events DESC, word LIMIT ${maxEndings}::int) AS ending) AS endings`
    )
    for (const word of asked) looked.words.set(word, null)
    for (const row of found.words) looked.words.set(row.word, row)
    return found.endings
  })

  // What was read while the index was lost is not remembered for the one that is made anew.
  const keyOf = (prefix: string, losses: number | null) => `${losses} ${prefix}`
  const short = yield* Cache.makeWith(
    (key: string) => {
      const [losses = "", prefix = ""] = key.split(" ")
      return lookUp([], lookedUp(), SearchReading.begin(Number(losses)), prefix)
    },
    {
      capacity: rememberedPrefixes,
      timeToLive: (exit) => (Exit.isSuccess(exit) ? rememberedFor : Duration.zero)
    }
  )

  /** Looks up the words, and answers what the last of them begins, where it has letters enough for that. */
  const endingsOf = Effect.fnUntraced(function* (
    words: ReadonlyArray<string>,
    unfinished: boolean,
    looked: LookedUp,
    reading: SearchReading.SearchReading
  ) {
    const last = words[words.length - 1] ?? ""
    const begins = unfinished && last.length >= minPrefix && looked.endings === null
    const isShort = last.length <= shortPrefix
    const found = yield* lookUp(words, looked, reading, begins && !isShort ? last : null)
    if (begins) looked.endings = isShort ? yield* Cache.get(short, keyOf(last, reading.losses)) : found
    return looked.endings ?? []
  })

  const readSimilar = reader(Schema.Struct({ similar: Words }))
  const similarTo = (word: string, reading: SearchReading.SearchReading) =>
    Effect.map(
      readSimilar(
        reading,
        sql`(SELECT coalesce(json_agg(known), '[]'::json) FROM (SELECT word, events FROM ${vocabulary}
          WHERE word % ${word}::text AND length(word) BETWEEN ${word.length - 3}::int AND ${word.length + 3}::int
            AND events > 0
          ORDER BY similarity(word, ${word}::text) DESC, events DESC LIMIT ${maxSimilar}::int) AS known) AS similar`
      ),
      ({ similar }) => similar
    )

  /** What the words mean. `unfinished`: the last one may go on; `looked`: of this search. */
  const meaningsOf = Effect.fnUntraced(function* (
    words: ReadonlyArray<string>,
    unfinished: boolean,
    doubt: Doubt,
    looked: LookedUp,
    reading: SearchReading.SearchReading
  ) {
    const last = words.length - 1
    const endings = yield* endingsOf(words, unfinished, looked, reading)
    const frequency = (word: string) => looked.words.get(word)?.events ?? 0
    const doubtful = words.filter((word, i) => {
      if (i === last && endings.length > 0 && doubt === "unknown") return false
      return isDoubtful(frequency(word), doubt)
    })
    const slipped = new Map(
      doubtful.map((word) => [word, slipsOf(word.length) > 0 ? oneSlip(word) : []] as const)
    )
    yield* lookUp(
      [...[...slipped.values()].flat(), ...doubtful.flatMap((word) => splits(word).flat())],
      looked,
      reading
    )

    const nearOf = Effect.fnUntraced(function* (word: string) {
      const events = frequency(word)
      const slips = slipsOf(word.length)
      if (slips === 0) return []
      const byKey = choose(
        word,
        (slipped.get(word) ?? []).flatMap((one) => looked.words.get(one) ?? []),
        1
      )
      if (byKey.length > 0 || events > 0 || slips < 2 || word.length < minTrigram) return byKey
      return choose(word, yield* similarTo(word, reading))
    })

    return yield* Effect.forEach(words, (word, i) =>
      Effect.gen(function* () {
        const events = frequency(word)
        const doubted = doubtful.includes(word)
        const halves =
          doubted && events === 0
            ? splits(word)
                .flatMap(([a, b]) => {
                  const [one, two] = [looked.words.get(a) ?? undefined, looked.words.get(b) ?? undefined]
                  return one === undefined || two === undefined ? [] : [[one, two] as const]
                })
                .sort((a, b) => Math.min(b[0].events, b[1].events) - Math.min(a[0].events, a[1].events))[0]
            : undefined
        const meaning: Meaning = {
          word,
          events,
          endings: i === last ? endings : [],
          near: doubted ? yield* nearOf(word) : [],
          split: halves ?? null
        }
        return meaning
      })
    )
  })

  return { meaningsOf }
})
