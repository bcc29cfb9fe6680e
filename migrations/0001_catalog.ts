import * as Journal from "@onsale/platform/Journal"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Venues with the versions of their seat maps, performers, events with their tiers. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE SCHEMA catalog`
  yield* Journal.createTable("catalog")
  yield* sql`CREATE TABLE catalog.venues (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    location text NOT NULL,
    time_zone text NOT NULL,
    seat_map_version int NOT NULL CHECK (seat_map_version > 0),
    created_at timestamptz NOT NULL
  )`
  // A map without its rows, which are apart: a venue of 250,000 seats in one value is more than a driver takes.
  yield* sql`CREATE TABLE catalog.seat_maps (
    venue_id uuid NOT NULL REFERENCES catalog.venues (id),
    version int NOT NULL CHECK (version > 0),
    map json NOT NULL,
    report json NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (venue_id, version)
  )`
  yield* sql`CREATE TABLE catalog.seat_map_rows (
    venue_id uuid NOT NULL,
    version int NOT NULL,
    ordinal int NOT NULL CHECK (ordinal >= 0),
    section int NOT NULL CHECK (section >= 0),
    label text NOT NULL,
    seats json NOT NULL,
    PRIMARY KEY (venue_id, version, ordinal),
    FOREIGN KEY (venue_id, version) REFERENCES catalog.seat_maps (venue_id, version)
  )`
  yield* sql`CREATE TABLE catalog.performers (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL
  )`
  yield* sql`CREATE UNIQUE INDEX performers_same ON catalog.performers (name, md5(description))`
  // The number is what a hold's id carries of its event, in 24 bits.
  yield* sql`CREATE TABLE catalog.events (
    id uuid PRIMARY KEY,
    number int NOT NULL GENERATED ALWAYS AS IDENTITY (MINVALUE 1 MAXVALUE 16777215) UNIQUE,
    revision int NOT NULL CHECK (revision > 0),
    state text NOT NULL CHECK (state IN ('draft', 'published', 'cancelled')),
    venue_id uuid NOT NULL,
    seat_map_version int NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    starts_at timestamptz NOT NULL,
    time_zone text NOT NULL,
    on_sale_at timestamptz NOT NULL,
    sale_ends_at timestamptz NOT NULL CHECK (sale_ends_at > on_sale_at),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    price_from bigint NOT NULL CHECK (price_from >= 0),
    price_to bigint NOT NULL CHECK (price_to >= price_from),
    max_per_order int NOT NULL CHECK (max_per_order > 0),
    hold_ttl_ms int NOT NULL CHECK (hold_ttl_ms > 0),
    hold_max_ms int NOT NULL CHECK (hold_max_ms >= hold_ttl_ms),
    checkout_max_ms int NOT NULL CHECK (checkout_max_ms > 0),
    created_at timestamptz NOT NULL,
    published_at timestamptz,
    FOREIGN KEY (venue_id, seat_map_version) REFERENCES catalog.seat_maps (venue_id, version)
  )`
  yield* sql`CREATE INDEX events_by_start ON catalog.events (starts_at, id) WHERE state = 'published'`
  yield* sql`CREATE INDEX events_by_venue ON catalog.events (venue_id, starts_at, id) WHERE state = 'published'`
  yield* sql`CREATE TABLE catalog.event_performers (
    event_id uuid NOT NULL REFERENCES catalog.events (id) ON DELETE CASCADE,
    position int NOT NULL,
    performer_id uuid NOT NULL REFERENCES catalog.performers (id),
    PRIMARY KEY (event_id, position)
  )`
  yield* sql`CREATE TABLE catalog.tiers (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL REFERENCES catalog.events (id) ON DELETE CASCADE,
    position int NOT NULL,
    name text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    categories json NOT NULL,
    UNIQUE (event_id, position)
  )`
  // What of the demo season is there already.
  yield* sql`CREATE TABLE catalog.demo_season (
    key text PRIMARY KEY,
    id uuid,
    at timestamptz NOT NULL
  )`
})
