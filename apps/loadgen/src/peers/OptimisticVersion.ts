/** Optimistic: read without a lock, write where the version is still the one that was read, else again. */
import { randomInt } from "node:crypto"
import { setTimeout } from "node:timers/promises"
import { type PlaceKeeper, type SeatKeeper, sqlState, twoTrips } from "./Peer.ts"
import * as PlaceTable from "./PlaceTable.ts"
import * as SeatTable from "./SeatTable.ts"

// A seat that changed is taken, as a rule, and the next reading says so.
const seatTries = 3
/** Two that update the same seats in another order. */
const deadlock = "40P01"

export const seats: SeatKeeper = {
  ...SeatTable.store,
  hold:
    ({ sql }) =>
    async (event, hold, seats) => {
      for (let tries = 1; tries <= seatTries; tries++) {
        const rows = await sql<Array<{ seat: number; version: number; free: boolean }>>`
          SELECT seat, version, hold_id IS NULL OR expires_at <= now() AS free FROM seat
          WHERE event = ${event}::int AND seat = ANY (${seats}::int[]) ORDER BY seat`
        if (rows.length < seats.length || rows.some(({ free }) => !free)) return false
        // The count of the update decides whether to commit: all or nothing.
        const won = await twoTrips(
          sql,
          async (sql) =>
            await sql`UPDATE seat SET hold_id = ${hold}::uuid, expires_at = now() + interval '1 hour', version = seat.version + 1
              FROM unnest(${rows.map(({ seat }) => seat)}::int[], ${rows.map(({ version }) => version)}::int[]) AS seen (seat, version)
              WHERE seat.event = ${event}::int AND seat.seat = seen.seat AND seat.version = seen.version`,
          (_, updated) => (updated.count === seats.length ? [] : undefined)
        ).catch((cause: unknown) => {
          if (sqlState(cause) === deadlock) return false
          throw cause
        })
        if (won) return true
      }
      return false
    }
}

// Everybody changes the counter: all but one of those who read a version lose it.
const placeTries = 100
const pauseMs = 6

export const places: PlaceKeeper = {
  ...PlaceTable.store,
  hold:
    ({ sql }) =>
    async (event, hold, quantity) => {
      for (let tries = 1; tries <= placeTries; tries++) {
        const [area] = await sql<Array<{ available: number; version: number }>>`
          SELECT available, version FROM area WHERE event = ${event}::int`
        if (area === undefined || area.available < quantity) return false
        const result = await sql`
          WITH taken AS (
            UPDATE area SET available = available - ${quantity}::int, version = version + 1
            WHERE event = ${event}::int AND version = ${area.version}::int RETURNING event
          )
          INSERT INTO place_hold (hold_id, event, quantity, expires_at)
          SELECT ${hold}::uuid, event, ${quantity}::int, now() + interval '1 hour' FROM taken`
        if (result.count === 1) return true
        await setTimeout(randomInt(pauseMs))
      }
      throw new Error(`the counter had changed ${placeTries} times`)
    }
}
