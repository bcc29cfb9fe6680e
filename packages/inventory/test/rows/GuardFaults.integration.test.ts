import { assert, describe, layer } from "@effect/vitest"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import * as Redis from "@onsale/platform/Redis"
import {
  confirm,
  extend,
  freeze,
  held,
  hold,
  newOrderId,
  openSale,
  refused,
  release,
  seatsOf,
  sold,
  takeBack,
  unfreeze
} from "@onsale/testing/InventorySale"
import { pollUntil } from "@onsale/testing/Poll"
import { hasRedis, ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { grid } from "@onsale/testing/SaleLayouts"
import { SteeredClock } from "@onsale/testing/SteeredClock"
import { Context, Effect, Exit, Fiber, Layer, Random, References } from "effect"
import { Redis as LibraryRedis } from "effect/persistence"
import { SqlClient } from "effect/sql"
import * as RedisGuard from "../../src/rows/RedisGuard.ts"
import { expectClean, ground } from "./RowsHarness.ts"

const all = { concurrency: "unbounded" } as const
/** So many that Redis answers each within its time, on a machine that is busy with other tests. */
const some = { concurrency: 40 } as const
const seeds = [1, 2, 3, 4]

const onTestRedis = Layer.unwrap(
  Effect.map(TestRedis, ({ url }) => Redis.layerUrl({ url, commandTimeout: "2 seconds" }))
).pipe(
  Layer.provideMerge(TestRedis.layer),
  // It says each time that Redis has gone away and is there again.
  Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
)

const level1 = RedisGuard.layer.pipe(Layer.provideMerge(onTestRedis), Layer.provideMerge(ground))

/** Nobody gets an answer of Postgres about seats, answers or versions while this runs. */
const withoutRows = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.andThen(
        sql`LOCK TABLE inventory.row_answer, inventory.row_seat, inventory.row_hold, inventory.row_head
          IN ACCESS EXCLUSIVE MODE`,
        effect
      )
    )
  )

