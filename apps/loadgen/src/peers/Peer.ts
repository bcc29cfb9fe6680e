/** What a peer is: another way of keeping seats or places, behind the same HTTP and over the same stores. */
import type { Redis } from "ioredis"
import type { ISql, Sql } from "postgres"

/** What a peer sells; everything is free when it is opened. */
export interface PeerEvent {
  /** Its number in the tables. */
  readonly event: number
  readonly seats: number
  /** Places of its one area for general admission. */
  readonly capacity: number
}

export interface Stores {
  readonly sql: Sql
  /** Undefined where no server was given. */
  readonly redis: Redis | undefined
}

/** True where the claim was won, all of it. A rejection is answered with 503. */
export type Won = boolean | Promise<boolean>

/** Holds `seats` (ascending) of an event for the hold with that id. */
export type HoldSeats = (event: number, hold: string, seats: ReadonlyArray<number>) => Won
/** Holds that many places of the event's area for the hold with that id. */
export type HoldPlaces = (event: number, hold: string, quantity: number) => Won

export interface SeatClaim {
  readonly hold: string
  readonly seat: number
}
export interface PlaceClaim {
  readonly hold: string
  readonly quantity: number
}

/** The tables of a way of keeping. */
export interface Store<Claim> {
  /** Creates them; they are made anew for each process. */
  readonly create: (stores: Stores) => Promise<void>
  /** Forgets everything, and puts an event on sale. */
  readonly open: (stores: Stores, event: PeerEvent) => Promise<void>
  /** The claims that stand, for the checker. */
  readonly claims: (sql: Sql, event: number) => Promise<ReadonlyArray<Claim>>
}

export interface SeatKeeper extends Store<SeatClaim> {
  readonly hold: (stores: Stores) => HoldSeats
}
export interface PlaceKeeper extends Store<PlaceClaim> {
  readonly hold: (stores: Stores) => HoldPlaces
}

/** How long a hold of a peer lives; no run takes as long. */
export const holdMs = 3_600_000

/** Ends a transaction without a commit; made once, because a stack trace costs more than a refusal. */
const refused = new Error("refused")

/** A transaction as everybody writes it: each statement waits for the one before. False rolls it back. */
export const transaction = (sql: Sql, body: (sql: ISql) => Promise<boolean>): Promise<boolean> =>
  sql
    .begin(async (transaction) => {
      if (!(await body(transaction))) throw refused
      return true
    })
    .catch((cause: unknown) => {
      if (cause === refused) return false
      throw cause
    })

/**
 * A transaction in two round trips: `BEGIN` travels with what `read` asks, `COMMIT` with what `writes`
 * asks; undefined of it rolls back.
 */
export const twoTrips = async <A>(
  sql: Sql,
  read: (sql: ISql) => Promise<A>,
  writes: (sql: ISql, found: A) => ReadonlyArray<Promise<unknown>> | undefined
): Promise<boolean> => {
  const connection = await sql.reserve()
  try {
    // A query of this driver is sent when it is awaited, unless it is told to go at once.
    const begun = connection.unsafe("BEGIN").execute()
    const reading = read(connection)
    // The connection goes to somebody else when this ends: nothing may be under way on it.
    await Promise.allSettled([begun, reading])
    await begun
    const writing = writes(connection, await reading)
    if (writing === undefined) {
      await connection.unsafe("ROLLBACK")
      return false
    }
    // After a statement that failed, COMMIT rolls back.
    const all = [...writing, connection.unsafe("COMMIT").execute()]
    await Promise.allSettled(all)
    await Promise.all(all)
    return true
  } catch (cause) {
    await connection.unsafe("ROLLBACK")
    throw cause
  } finally {
    connection.release()
  }
}

/** The code of a Postgres error, such as "40P01". */
export const sqlState = (cause: unknown): string | undefined =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : undefined
