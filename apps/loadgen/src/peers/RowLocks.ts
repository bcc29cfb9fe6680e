/** Pessimistic: `SELECT … FOR UPDATE`, look, write. */
import { type PlaceKeeper, type SeatKeeper, transaction } from "./Peer.ts"
import * as PlaceTable from "./PlaceTable.ts"
import * as SeatTable from "./SeatTable.ts"

/** The textbook: a statement at a time in a transaction. */
export const seats: SeatKeeper = {
  ...SeatTable.store,
  hold:
    ({ sql }) =>
    (event, hold, seats) =>
      transaction(sql, async (sql) => {
        // In order, so that two buyers of the same seats wait for each other and do not deadlock.
        const rows = await sql<Array<{ free: boolean }>>`
          SELECT hold_id IS NULL OR expires_at <= now() AS free FROM seat
          WHERE event = ${event}::int AND seat = ANY (${seats}::int[]) ORDER BY seat FOR UPDATE`
        if (rows.length < seats.length || rows.some(({ free }) => !free)) return false
        await SeatTable.take(sql, event, hold, seats)
        return true
      })
}

/** The same locks at the least cost: one statement, so one round trip and no transaction that stays open. */
export const seatsOneStatement: SeatKeeper = {
  ...SeatTable.store,
  hold:
    ({ sql }) =>
    async (event, hold, seats) => {
      const result = await sql`
        WITH free AS MATERIALIZED (
          SELECT seat FROM seat
          WHERE event = ${event}::int AND seat = ANY (${seats}::int[]) AND (hold_id IS NULL OR expires_at <= now())
          ORDER BY seat FOR UPDATE
        )
        UPDATE seat SET hold_id = ${hold}::uuid, expires_at = now() + interval '1 hour'
        WHERE event = ${event}::int AND seat = ANY (${seats}::int[])
          AND (SELECT count(*) FROM free) = ${seats.length}::int`
      return result.count === seats.length
    }
}

/** The counter's row is locked from the reading to the commit. */
export const places: PlaceKeeper = {
  ...PlaceTable.store,
  hold:
    ({ sql }) =>
    (event, hold, quantity) =>
      transaction(sql, async (sql) => {
        const [area] = await sql<Array<{ available: number }>>`
          SELECT available FROM area WHERE event = ${event}::int FOR UPDATE`
        if (area === undefined || area.available < quantity) return false
        await sql`UPDATE area SET available = available - ${quantity}::int WHERE event = ${event}::int`
        await PlaceTable.record(sql, event, hold, quantity)
        return true
      })
}
