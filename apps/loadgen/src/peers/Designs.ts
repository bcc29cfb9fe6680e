/** The designs that the benchmark compares with, by name. */
import * as AdvisoryLock from "./AdvisoryLock.ts"
import * as CheckThenInsert from "./CheckThenInsert.ts"
import * as ConditionalWrite from "./ConditionalWrite.ts"
import * as OptimisticVersion from "./OptimisticVersion.ts"
import type { PlaceKeeper, SeatKeeper } from "./Peer.ts"
import * as RedisFirst from "./RedisFirst.ts"
import * as RowLocks from "./RowLocks.ts"
import * as SkipLocked from "./SkipLocked.ts"

export interface Design {
  readonly label: string
  /** Who sells like this, or from where it is known. Ours are written from the description, at their best. */
  readonly seenIn: string
  /** Redis says who wins. An emptied one lets a counter be sold again; seats have the key of their table. */
  readonly needsRedis: boolean
  /** True where it is wrong on purpose. */
  readonly naive: boolean
  /** Connections to Postgres, the best of 8, 16 and 32 on two cores: where all wait for one row, the fewest. */
  readonly seatPool: number
  readonly placePool: number
  readonly seats?: SeatKeeper
  readonly places?: PlaceKeeper
}

const sound = { needsRedis: false, naive: false, seatPool: 16, placePool: 8 } as const

export const designs: Readonly<Record<string, Design>> = {
  "row-locks": {
    ...sound,
    label: "SELECT … FOR UPDATE, then UPDATE, in a transaction",
    seenIn:
      "alf.io, the textbooks; with_lock of Rails, select_for_update of Django, PESSIMISTIC_WRITE of JPA",
    seats: RowLocks.seats,
    places: RowLocks.places
  },
  "row-locks-one-statement": {
    ...sound,
    label: "the same row locks in one statement",
    seenIn: "nobody we know; row locks at their best",
    seats: RowLocks.seatsOneStatement
  },
  "optimistic-version": {
    ...sound,
    seatPool: 8,
    label: "optimistic version column, up to 3 tries (a counter: 100)",
    seenIn: "@Version of JPA, lock_version of Rails",
    seats: OptimisticVersion.seats,
    places: OptimisticVersion.places
  },
  "advisory-lock": {
    ...sound,
    seatPool: 8,
    label: "advisory lock an event",
    seenIn: "pretix (which locks single quotas and seats where it can)",
    seats: AdvisoryLock.seats,
    places: AdvisoryLock.places
  },
  "skip-locked": {
    ...sound,
    placePool: 16,
    label: "FOR UPDATE SKIP LOCKED in one statement; a row for each place",
    seenIn: "Big Neon (bn-api)",
    seats: SkipLocked.seats,
    places: SkipLocked.places
  },
  "conditional-write": {
    ...sound,
    label: "one conditional upsert; a counter: UPDATE … WHERE available >= n",
    seenIn: "Revel, cal.com",
    seats: ConditionalWrite.seats,
    places: ConditionalWrite.places
  },
  "redis-seat-keys": {
    ...sound,
    needsRedis: true,
    placePool: 16,
    label: "Redis SET NX a seat, then the database; a counter: DECRBY",
    seenIn: "the system design interviews, and many samples after them",
    seats: RedisFirst.seats,
    places: RedisFirst.counter
  },
  "redis-event-lock": {
    ...sound,
    needsRedis: true,
    label: "Redis lock an event around a counter",
    seenIn: "Redlock samples",
    places: RedisFirst.eventLock
  },
  "check-then-insert": {
    ...sound,
    naive: true,
    label: "naive: look, then insert, without any lock",
    seenIn: "what the checker has to catch",
    seats: CheckThenInsert.seats,
    places: CheckThenInsert.places
  }
}
