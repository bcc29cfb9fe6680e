import * as Journal from "@onsale/platform/Journal"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** The inventory's journal, the layouts it sells by, its snapshots, and the sales that the database itself keeps apart. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE SCHEMA inventory`
  yield* Journal.createTable("inventory")
  yield* sql`CREATE TABLE inventory.layout (
    event_id uuid NOT NULL,
    version int NOT NULL CHECK (version > 0),
    layout json NOT NULL,
    PRIMARY KEY (event_id, version)
  )`
  yield* sql`CREATE TABLE inventory.snapshot (
    stream uuid NOT NULL,
    version bigint NOT NULL,
    state json NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, version)
  )`
  // INV-01 once more, by the database: a second sale of a seat is refused whoever asks for it.
  yield* sql`CREATE TABLE inventory.sale (
    event_id uuid NOT NULL,
    seat int NOT NULL CHECK (seat >= 0),
    order_id uuid NOT NULL,
    PRIMARY KEY (event_id, seat)
  )`
})
