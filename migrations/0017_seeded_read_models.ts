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

  yield* ReadModel.createTables("inventory")
  // `view` as `AvailabilityView`; the sums in columns, for who asks for those of many events.
  yield* sql`CREATE TABLE inventory.availability (
    generation int NOT NULL,
    event_id uuid NOT NULL,
    version bigint NOT NULL,
    total int NOT NULL,
    available int NOT NULL,
    held int NOT NULL,
    sold int NOT NULL,
    places int NOT NULL,
    places_available int NOT NULL,
    next_expiry_ms bigint,
    view json NOT NULL,
    PRIMARY KEY (generation, event_id)
  )`
  yield* sql`CREATE INDEX availability_expiry ON inventory.availability (generation, next_expiry_ms)
    WHERE next_expiry_ms IS NOT NULL`
  yield* ReadModel.ownTable("inventory", "availability", "availability")
})
