/**
 * A seat map that shows something else has another version (docs/adr/0022-reads-encoded-once.md): which tier a seat is on
 * changes where SQL changes the tiers of an event on sale, and who has kept the map of a version keeps it for ever.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE catalog.events ADD COLUMN map_changes int NOT NULL DEFAULT 0`

  // As in 0016, and of the event too that a tier has left. A map shows the ids, order and categories of tiers; their
  // names and amounts it does not.
  for (const name of ["inserted", "updated", "deleted"]) {
    yield* sql`DROP TRIGGER ${sql.literal(`tiers_${name}`)} ON catalog.tiers`
  }
  yield* sql`CREATE OR REPLACE FUNCTION catalog.tiers_on_sale() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE touched uuid[]; shown uuid[];
    BEGIN
      IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT event_id) INTO touched FROM changed;
        shown := touched;
      ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT event_id) INTO touched FROM former;
        shown := touched;
      ELSE
        SELECT array_agg(DISTINCT event_id) INTO touched
          FROM (SELECT event_id FROM former UNION ALL SELECT event_id FROM changed) AS every;
        SELECT array_agg(DISTINCT event_id) INTO shown
          FROM former FULL JOIN changed USING (event_id, id, position)
          WHERE former.categories::text IS DISTINCT FROM changed.categories::text;
      END IF;
      UPDATE catalog.events e SET revision = e.revision + 1,
          map_changes = e.map_changes + CASE WHEN e.id = ANY(shown) THEN 1 ELSE 0 END,
          price_from = coalesce(prices.lowest, e.price_from), price_to = coalesce(prices.highest, e.price_to)
        FROM unnest(touched) AS c (event_id),
          LATERAL (SELECT min(amount) AS lowest, max(amount) AS highest FROM catalog.tiers t
            WHERE t.event_id = c.event_id) AS prices
        WHERE e.id = c.event_id AND e.state <> 'draft';
      RETURN NULL;
    END $$`
  yield* sql`CREATE TRIGGER tiers_inserted AFTER INSERT ON catalog.tiers REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION catalog.tiers_on_sale()`
  yield* sql`CREATE TRIGGER tiers_updated AFTER UPDATE ON catalog.tiers
    REFERENCING OLD TABLE AS former NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION catalog.tiers_on_sale()`
  yield* sql`CREATE TRIGGER tiers_deleted AFTER DELETE ON catalog.tiers REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION catalog.tiers_on_sale()`

  yield* sql`CREATE FUNCTION catalog.tiers_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE catalog.events SET map_changes = map_changes + 1 WHERE state <> 'draft';
      RETURN NULL;
    END $$`
  yield* sql`CREATE TRIGGER tiers_emptied AFTER TRUNCATE ON catalog.tiers
    FOR EACH STATEMENT EXECUTE FUNCTION catalog.tiers_emptied()`
})
