/** Whether the search's index is whole: until it is, searches are answered from the catalog's own tables. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // `losses` tells who began to read or to fill it before a loss from who began behind it.
  yield* sql`CREATE TABLE catalog.search_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    whole boolean NOT NULL,
    losses bigint NOT NULL DEFAULT 0
  )`
  // One that is in use serves on: a wrong number of events is noticed when its keeper starts.
  yield* sql`INSERT INTO catalog.search_state (whole) SELECT EXISTS (SELECT FROM catalog.search_events)`
  yield* sql`CREATE FUNCTION catalog.search_lost() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO catalog.search_state AS state (whole, losses) VALUES (false, 1)
        ON CONFLICT (one) DO UPDATE SET whole = false, losses = state.losses + 1;
      RETURN NULL;
    END $$`
  // Whoever keeps the index says so (`SearchLock`); all others lose something that it should have.
  for (const table of ["search_events", "search_words"]) {
    yield* sql`CREATE TRIGGER lost AFTER TRUNCATE OR DELETE ON catalog.${sql.literal(table)} FOR EACH STATEMENT
      WHEN (current_setting('onsale.search_keeper', true) IS DISTINCT FROM 'on')
      EXECUTE FUNCTION catalog.search_lost()`
  }
})
