import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * What the rows of an inventory need for limits that are counted beside seats and areas (quotas, customers,
 * vouchers), and for commands that are carried out a batch at a time. The rows stand for the journal: they are
 * emptied here, and made from it again for each event when it is asked for.
 */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`TRUNCATE inventory.row_head, inventory.row_hold, inventory.row_seat, inventory.row_area,
    inventory.row_area_sale, inventory.row_answer`
  // The time of the newest row of the journal, in milliseconds since 1970: time never goes back in a stream.
  yield* sql`ALTER TABLE inventory.row_head ADD COLUMN at_ms bigint NOT NULL`
  yield* sql`ALTER TABLE inventory.row_hold ADD COLUMN customer text, ADD COLUMN voucher uuid`
  // What has expired is looked for by event with each batch, and over all events while nobody asks.
  yield* sql`CREATE INDEX row_hold_event_expiry ON inventory.row_hold (event_id, expires_at_ms)`
  yield* sql`ALTER TABLE inventory.row_seat DROP COLUMN cmd`
  // Places are asked for by order.
  yield* sql`ALTER TABLE inventory.row_area_sale DROP CONSTRAINT row_area_sale_pkey,
    ADD PRIMARY KEY (event_id, order_id, area), ADD CHECK (quantity > 0)`
  // The answer itself stands in the journal: the place-th event of the row. A return from before anybody
  // remembers is known by its command alone.
  yield* sql`ALTER TABLE inventory.row_answer DROP COLUMN fp, DROP COLUMN event, ADD COLUMN place int NOT NULL`

  // Tickets that count against a quota. One that was made smaller may have more than it has room for.
  yield* sql`CREATE TABLE inventory.row_quota (
    event_id uuid NOT NULL,
    quota int NOT NULL CHECK (quota >= 0),
    taken int NOT NULL CHECK (taken >= 0),
    PRIMARY KEY (event_id, quota)
  ) WITH (fillfactor = 50)`
  // Tickets that a customer holds and has bought, and that are held and were bought with a voucher.
  yield* sql`CREATE TABLE inventory.row_customer (
    event_id uuid NOT NULL,
    customer text NOT NULL,
    tickets int NOT NULL CHECK (tickets > 0),
    PRIMARY KEY (event_id, customer)
  ) WITH (fillfactor = 70)`
  yield* sql`CREATE TABLE inventory.row_voucher (
    event_id uuid NOT NULL,
    voucher uuid NOT NULL,
    tickets int NOT NULL CHECK (tickets > 0),
    PRIMARY KEY (event_id, voucher)
  ) WITH (fillfactor = 70)`
  // Whose the sold tickets of an order are, of orders that have a customer or a voucher.
  yield* sql`CREATE TABLE inventory.row_buyer (
    event_id uuid NOT NULL,
    order_id uuid NOT NULL,
    customer text,
    voucher uuid,
    tickets int NOT NULL CHECK (tickets > 0),
    PRIMARY KEY (event_id, order_id)
  )`
})
