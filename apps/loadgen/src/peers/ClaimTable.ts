/** A row for each claim on a seat, and none for a seat that was never claimed; the key keeps claims apart. */
import type { SeatClaim, Store, Stores } from "./Peer.ts"

const create = async ({ sql }: Stores): Promise<void> => {
  await sql`DROP TABLE IF EXISTS claim`
  await sql`CREATE TABLE claim (
    event int NOT NULL,
    seat int NOT NULL,
    hold_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (event, seat)
  ) WITH (fillfactor = 50)`
}

const open = async ({ sql }: Stores): Promise<void> => {
  await sql`TRUNCATE claim`
}

export const store: Store<SeatClaim> = {
  create,
  open,
  claims: async (sql, event) =>
    await sql<Array<SeatClaim>>`SELECT hold_id::text AS hold, seat FROM claim WHERE event = ${event}::int`
}
