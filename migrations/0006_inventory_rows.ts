import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * The inventory as plain rows, for the levels without an entity (L0, L1). They stand for the journal up to
 * the version of `row_head`, and are made from it again where it has gone on without them. Times are
 * milliseconds since 1970.
 */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // One an event: which rows of the journal the others stand for, the layout in force, and the newest
  // transaction id in the event's journal.
  yield* sql`CREATE TABLE inventory.row_head (
    event_id uuid PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 0),
    layout int NOT NULL CHECK (layout >= 0),
    txid xid8 NOT NULL
  ) WITH (fillfactor = 50)`
  yield* sql`CREATE TABLE inventory.row_hold (
    event_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    seats int[] NOT NULL,
    areas int[] NOT NULL,
    quantities int[] NOT NULL CHECK (cardinality(quantities) = cardinality(areas)),
    expires_at_ms bigint NOT NULL,
    own_expiry_ms bigint NOT NULL,
    cap_ms bigint NOT NULL,
    order_id uuid,
    frozen_once boolean NOT NULL,
    PRIMARY KEY (event_id, hold_id)
  )`
  yield* sql`CREATE INDEX row_hold_expiry ON inventory.row_hold (expires_at_ms)`
  // INV-01 by the key: a seat has one row, and so one claim. A claim whose time is over is none; a sale has
  // an order and no end, and may have forgotten its hold. Only the key is indexed, so that a change of hands stays on its page.
  yield* sql`CREATE TABLE inventory.row_seat (
    event_id uuid NOT NULL,
    seat int NOT NULL CHECK (seat >= 0),
    hold_id uuid,
    cmd text,
    order_id uuid,
    expires_at_ms bigint NOT NULL,
    PRIMARY KEY (event_id, seat)
  ) WITH (fillfactor = 70)`
  // INV-01 for places, by the check.
  yield* sql`CREATE TABLE inventory.row_area (
    event_id uuid NOT NULL,
    area int NOT NULL CHECK (area >= 0),
    capacity int NOT NULL,
    held int NOT NULL,
    sold int NOT NULL,
    PRIMARY KEY (event_id, area),
    CONSTRAINT row_area_capacity CHECK (held + sold <= capacity)
  ) WITH (fillfactor = 50)`
  yield* sql`CREATE TABLE inventory.row_area_sale (
    event_id uuid NOT NULL,
    area int NOT NULL,
    order_id uuid NOT NULL,
    quantity int NOT NULL,
    PRIMARY KEY (event_id, area, order_id)
  )`
  // INV-07: what was answered to a command, as the event that was decided. A return is kept for ever.
  yield* sql`CREATE TABLE inventory.row_answer (
    event_id uuid NOT NULL,
    cmd text NOT NULL,
    fp text NOT NULL,
    event json,
    version bigint NOT NULL,
    at_ms bigint NOT NULL,
    returned boolean NOT NULL,
    PRIMARY KEY (event_id, cmd)
  )`
  yield* sql`CREATE INDEX row_answer_age ON inventory.row_answer (at_ms) WHERE NOT returned`
})
