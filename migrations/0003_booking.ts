/** Booking: the orders' journal, and the tables that stand for it in questions and constraints. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import * as Journal from "@onsale/platform/Journal"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE SCHEMA booking`
  yield* Journal.createTable("booking")

  // A row an order, written in the statement of each append. `next_check_at` is null for an order that
  // is finished; `waiting` tells that nobody is at it, so that news of its payment should wake it.
  yield* sql`CREATE TABLE booking.orders (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    intent_id uuid NOT NULL UNIQUE,
    status text NOT NULL,
    stage text NOT NULL,
    tickets int NOT NULL CHECK (tickets > 0),
    total_amount bigint NOT NULL CHECK (total_amount >= 0),
    refunded_amount bigint NOT NULL DEFAULT 0,
    currency text NOT NULL,
    pay_until timestamptz NOT NULL,
    version bigint NOT NULL,
    waiting boolean NOT NULL DEFAULT false,
    next_check_at timestamptz,
    checks int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT orders_refunds CHECK (refunded_amount BETWEEN 0 AND total_amount)
  )`
  // One order at a time is at checkout with a hold, and at most one buys it (INV-04).
  yield* sql`CREATE UNIQUE INDEX orders_live_hold ON booking.orders (hold_id)
    WHERE status NOT IN ('declined', 'cancelled')`
  yield* sql`CREATE INDEX orders_due ON booking.orders (next_check_at) WHERE next_check_at IS NOT NULL`
  yield* sql`CREATE INDEX orders_event ON booking.orders (event_id, created_at)`

  yield* sql`CREATE TABLE booking.tickets (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES booking.orders (id),
    event_id uuid NOT NULL,
    seat int,
    area int,
    label text NOT NULL,
    tier_id uuid NOT NULL,
    price bigint NOT NULL CHECK (price >= 0),
    status text NOT NULL CHECK (status IN ('valid', 'refunded')),
    code_version int NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT tickets_place CHECK ((seat IS NULL) <> (area IS NULL))
  )`
  // INV-06: the database itself refuses a second valid ticket for a seat.
  yield* sql`CREATE UNIQUE INDEX tickets_valid_seat ON booking.tickets (event_id, seat) WHERE status = 'valid'`
  yield* sql`CREATE INDEX tickets_order ON booking.tickets (order_id)`

  // What was asked under an Idempotency-Key, and the answer once it was given (INV-07).
  yield* sql`CREATE TABLE booking.idempotency (
    operation text NOT NULL CHECK (operation IN ('place', 'refund')),
    key text NOT NULL,
    fingerprint text NOT NULL,
    order_id uuid NOT NULL,
    answer json,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (operation, key)
  )`
  yield* sql`CREATE INDEX idempotency_order ON booking.idempotency (order_id)`
})