describe.runIf(hasRedis)(suiteName("RedisGuard"), () => {
  layer(level1, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
    it.effect("losers are told without a statement of Postgres, and told the same again", () =>
      Effect.gen(function* () {
        const sale = yield* openSale(grid(4, 10))
        held(yield* sale.hold({ seats: [0, 1, 2] }))
        const { holdId } = held(yield* sale.hold({ seats: [3] }))
        sold(yield* sale.execute(confirm(holdId, newOrderId(), { seats: [3] })))
        const losers = Array.from({ length: 500 }, (_, i) => hold({ seats: [10 + (i % 20), i % 4] }))
        const answers = yield* withoutRows(
          Effect.gen(function* () {
            const answers = yield* Effect.forEach(losers, sale.execute, some)
            assert.deepStrictEqual(yield* Effect.forEach(losers, sale.execute, some), answers)
            refused(yield* sale.execute({ ...losers[0]!, fingerprint: "another" }), "key_reused")
            return answers
          }).pipe(Effect.timeout("20 seconds"))
        )
        answers.forEach((answer, i) => refused(answer, "seats_taken", { seats: [i % 4] }))
        yield* sale.expectTaken({ held: [0, 1, 2], sold: [3] })
      })
    )

    it.effect("what is given back, released or over can be had at once", () =>
      Effect.gen(function* () {
        const clock = yield* SteeredClock
        const sale = yield* openSale(grid(4, 10))
        const isTaken = (seat: number) =>
          Effect.map(sale.hold({ seats: [seat] }), (answer) =>
            refused(answer, "seats_taken", { seats: [seat] })
          )
        const order = newOrderId()
        const one = held(yield* sale.hold({ seats: [0] }))
        yield* isTaken(0)
        yield* sale.execute(release(one.holdId))
        const two = held(yield* sale.hold({ seats: [0] }))
        sold(yield* sale.execute(confirm(two.holdId, order, { seats: [0] })))
        yield* isTaken(0)
        yield* sale.execute(takeBack(order, { seats: [0] }))
        const three = held(yield* sale.hold({ seats: [0] }))
        held(yield* sale.execute(freeze(three.holdId, order)))
        yield* clock.advance(10_000)
        yield* isTaken(0)
        held(yield* sale.execute(unfreeze(three.holdId, order)))
        const four = held(yield* sale.hold({ seats: [0] }))
        yield* clock.advance(9_000)
        held(yield* sale.execute(extend(four.holdId)))
        yield* clock.advance(9_000)
        yield* isTaken(0)
        yield* clock.advance(1_000)
        held(yield* sale.hold({ seats: [0] }))
      })
    )

    it.effect(
      "INV-07, INV-10: after FLUSHALL a winner is told of his hold again, though another has the seat now",
      () =>
        Effect.gen(function* () {
          const clock = yield* SteeredClock
          const redis = yield* TestRedis
          const sale = yield* openSale(grid(4, 10))
          const winner = hold({ seats: [5] })
          const won = yield* sale.execute(winner)
          yield* clock.advance(10_000)
          held(yield* sale.hold({ seats: [5] }))
          yield* redis.flushAll
          // The second: the first only tells that Redis was emptied.
          for (let i = 0; i < 2; i++) {
            refused(yield* sale.hold({ seats: [5] }), "seats_taken", { seats: [5] })
            yield* clock.advance(600)
          }
          const { holdId: _, ...again } = winner._tag === "Hold" ? winner : assert.fail()
          assert.deepStrictEqual(yield* sale.execute({ ...again, holdId: held(won).holdId }), won)
        })
    )

    it.effect("INV-10: 200 buyers for 50 seats, ten times, and FLUSHALL all the while", () =>
      Effect.gen(function* () {
        const redis = yield* TestRedis
        const clock = yield* SteeredClock
        const flusher = yield* Effect.forkChild(
          Effect.forever(
            redis.flushAll.pipe(Effect.andThen(clock.advance(1)), Effect.andThen(Effect.sleep("15 millis")))
          )
        )
        for (let round = 0; round < 10; round++) {
          const sale = yield* openSale(grid(5, 10, { holdTtlMs: 3_600_000, holdMaxMs: 3_600_000 }))
          const answers = yield* Effect.forEach(
            Array.from({ length: 200 }, (_, buyer) => (buyer * 7 + round) % 50),
            (seat) => Effect.map(sale.hold({ seats: [seat] }), (answer) => ({ seat, answer })),
            all
          )
          const winners = answers.flatMap(({ answer }) => (answer._tag === "Held" ? seatsOf(answer) : []))
          assert.lengthOf(new Set(winners), 50)
          assert.lengthOf(winners, 50)
          for (const { answer, seat } of answers) {
            if (answer._tag !== "Held") refused(answer, "seats_taken", { seats: [seat] })
          }
        }
        yield* Fiber.interrupt(flusher)
        yield* expectClean
      })
    )

    for (const seed of seeds) {
      it.effect(
        `INV-10: whatever becomes of Redis, every hold is answered as the seats are, seed ${seed}`,
        () => sequence(seed, "any").pipe(Random.withSeed(seed))
      )
      it.effect(`INV-10: two processes and an emptied Redis: the same, seed ${seed}`, () =>
        sequence(seed, "emptied").pipe(Random.withSeed(seed))
      )
    }

    it.effect.runIf(ownRedis)(
      "a Redis that is full, and could not be told, refuses nothing that is free by now",
      () =>
        Effect.gen(function* () {
          const redis = yield* LibraryRedis.Redis
          const clock = yield* SteeredClock
          yield* connected
          const sale = yield* openSale(grid(1, 10))
          const { holdId } = held(yield* sale.hold({ seats: [3] }))
          refused(yield* sale.hold({ seats: [3] }), "seats_taken")
          yield* redis.send("CONFIG", "SET", "maxmemory", "1")
          assert.strictEqual((yield* sale.execute(release(holdId)))._tag, "Released")
          yield* redis.send("CONFIG", "SET", "maxmemory", "0")
          held(yield* sale.hold({ seats: [3] }))
          yield* clock.advance(1_000)
          refused(yield* sale.hold({ seats: [3] }), "seats_taken")
          yield* expectClean
        })
    )

    it.effect.runIf(ownRedis)(
      "a Redis that comes back with an old copy refuses nothing that is free by now",
      () =>
        Effect.gen(function* () {
          const server = yield* TestRedis
          const redis = yield* LibraryRedis.Redis
          const sale = yield* openSale(grid(1, 10))
          const { holdId } = held(yield* sale.hold({ seats: [3] }))
          const [seats, answered] = [`onsale:{${sale.eventId}}:seats`, `onsale:{${sale.eventId}}:answered`]
          const fields = yield* redis.send<ReadonlyArray<string>>("HGETALL", seats)
          const members = yield* redis.send<ReadonlyArray<string>>(
            "ZRANGE",
            answered,
            "0",
            "-1",
            "WITHSCORES"
          )
          assert.isTrue(fields.includes("3"))
          yield* sale.execute(release(holdId))
          yield* server.stop
          yield* server.start
          yield* connected
          yield* redis.send("HSET", seats, ...fields)
          for (let i = 0; i < members.length; i += 2) {
            yield* redis.send("ZADD", answered, members[i + 1]!, members[i]!)
          }
          held(yield* sale.hold({ seats: [3] }))
          yield* expectClean
        })
    )

    it.effect.runIf(ownRedis)("a Redis that was away turns losers away again within 5 seconds", () =>
      Effect.gen(function* () {
        const redis = yield* TestRedis
        const clock = yield* SteeredClock
        const sale = yield* openSale(grid(4, 10, { holdTtlMs: 3_600_000, holdMaxMs: 3_600_000 }))
        held(yield* sale.hold({ seats: [0] }))
        yield* redis.stop
        // Postgres answers meanwhile.
        const answers = yield* Effect.forEach(
          Array.from({ length: 100 }, (_, i) => i % 40),
          (seat) => sale.hold({ seats: [seat] }),
          all
        )
        assert.lengthOf(
          answers.filter(({ _tag }) => _tag === "Held"),
          39
        )
        yield* redis.start
        // Each time another command: one that was answered is not asked of Redis.
        const ask = Effect.suspend(() => sale.hold({ seats: [7] }))
        yield* pollUntil(
          clock
            .advance(200)
            .pipe(Effect.andThen(ask), Effect.andThen(withoutRows(Effect.timeoutOption(ask, "250 millis")))),
          ({ _tag }) => _tag === "Some",
          { deadline: "5 seconds" }
        )
        yield* expectClean
      })
    )
  })
})

