/** A row for each seat, made when the event is put on sale: what most systems have. */
import type { ISql } from "postgres"
import type { PeerEvent, SeatClaim, Store, Stores } from "./Peer.ts"

const create = async ({ sql }: Stores): Promise<void> => {
  await sql`DROP TABLE IF EXISTS seat`
  // Half of each page is left free, so that an update stays on its page and touches no index (HOT).
  await sql`CREATE TABLE seat (
    event int NOT NULL,
    seat int NOT NULL,
    hold_id uuid,
    expires_at timestamptz,
    version int NOT NULL DEFAULT 0,
    PRIMARY KEY (event, seat)
  ) WITH (fillfactor = 50)`
}

const open = async ({ sql }: Stores, { event, seats }: PeerEvent): Promise<void> => {
  await sql`TRUNCATE seat`
  await sql`INSERT INTO seat (event, seat) SELECT ${event}::int, n FROM generate_series(0, ${seats - 1}::int) AS n`
  await sql`VACUUM (FREEZE, ANALYZE) seat`
}

/** Marks seats as held. */
export const take = (sql: ISql, event: number, hold: string, seats: ReadonlyArray<number>) =>
  sql`UPDATE seat SET hold_id = ${hold}::uuid, expires_at = now() + interval '1 hour'
    WHERE event = ${event}::int AND seat = ANY (${seats}::int[])`

export const store: Store<SeatClaim> = {
  create,
  open,
  claims: async (sql, event) =>
    await sql<
      Array<SeatClaim>
    >`SELECT hold_id::text AS hold, seat FROM seat WHERE event = ${event}::int AND hold_id IS NOT NULL`
}
