/** The counter of an area for general admission, and a row for each hold on its places. */
import type { ISql } from "postgres"
import type { PeerEvent, PlaceClaim, Store, Stores } from "./Peer.ts"

const create = async ({ sql }: Stores): Promise<void> => {
  await sql`DROP TABLE IF EXISTS area, place_hold`
  // One row that changes all the time: its page is kept for its versions.
  await sql`CREATE TABLE area (
    event int PRIMARY KEY,
    available int NOT NULL,
    version int NOT NULL DEFAULT 0
  ) WITH (fillfactor = 10)`
  await sql`CREATE TABLE place_hold (
    hold_id uuid PRIMARY KEY,
    event int NOT NULL,
    quantity int NOT NULL,
    expires_at timestamptz NOT NULL
  )`
}

const open = async ({ sql }: Stores, { event, capacity }: PeerEvent): Promise<void> => {
  await sql`TRUNCATE area, place_hold`
  await sql`INSERT INTO area (event, available) VALUES (${event}::int, ${capacity}::int)`
  await sql`VACUUM (FREEZE, ANALYZE) area, place_hold`
}

/** Writes the hold itself. */
export const record = (sql: ISql, event: number, hold: string, quantity: number) =>
  sql`INSERT INTO place_hold (hold_id, event, quantity, expires_at)
    VALUES (${hold}::uuid, ${event}::int, ${quantity}::int, now() + interval '1 hour')`

export const store: Store<PlaceClaim> = {
  create,
  open,
  claims: async (sql, event) =>
    await sql<
      Array<PlaceClaim>
    >`SELECT hold_id::text AS hold, quantity FROM place_hold WHERE event = ${event}::int`
}
