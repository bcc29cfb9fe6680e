/** `FOR UPDATE SKIP LOCKED`: what somebody is just taking counts as taken, so nobody waits. */
import type { PeerEvent, PlaceClaim, PlaceKeeper, SeatKeeper, Stores } from "./Peer.ts"
import * as SeatTable from "./SeatTable.ts"

export const seats: SeatKeeper = {
  ...SeatTable.store,
  hold:
    ({ sql }) =>
    async (event, hold, seats) => {
      const result = await sql`
        WITH free AS MATERIALIZED (
          SELECT seat FROM seat
          WHERE event = ${event}::int AND seat = ANY (${seats}::int[]) AND (hold_id IS NULL OR expires_at <= now())
          ORDER BY seat FOR UPDATE SKIP LOCKED
        )
        UPDATE seat SET hold_id = ${hold}::uuid, expires_at = now() + interval '1 hour'
        WHERE event = ${event}::int AND seat = ANY (${seats}::int[])
          AND (SELECT count(*) FROM free) = ${seats.length}::int`
      return result.count === seats.length
    }
}

const createTickets = async ({ sql }: Stores): Promise<void> => {
  await sql`DROP TABLE IF EXISTS ticket`
  await sql`CREATE TABLE ticket (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event int NOT NULL,
    hold_id uuid,
    expires_at timestamptz
  )`
  // What is free is found without passing over what is gone; a sweeper would put back what expired.
  await sql`CREATE INDEX ticket_free ON ticket (event) WHERE hold_id IS NULL`
}

const openTickets = async ({ sql }: Stores, { event, capacity }: PeerEvent): Promise<void> => {
  await sql`TRUNCATE ticket`
  await sql`INSERT INTO ticket (event) SELECT ${event}::int FROM generate_series(1, ${capacity}::int)`
  await sql`VACUUM (FREEZE, ANALYZE) ticket`
}

/** No counter at all: a row for each place, made beforehand. */
export const places: PlaceKeeper = {
  create: createTickets,
  open: openTickets,
  claims: async (sql, event) =>
    await sql<Array<PlaceClaim>>`SELECT hold_id::text AS hold, count(*)::int AS quantity FROM ticket
      WHERE event = ${event}::int AND hold_id IS NOT NULL GROUP BY hold_id`,
  hold:
    ({ sql }) =>
    async (event, hold, quantity) => {
      const result = await sql`
        WITH free AS MATERIALIZED (
          SELECT id FROM ticket WHERE event = ${event}::int AND hold_id IS NULL
          LIMIT ${quantity}::int FOR UPDATE SKIP LOCKED
        )
        UPDATE ticket SET hold_id = ${hold}::uuid, expires_at = now() + interval '1 hour'
        WHERE id = ANY (ARRAY(SELECT id FROM free)) AND (SELECT count(*) FROM free) = ${quantity}::int`
      return result.count === quantity
    }
}
