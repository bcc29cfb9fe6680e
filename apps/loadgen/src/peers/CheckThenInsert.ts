/**
 * Wrong on purpose: looks whether the seats are free and then writes, and nothing keeps others away in
 * between. The benchmark's checker has to find what it sells twice.
 */
import type { PlaceKeeper, SeatKeeper } from "./Peer.ts"
import * as ClaimTable from "./ClaimTable.ts"
import * as PlaceTable from "./PlaceTable.ts"

export const seats: SeatKeeper = {
  ...ClaimTable.store,
  // The same table without its key, which would find what this design overlooks.
  create: async ({ sql }) => {
    await sql`DROP TABLE IF EXISTS claim`
    await sql`CREATE TABLE claim (
      event int NOT NULL,
      seat int NOT NULL,
      hold_id uuid NOT NULL,
      expires_at timestamptz NOT NULL
    )`
    await sql`CREATE INDEX claim_seat ON claim (event, seat)`
  },
  hold:
    ({ sql }) =>
    async (event, hold, seats) => {
      const taken = await sql`
        SELECT FROM claim WHERE event = ${event}::int AND seat = ANY (${seats}::int[]) AND expires_at > now()`
      if (taken.count > 0) return false
      await sql`INSERT INTO claim (event, seat, hold_id, expires_at)
        SELECT ${event}::int, seat, ${hold}::uuid, now() + interval '1 hour' FROM unnest(${seats}::int[]) AS seat`
      return true
    }
}

export const places: PlaceKeeper = {
  ...PlaceTable.store,
  hold:
    ({ sql }) =>
    async (event, hold, quantity) => {
      const [area] = await sql<Array<{ available: number }>>`
        SELECT available FROM area WHERE event = ${event}::int`
      if (area === undefined || area.available < quantity) return false
      await sql`UPDATE area SET available = ${area.available - quantity}::int WHERE event = ${event}::int`
      await PlaceTable.record(sql, event, hold, quantity)
      return true
    }
}
