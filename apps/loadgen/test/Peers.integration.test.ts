/** Every design sells nothing twice, except the one that is there to do so. */
import { assert, describe, layer } from "@effect/vitest"
import { TestDatabase } from "@onsale/testing/PostgresFixture"
import { hasRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Effect, Layer, Redacted } from "effect"
import { Redis } from "ioredis"
import { randomUUID } from "node:crypto"
import postgres from "postgres"
import * as Checker from "../src/Checker.ts"
import { randomAt } from "../src/load/Traffic.ts"
import { designs } from "../src/peers/Designs.ts"
import type { Stores } from "../src/peers/Peer.ts"

const event = 7
const seats = 40
const capacity = 50
const seed = 20_261

/** Stores over the suite's database; `connections` decide how far statements interleave. */
const storesOf = (connections: number) =>
  Effect.gen(function* () {
    const { url } = yield* TestDatabase
    const sql = yield* Effect.acquireRelease(
      Effect.sync(() => postgres(Redacted.value(url), { max: connections, onnotice: () => {} })),
      (sql) => Effect.promise(() => sql.end())
    )
    const stores: Stores = { sql, redis: undefined }
    return stores
  })

const sellSeats = Effect.fnUntraced(function* (name: string, stores: Stores) {
  const keeper = designs[name]?.seats
  if (keeper === undefined) return yield* Effect.die(new Error(`${name} sells no seats`))
  return yield* Effect.promise(async () => {
    await keeper.create(stores)
    await keeper.open(stores, { event, seats, capacity: 0 })
    const hold = keeper.hold(stores)
    const wins: { readonly holds: Array<string>; readonly seats: Array<number> } = { holds: [], seats: [] }
    // Two seats each, so that many overlap in one of them.
    const buyers = Array.from({ length: 300 }, async (_, i) => {
      const first = Math.floor(randomAt(seed, i) * (seats - 1))
      const id = randomUUID()
      if (await hold(event, id, [first, first + 1])) {
        wins.holds.push(id)
        wins.seats.push(first, first + 1)
      }
    })
    await Promise.all(buyers)
    return Checker.seats(wins.holds, Int32Array.from(wins.seats), await keeper.claims(stores.sql, event))
  })
})

const sellPlaces = Effect.fnUntraced(function* (name: string, stores: Stores) {
  const keeper = designs[name]?.places
  if (keeper === undefined) return yield* Effect.die(new Error(`${name} sells no places`))
  return yield* Effect.promise(async () => {
    await keeper.create(stores)
    await keeper.open(stores, { event, seats: 0, capacity })
    const hold = keeper.hold(stores)
    const holds: Array<string> = []
    const buyers = Array.from({ length: 60 }, async () => {
      const id = randomUUID()
      if (await hold(event, id, 1)) holds.push(id)
    })
    await Promise.all(buyers)
    return Checker.places(holds, 1, capacity, await keeper.claims(stores.sql, event))
  })
})

layer(TestDatabase.layer("empty"))("Peers", (it) => {
  const inPostgres = Object.entries(designs).filter(([, { naive, needsRedis }]) => !naive && !needsRedis)
  for (const [name, design] of inPostgres) {
    if (design.seats !== undefined)
      it.effect(`${name} sells each seat once and all or nothing`, () =>
        Effect.gen(function* () {
          const findings = yield* sellSeats(name, yield* storesOf(4))
          assert.isTrue(Checker.sound(findings), `seed ${seed}: ${JSON.stringify(findings)}`)
          assert.strictEqual(findings.stored, findings.answered)
          // A third of the seats at least: a buyer is only refused where a seat is taken.
          assert.isTrue(findings.answered * 6 >= seats, `${findings.answered} holds`)
        })
      )
    if (design.places !== undefined)
      it.effect(`${name} sells an area out and no more`, () =>
        Effect.gen(function* () {
          const findings = yield* sellPlaces(name, yield* storesOf(4))
          assert.deepStrictEqual(findings, { answered: capacity, stored: capacity, soldTwice: 0, lost: 0 })
        })
      )
  }

  // On one connection all look before the first writes, so that the race is lost every time.
  it.effect("the naive one is caught selling seats twice", () =>
    Effect.gen(function* () {
      const findings = yield* sellSeats("check-then-insert", yield* storesOf(1))
      assert.isTrue(findings.soldTwice > 0)
    })
  )
  it.effect("the naive one is caught selling more places than there are", () =>
    Effect.gen(function* () {
      const findings = yield* sellPlaces("check-then-insert", yield* storesOf(1))
      assert.strictEqual(findings.soldTwice, 60 - capacity)
    })
  )
})

describe.runIf(hasRedis)(suiteName("Peers that ask Redis"), () => {
  layer(Layer.merge(TestDatabase.layer("empty"), TestRedis.layer))((it) => {
    const withRedis = Effect.gen(function* () {
      const { url } = yield* TestRedis
      const { sql } = yield* storesOf(4)
      const redis = yield* Effect.acquireRelease(
        Effect.sync(() => new Redis(Redacted.value(url))),
        (redis) => Effect.sync(() => redis.disconnect())
      )
      return { sql, redis }
    })
    for (const [name, design] of Object.entries(designs).filter(([, { needsRedis }]) => needsRedis)) {
      if (design.seats !== undefined)
        it.effect(`${name} sells each seat once and all or nothing`, () =>
          Effect.gen(function* () {
            const findings = yield* sellSeats(name, yield* withRedis)
            assert.isTrue(Checker.sound(findings), `seed ${seed}: ${JSON.stringify(findings)}`)
            assert.strictEqual(findings.stored, findings.answered)
          })
        )
      it.effect(`${name} sells an area out and no more`, () =>
        Effect.gen(function* () {
          const findings = yield* sellPlaces(name, yield* withRedis)
          assert.deepStrictEqual(findings, { answered: capacity, stored: capacity, soldTwice: 0, lost: 0 })
        })
      )
    }
  })
})
