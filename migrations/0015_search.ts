/**
 * Search: a document an event, and the words that documents have. Both are made from the catalog's other tables by
 * `SearchRefresh`, so that whatever is missing or older than it comes by itself.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // A trusted extension: who owns the database may create it.
  yield* sql`CREATE EXTENSION IF NOT EXISTS pg_trgm`
  yield* sql`CREATE TABLE catalog.search_events (
    event_id uuid PRIMARY KEY,
    starts_at timestamptz NOT NULL,
    currency text NOT NULL,
    price_from bigint NOT NULL,
    price_to bigint NOT NULL,
    name_words smallint NOT NULL CHECK (name_words > 0),
    words tsvector NOT NULL
  )`
  // A list of what is new would make each search read it from end to end.
  yield* sql`CREATE INDEX search_events_words ON catalog.search_events USING gin (words) WITH (fastupdate = off)`
  yield* sql`CREATE INDEX search_events_start ON catalog.search_events (starts_at)`
  // In the order of code points, so that words with one beginning stand together.
  yield* sql`CREATE TABLE catalog.search_words (
    word text COLLATE "C" PRIMARY KEY,
    events int NOT NULL
  ) WITH (fillfactor = 80)`
  yield* sql`CREATE INDEX search_words_trigrams ON catalog.search_words USING gin (word gin_trgm_ops)`
})
