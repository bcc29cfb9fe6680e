/** Documents as rows of the index, in the catalog's schema or in that of a stand-in. */
import type { SqlClient } from "effect/sql"
import { partsOf, type SearchDocument, toVector } from "./SearchDocument.ts"

/** Where `search_events` and `search_words` are. */
export type SearchSchema = "catalog" | "pg_temp"

/** How many of the documents have each word, as the vocabulary counts them. */
export const wordCounts = (documents: ReadonlyArray<SearchDocument>): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const document of documents)
    for (const word of new Set(Object.values(partsOf(document)).flat()))
      counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

/** In the place of what is known of their events. */
export const put = (
  sql: SqlClient.SqlClient,
  schema: SearchSchema,
  documents: ReadonlyArray<SearchDocument>
) => {
  const rows = documents.map((document) => ({
    id: document.eventId,
    startsAtMs: document.startsAtMs,
    currency: document.currency,
    priceFrom: document.priceFrom,
    priceTo: document.priceTo,
    ...toVector(document)
  }))
  return sql`INSERT INTO ${sql.literal(schema)}.search_events AS known
      (event_id, starts_at, currency, price_from, price_to, name_words, words)
    SELECT id, to_timestamp("startsAtMs" / 1000), currency, "priceFrom", "priceTo", "nameWords", vector::tsvector
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS document (id uuid, "startsAtMs" float8,
      currency text, "priceFrom" bigint, "priceTo" bigint, "nameWords" smallint, vector text)
    ON CONFLICT (event_id) DO UPDATE SET starts_at = excluded.starts_at, currency = excluded.currency,
      price_from = excluded.price_from, price_to = excluded.price_to, name_words = excluded.name_words,
      words = excluded.words
    WHERE (known.starts_at, known.currency, known.price_from, known.price_to, known.name_words, known.words)
      IS DISTINCT FROM (excluded.starts_at, excluded.currency, excluded.price_from, excluded.price_to,
        excluded.name_words, excluded.words)`
}
