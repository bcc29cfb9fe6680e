/**
 * What changes by SQL need: a publication that tells of them, and what keeps them from breaking a sale
 * (docs/runbooks/changes-by-sql.md).
 */
import * as ReplicationSlot from "@onsale/platform/ReplicationSlot"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* ReplicationSlot.createTable("catalog")

  // Of what shows: the keys, so that what is sent and kept is small, whatever the rows hold. A tier that is deleted
  // has to say whose it was.
  yield* sql`ALTER TABLE catalog.tiers REPLICA IDENTITY USING INDEX tiers_event_id_position_key`
  yield* sql`CREATE PUBLICATION onsale_catalog FOR TABLE
    catalog.events (id), catalog.venues (id), catalog.performers (id),
    catalog.tiers (event_id, position), catalog.event_performers (event_id, position)`

  // To whose events a change of a venue or performer belongs, in pages.
  yield* sql`CREATE INDEX events_of_venue ON catalog.events (venue_id, id)`
  yield* sql`CREATE INDEX events_of_performer ON catalog.event_performers (performer_id, event_id)`

  // Ids as the service makes them: one that is none could not be read, by anybody. Seats have the last 24 bits.
  for (const table of ["venues", "performers", "tiers"]) {
    yield* sql`ALTER TABLE catalog.${sql.literal(table)}
      ADD CONSTRAINT ${sql.literal(`${table}_id_is_v7`)} CHECK (id::text ~ '^.{14}7.{4}[89ab]')`
  }
  yield* sql`ALTER TABLE catalog.events
    ADD CONSTRAINT events_id_is_v7 CHECK (id::text ~ '^.{14}7.{4}[89ab].*000000$')`
  yield* sql`CREATE FUNCTION catalog.new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (substr(at, 1, 8) || '-' || substr(at, 9, 4) || '-7' || substr(random, 16, 21))::uuid
    FROM (SELECT lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') AS at,
      gen_random_uuid()::text AS random) AS made $$`
  yield* sql`CREATE FUNCTION catalog.new_event_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (left(catalog.new_id()::text, 30) || '000000')::uuid $$`
  for (const table of ["venues", "performers", "tiers"]) {
    yield* sql`ALTER TABLE catalog.${sql.literal(table)} ALTER COLUMN id SET DEFAULT catalog.new_id()`
  }
  yield* sql`ALTER TABLE catalog.events ALTER COLUMN id SET DEFAULT catalog.new_event_id(),
    ALTER COLUMN revision SET DEFAULT 1, ALTER COLUMN created_at SET DEFAULT now()`

  // What is on sale keeps its seats and its currency, and a change of its rules is a new revision, whose layout the
  // inventory is given; what that cannot take over it refuses.
  yield* sql`CREATE FUNCTION catalog.event_on_sale() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (NEW.id, NEW.venue_id, NEW.seat_map_version, NEW.currency)
        IS DISTINCT FROM (OLD.id, OLD.venue_id, OLD.seat_map_version, OLD.currency) THEN
        RAISE EXCEPTION 'the id, venue, seat map and currency of a published event do not change'
          USING ERRCODE = 'integrity_constraint_violation', TABLE = 'events', SCHEMA = 'catalog',
            CONSTRAINT = 'events_on_sale';
      END IF;
      IF NEW.state <> OLD.state AND NOT (OLD.state = 'published' AND NEW.state = 'cancelled') THEN
        RAISE EXCEPTION 'an event that is % does not become %', OLD.state, NEW.state
          USING ERRCODE = 'integrity_constraint_violation', TABLE = 'events', SCHEMA = 'catalog',
            CONSTRAINT = 'events_on_sale';
      END IF;
      IF NEW.revision = OLD.revision AND
        (NEW.state, NEW.starts_at, NEW.on_sale_at, NEW.sale_ends_at, NEW.max_per_order, NEW.max_per_customer,
          NEW.max_tickets, NEW.quotas::text, NEW.hold_ttl_ms, NEW.hold_max_ms, NEW.checkout_max_ms,
          NEW.accessible_released, NEW.organiser, NEW.refund_policy::text)
        IS DISTINCT FROM
        (OLD.state, OLD.starts_at, OLD.on_sale_at, OLD.sale_ends_at, OLD.max_per_order, OLD.max_per_customer,
          OLD.max_tickets, OLD.quotas::text, OLD.hold_ttl_ms, OLD.hold_max_ms, OLD.checkout_max_ms,
          OLD.accessible_released, OLD.organiser, OLD.refund_policy::text) THEN
        NEW.revision := OLD.revision + 1;
      END IF;
      RETURN NEW;
    END $$`
  yield* sql`CREATE TRIGGER events_on_sale BEFORE UPDATE ON catalog.events
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION catalog.event_on_sale()`

  // The same for tiers; what is listed as the event's prices follows. The service changes those of drafts alone.
  yield* sql`CREATE FUNCTION catalog.tiers_on_sale() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE catalog.events e SET revision = e.revision + 1,
          price_from = coalesce(prices.lowest, e.price_from), price_to = coalesce(prices.highest, e.price_to)
        FROM (SELECT DISTINCT event_id FROM changed) AS c,
          LATERAL (SELECT min(amount) AS lowest, max(amount) AS highest FROM catalog.tiers t
            WHERE t.event_id = c.event_id) AS prices
        WHERE e.id = c.event_id AND e.state <> 'draft';
      RETURN NULL;
    END $$`
  yield* sql`CREATE TRIGGER tiers_inserted AFTER INSERT ON catalog.tiers REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION catalog.tiers_on_sale()`
  yield* sql`CREATE TRIGGER tiers_updated AFTER UPDATE ON catalog.tiers REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION catalog.tiers_on_sale()`
  yield* sql`CREATE TRIGGER tiers_deleted AFTER DELETE ON catalog.tiers REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION catalog.tiers_on_sale()`
})
