/** The read models of catalog and booking: see `platform/src/ReadModel.ts`. */
import * as ReadModel from "@onsale/platform/ReadModel"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* ReadModel.createTables("catalog")
  // An event that the public may see, as `StoredEvent`; what a page is made of stands in columns of its own.
  yield* sql`CREATE TABLE catalog.event_pages (
    generation int NOT NULL,
    event_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    venue_id uuid NOT NULL,
    listed json NOT NULL,
    detail json NOT NULL,
    PRIMARY KEY (generation, event_id)
  )`
  yield* sql`CREATE INDEX event_pages_by_start ON catalog.event_pages (generation, starts_at, event_id)`
  yield* sql`CREATE INDEX event_pages_by_venue ON catalog.event_pages (generation, venue_id, starts_at, event_id)`
  yield* ReadModel.ownTable("catalog", "event-pages", "event_pages")

  yield* ReadModel.createTables("booking")
  // Whose an order is: the customer's id where a token named one, else the address.
  yield* sql`CREATE TABLE booking.customer_orders (
    generation int NOT NULL,
    customer text NOT NULL,
    placed_at timestamptz NOT NULL,
    order_id uuid NOT NULL,
    PRIMARY KEY (generation, customer, placed_at, order_id)
  )`
  yield* ReadModel.ownTable("booking", "customer-orders", "customer_orders")
  yield* sql`CREATE TABLE booking.sales_by_day (
    generation int NOT NULL,
    event_id uuid NOT NULL,
    currency text NOT NULL,
    day date NOT NULL,
    orders bigint NOT NULL,
    tickets bigint NOT NULL,
    amount bigint NOT NULL,
    returned bigint NOT NULL,
    refunded bigint NOT NULL,
    kept bigint NOT NULL,
    PRIMARY KEY (generation, event_id, currency, day)
  )`
  yield* ReadModel.ownTable("booking", "sales", "sales_by_day")
  yield* sql`CREATE TABLE booking.sales_by_tier (
    generation int NOT NULL,
    event_id uuid NOT NULL,
    currency text NOT NULL,
    tier_id uuid NOT NULL,
    tickets bigint NOT NULL,
    amount bigint NOT NULL,
    returned bigint NOT NULL,
    refunded bigint NOT NULL,
    kept bigint NOT NULL,
    PRIMARY KEY (generation, event_id, currency, tier_id)
  )`
  yield* ReadModel.ownTable("booking", "sales", "sales_by_tier")
})
