import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** The rules of a sale: of tiers, quotas and customers; house seats (blocks), vouchers, the accessible pool. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Null is no rule. Quotas name tiers by their position.
  yield* sql`ALTER TABLE catalog.tiers
    ADD COLUMN sale_from timestamptz,
    ADD COLUMN sale_until timestamptz,
    ADD COLUMN min_per_order int CHECK (min_per_order > 0),
    ADD COLUMN max_per_order int CHECK (max_per_order > 0),
    ADD COLUMN voucher_only boolean NOT NULL DEFAULT false`
  // The change that made the revision, which only older builds read and write: a repeat asks what became of its
  // transaction. And the newest revision whose layout the inventory is known to have, 0 for none.
  yield* sql`ALTER TABLE catalog.events
    ADD COLUMN max_per_customer int CHECK (max_per_customer > 0),
    ADD COLUMN max_tickets int CHECK (max_tickets > 0),
    ADD COLUMN quotas json NOT NULL DEFAULT '[]',
    ADD COLUMN accessible_released boolean NOT NULL DEFAULT false,
    ADD COLUMN change_id uuid,
    ADD COLUMN opened_revision int NOT NULL DEFAULT 0`
  yield* sql`UPDATE catalog.events SET opened_revision = revision WHERE state = 'published'`
  yield* sql`CREATE INDEX events_to_open ON catalog.events (id)
    WHERE state = 'published' AND opened_revision < revision`
  // The position is the place of the block's areas behind those of the seat map: it never changes.
  yield* sql`CREATE TABLE catalog.blocks (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL REFERENCES catalog.events (id) ON DELETE CASCADE,
    position int NOT NULL CHECK (position >= 0),
    name text NOT NULL,
    areas json NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (event_id, position)
  )`
  // A seat is in one block, by the key. What is released is deleted.
  yield* sql`CREATE TABLE catalog.block_seats (
    event_id uuid NOT NULL,
    seat int NOT NULL CHECK (seat >= 0),
    block_id uuid NOT NULL REFERENCES catalog.blocks (id) ON DELETE CASCADE,
    PRIMARY KEY (event_id, seat)
  )`
  yield* sql`CREATE INDEX block_seats_by_block ON catalog.block_seats (block_id)`
  // The key is the hash of the code as the inventory knows it.
  yield* sql`CREATE TABLE catalog.vouchers (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL REFERENCES catalog.events (id) ON DELETE CASCADE,
    key text NOT NULL,
    code text NOT NULL,
    tiers json NOT NULL,
    blocks json NOT NULL,
    max_tickets int NOT NULL CHECK (max_tickets > 0),
    valid_from timestamptz,
    valid_until timestamptz,
    created_at timestamptz NOT NULL,
    UNIQUE (event_id, key)
  )`
  yield* sql`CREATE INDEX vouchers_in_order ON catalog.vouchers (event_id, created_at, id)`
})