/** Our connection is there (again). */
const connected = Effect.flatMap(LibraryRedis.Redis, (redis) =>
  pollUntil(Effect.exit(redis.send("PING")), Exit.isSuccess)
)

/** One command after the other, so that it is known which seats are free, with faults of Redis in between. */
const sequence = Effect.fnUntraced(function* (seed: number, faults: "any" | "emptied") {
  const redis = yield* TestRedis
  const clock = yield* SteeredClock
  const random = yield* Random.Random
  const chance = () => random.nextDoubleUnsafe()
  const pick = (count: number) => Math.floor(chance() * count)
  yield* connected
  const sale = yield* openSale(grid(2, 8))
  // A process that is cut off from a Redis that another one reaches can tell it nothing: one for those faults.
  const other =
    faults === "any"
      ? undefined
      : Context.get(
          yield* Layer.build(Layer.fresh(RedisGuard.layer).pipe(Layer.provide(Layer.fresh(onSame(redis))))),
          InventoryClient
        )
  const given: Array<{
    readonly command: InventoryCommand
    readonly answer: InventoryAnswer
    readonly atMs: number
  }> = []
  let stopped = false
  for (let step = 0; step < 250; step++) {
    const where = `seed ${seed}, step ${step}`
    yield* clock.advance(pick(600))
    const fault = pick(60)
    if (fault === 0) yield* Effect.ignore(redis.flushAll)
    if (fault === 1 && ownRedis && faults === "any") {
      yield* stopped ? redis.start : redis.stop
      stopped = !stopped
    }
    if (stopped && fault > 40) {
      yield* redis.start
      stopped = false
    }
    const execute = (command: InventoryCommand) =>
      other !== undefined && chance() < 0.4 ? other.execute(sale.eventId, command) : sale.execute(command)
    const atMs = yield* clock.now
    const kind = pick(10)
    const before = given[pick(given.length)]
    if (kind < 5) {
      const seats = Array.from(new Set([pick(16), pick(16)]))
      const { held: live, sold } = yield* sale.availability
      const taken = seats.filter((seat) => live.includes(seat) || sold.includes(seat))
      const command = hold({ seats })
      const answer = yield* execute(command)
      if (taken.length === 0) assert.strictEqual(answer._tag, "Held", where)
      else refused(answer, "seats_taken", { seats: taken })
      given.push({ command, answer, atMs })
    } else if (before !== undefined && before.answer._tag === "Held") {
      if (kind === 5 && atMs < before.atMs + 15 * 60_000) {
        assert.deepStrictEqual(yield* execute(before.command), before.answer, where)
        continue
      }
      const { holdId, seats } = before.answer.hold
      const order = newOrderId()
      const claims = { seats: seats.map(({ seat }) => seat) }
      if (kind === 6) yield* execute(release(holdId))
      if (kind === 7) yield* execute(extend(holdId))
      if (kind === 8) {
        yield* execute(freeze(holdId, order))
        if (chance() < 0.7) yield* execute(unfreeze(holdId, order))
      }
      if (kind === 9) {
        const answer = yield* execute(confirm(holdId, order, claims))
        if (answer._tag === "Sold" && chance() < 0.8) yield* execute(takeBack(order, claims))
      }
    }
  }
  if (stopped) yield* redis.start
  yield* expectClean
})

const onSame = ({ url }: TestRedis["Service"]) => Redis.layerUrl({ url, commandTimeout: "2 seconds" })
