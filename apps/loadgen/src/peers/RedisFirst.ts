/** Redis decides and the database writes down what it said. */
import type { Redis } from "ioredis"
import { randomInt } from "node:crypto"
import { setTimeout } from "node:timers/promises"
import * as ClaimTable from "./ClaimTable.ts"
import { holdMs, type PlaceKeeper, type SeatKeeper, sqlState, type Stores } from "./Peer.ts"
import * as PlaceTable from "./PlaceTable.ts"

const needed = ({ redis }: Stores): Redis => {
  if (redis === undefined) throw new Error("this design needs a Redis")
  return redis
}

const uniqueViolation = "23505"
const seatKey = (event: number, seat: number) => `seat:${event}:${seat}`

/** A key a seat, `SET … NX` with the life of the hold; then a row a seat. */
export const seats: SeatKeeper = {
  ...ClaimTable.store,
  open: async (stores, event) => {
    await needed(stores).flushdb()
    await ClaimTable.store.open(stores, event)
  },
  hold: (stores) => {
    const redis = needed(stores)
    return async (event, hold, seats) => {
      const keys = seats.map((seat) => seatKey(event, seat))
      // ioredis sends what is asked in one turn of the loop as one write.
      const answers = await Promise.all(keys.map((key) => redis.set(key, hold, "PX", holdMs, "NX")))
      const won = keys.filter((_, i) => answers[i] === "OK")
      if (won.length < keys.length) {
        if (won.length > 0) await redis.del(...won)
        return false
      }
      try {
        await stores.sql`INSERT INTO claim (event, seat, hold_id, expires_at)
          SELECT ${event}::int, seat, ${hold}::uuid, now() + interval '1 hour' FROM unnest(${seats}::int[]) AS seat`
        return true
      } catch (cause) {
        if (sqlState(cause) !== uniqueViolation) throw cause
        await redis.del(...won)
        return false
      }
    }
  }
}

const counterKey = (event: number) => `available:${event}`

const openCounter: PlaceKeeper["open"] = async (stores, event) => {
  await needed(stores).flushdb()
  await needed(stores).set(counterKey(event.event), event.capacity)
  await PlaceTable.store.open(stores, event)
}

/** `DECRBY`, and back again where it went below zero; then the hold's row. */
export const counter: PlaceKeeper = {
  ...PlaceTable.store,
  open: openCounter,
  hold: (stores) => {
    const redis = needed(stores)
    return async (event, hold, quantity) => {
      const key = counterKey(event)
      if ((await redis.decrby(key, quantity)) < 0) {
        await redis.incrby(key, quantity)
        return false
      }
      await PlaceTable.record(stores.sql, event, hold, quantity)
      return true
    }
  }
}

const lockMs = 5_000
/** Shorter than the libraries' 200 ms, which would leave the lock idle most of the time. */
const retryMs = 6
const deleteIfMine =
  "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

/** A lock an event in Redis around the reading of a counter, its writing and the hold's row. */
export const eventLock: PlaceKeeper = {
  ...PlaceTable.store,
  open: openCounter,
  hold: (stores) => {
    const redis = needed(stores)
    return async (event, hold, quantity) => {
      const lock = `lock:${event}`
      const key = counterKey(event)
      const until = performance.now() + lockMs
      while ((await redis.set(lock, hold, "PX", lockMs, "NX")) !== "OK") {
        if (performance.now() > until) throw new Error("the lock was not to be had")
        await setTimeout(1 + randomInt(retryMs))
      }
      try {
        if (Number(await redis.get(key)) < quantity) return false
        await redis.decrby(key, quantity)
        await PlaceTable.record(stores.sql, event, hold, quantity)
        return true
      } finally {
        await redis.eval(deleteIfMine, 1, lock, hold)
      }
    }
  }
}
