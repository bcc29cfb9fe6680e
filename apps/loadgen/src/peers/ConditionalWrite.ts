/** The condition is part of the write: one statement, and the database says whether it was true. */
import * as ClaimTable from "./ClaimTable.ts"
import { type PlaceKeeper, type SeatKeeper, sqlState } from "./Peer.ts"
import * as PlaceTable from "./PlaceTable.ts"

/** Some of the seats went between the look and the write; the error takes the others back. */
const partly = "22012"

export const seats: SeatKeeper = {
  ...ClaimTable.store,
  hold:
    ({ sql }) =>
    async (event, hold, seats) => {
      try {
        const [claimed] = await sql<Array<{ count: number }>>`
          WITH claimed AS (
            INSERT INTO claim (event, seat, hold_id, expires_at)
            SELECT ${event}::int, seat, ${hold}::uuid, now() + interval '1 hour'
            FROM unnest(${seats}::int[]) AS seat
            WHERE NOT EXISTS (
              SELECT FROM claim WHERE event = ${event}::int AND seat = ANY (${seats}::int[]) AND expires_at > now()
            )
            ON CONFLICT (event, seat) DO UPDATE
            SET hold_id = excluded.hold_id, expires_at = excluded.expires_at WHERE claim.expires_at <= now()
            RETURNING seat
          )
          SELECT count(*)::int AS count, 1 / (count(*) IN (0, ${seats.length}::int))::int AS whole FROM claimed`
        return claimed?.count === seats.length
      } catch (cause) {
        if (sqlState(cause) === partly) return false
        throw cause
      }
    }
}

export const places: PlaceKeeper = {
  ...PlaceTable.store,
  hold:
    ({ sql }) =>
    async (event, hold, quantity) => {
      const result = await sql`
        WITH taken AS (
          UPDATE area SET available = available - ${quantity}::int
          WHERE event = ${event}::int AND available >= ${quantity}::int RETURNING event
        )
        INSERT INTO place_hold (hold_id, event, quantity, expires_at)
        SELECT ${hold}::uuid, event, ${quantity}::int, now() + interval '1 hour' FROM taken`
      return result.count === 1
    }
}
