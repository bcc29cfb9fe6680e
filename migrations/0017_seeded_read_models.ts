/** Read models that are first filled from the tables of their context, and the one of availability. */
import * as ReadModel from "@onsale/platform/ReadModel"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* ReadModel.addSeeds("catalog")
  yield* ReadModel.addSeeds("booking")
  // It has no events that came by SQL alone: it is filled anew, and the tables answer until it is.
  yield* sql`DELETE FROM catalog.read_model WHERE name = 'event-pages'`

  // Documents whose words are not counted are not found, and words counted twice mislead: who empties one of the two
  // empties both, and the keeper of the search makes them anew.
  yield* sql`CREATE FUNCTION catalog.search_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_TABLE_NAME = 'search_events' THEN DELETE FROM catalog.search_words;
      ELSE DELETE FROM catalog.search_events;
      END IF;
      RETURN NULL;
    END $$`
  for (const table of ["search_events", "search_words"]) {
    yield* sql`CREATE TRIGGER emptied AFTER TRUNCATE ON catalog.${sql.literal(table)}
      FOR EACH STATEMENT EXECUTE FUNCTION catalog.search_emptied()`
  }
})
