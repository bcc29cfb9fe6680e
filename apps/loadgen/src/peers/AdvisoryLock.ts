/** An advisory lock an event, until the commit: whoever has it looks and writes alone. */
import { type PlaceKeeper, type SeatKeeper, twoTrips } from "./Peer.ts"
import * as PlaceTable from "./PlaceTable.ts"
import * as SeatTable from "./SeatTable.ts"

export const seats: SeatKeeper = {
  ...SeatTable.store,
  hold:
    ({ sql }) =>
    (event, hold, seats) =>
      twoTrips(
        sql,
        async (sql) => {
          const locked = sql`SELECT pg_advisory_xact_lock(${event}::bigint)`.execute()
          // A statement of its own, because it has to see what the last owner of the lock committed.
          const rows = sql<Array<{ free: boolean }>>`
            SELECT hold_id IS NULL OR expires_at <= now() AS free FROM seat
            WHERE event = ${event}::int AND seat = ANY (${seats}::int[])`.execute()
          await Promise.all([locked, rows])
          return await rows
        },
        (sql, rows) =>
          rows.length < seats.length || rows.some(({ free }) => !free)
            ? undefined
            : [SeatTable.take(sql, event, hold, seats).execute()]
      )
}

export const places: PlaceKeeper = {
  ...PlaceTable.store,
  hold:
    ({ sql }) =>
    (event, hold, quantity) =>
      twoTrips(
        sql,
        async (sql) => {
          const locked = sql`SELECT pg_advisory_xact_lock(${event}::bigint)`.execute()
          const rows = sql<Array<{ available: number }>>`
            SELECT available FROM area WHERE event = ${event}::int`.execute()
          await Promise.all([locked, rows])
          return (await rows)[0]?.available ?? 0
        },
        (sql, available) =>
          available < quantity
            ? undefined
            : [
                sql`UPDATE area SET available = available - ${quantity}::int WHERE event = ${event}::int`.execute(),
                PlaceTable.record(sql, event, hold, quantity).execute()
              ]
      )
}
