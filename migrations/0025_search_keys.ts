/**
 * Words of the soonest: an index of each word together with the four days that its event starts in, so that a word of
 * a hundred thousand events is read where it is soon and nowhere else (docs/adr/0025-search.md).
 *
 * A key is the hash of the word, with the number of the four days since 1970 as its seed: `SearchIndexPostgres` makes
 * the same ones for what it looks for. The function is the index's and must never change: another needs another name.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Documents of before have words of spans, which nobody asks for any more; they go when their event is read anew.
  yield* sql`CREATE FUNCTION catalog.search_keys(words tsvector, starts_at timestamptz) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT array_agg(hashtextextended(word COLLATE "C", floor(extract(epoch FROM starts_at) / 345600)::bigint))
      FROM unnest(tsvector_to_array(words)) AS word WHERE left(word, 1) <> '#'
    $$`
  yield* sql`CREATE INDEX search_events_keys ON catalog.search_events
    USING gin (catalog.search_keys(words, starts_at)) WITH (fastupdate = off)`
})
