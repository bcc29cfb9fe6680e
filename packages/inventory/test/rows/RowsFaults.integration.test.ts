import { assert, describe, layer } from "@effect/vitest"
import { makeEventId, type EventId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import * as Redis from "@onsale/platform/Redis"
import * as Sql from "@onsale/platform/Sql"
import {
  confirm,
  extend,
  held,
  hold,
  newCommandId,
  newOrderId,
  refused,
  release,
  sold
} from "@onsale/testing/InventorySale"
import { pollUntil } from "@onsale/testing/Poll"
import { TestDatabase } from "@onsale/testing/PostgresFixture"
import { hasRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { grid } from "@onsale/testing/SaleLayouts"
import { SteeredClock } from "@onsale/testing/SteeredClock"
import * as UnheardCommits from "@onsale/testing/UnheardCommits"
import { Context, Effect, Exit, Fiber, Layer, References } from "effect"
import { SqlClient } from "effect/sql"
import { InventoryStore } from "../../src/InventoryStore.ts"
import * as PostgresRows from "../../src/rows/PostgresRows.ts"
import * as RedisGuard from "../../src/rows/RedisGuard.ts"
import { expectClean, expectInOrder, expectRowsClean, ground } from "./RowsHarness.ts"

const all = { concurrency: "unbounded" } as const

/** What is logged here is meant to go wrong. */
const silent = Layer.succeed(References.MinimumLogLevel, "None")

/** One more process of a level, with a pool of its own, known to the server by a name. */
const processWith = Effect.fnUntraced(function* <E, R>(
  name: string,
  level: Layer.Layer<InventoryClient, E, R | SqlClient.SqlClient | InventoryStore>,
  deaf = { times: 0 }
) {
  const { url } = yield* TestDatabase
  const pool = Sql.layerUrl(url, { maxConnections: 4, applicationName: name })
  const context = yield* Layer.build(
    Layer.fresh(level).pipe(
      Layer.provide(Layer.fresh(InventoryStore.layer)),
      Layer.provide(Layer.fresh(UnheardCommits.layer(deaf)).pipe(Layer.provide(Layer.fresh(pool)))),
      Layer.provide(silent)
    )
  )
  return Context.get(context, InventoryClient)
})

const heldIn = Effect.fnUntraced(function* (eventId: EventId) {
  const { journal } = yield* InventoryStore
  const rows = yield* journal.read(eventId, 1, 1_000)
  return rows.flatMap(({ events }) => events.filter(({ _tag }) => _tag === "Held")).length
})

/** Ends the connections of a process that wait for a lock, or are in a transaction; answers how many. */
const killBusy = (name: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(
      sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = ${name} AND datname = current_database() AND wait_event_type = 'Lock'`,
      (rows) => rows.length
    )
  )

layer(ground, { excludeTestServices: true, timeout: "60 seconds" })(
  "PostgresRows, when things go wrong",
  (it) => {
    it.effect(
      "INV-03: a connection that is cut before the commit: the batch is carried out by the next one",
      () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const client = yield* processWith("victim", PostgresRows.layer)
          const eventId = makeEventId(1)
          yield* client.open(eventId, grid(2, 10))
          // A seat with a row, free again: who has it locked holds up the writes of the batch, not its reads.
          const { holdId } = held(yield* client.execute(eventId, hold({ seats: [0] })))
          yield* client.execute(eventId, release(holdId))
          const command = hold({ seats: [0, 1] })
          const answers = yield* sql
            .withTransaction(
              Effect.gen(function* () {
                yield* sql`SELECT seat FROM inventory.row_seat WHERE event_id = ${eventId}::uuid AND seat = 0 FOR UPDATE`
                const asking = yield* Effect.forkChild(
                  Effect.forEach([command, command], (one) => client.execute(eventId, one), all)
                )
                yield* pollUntil(killBusy("victim"), (killed) => killed > 0)
                return asking
              })
            )
            .pipe(Effect.flatMap(Fiber.join))
          assert.deepStrictEqual(answers[1], answers[0])
          held(answers[0]!)
          assert.strictEqual(yield* heldIn(eventId), 2)
          yield* expectInOrder(eventId)
          yield* expectClean
        })
    )

    it.effect("INV-07: a commit that nobody heard of is found by the next try, and done once", () =>
      Effect.gen(function* () {
        const deaf = { times: 0 }
        const client = yield* processWith("deaf", PostgresRows.layer, deaf)
        const eventId = makeEventId(2)
        yield* client.open(eventId, grid(2, 10))
        deaf.times = 2
        const commands = Array.from({ length: 8 }, (_, i) =>
          hold({ seats: [i], areas: i < 5 ? [{ area: 0, quantity: 1 }] : [] })
        )
        const answers = yield* Effect.forEach(commands, (command) => client.execute(eventId, command), all)
        assert.strictEqual(deaf.times, 0)
        answers.forEach((answer, i) =>
          assert.deepStrictEqual(
            held(answer).seats.map(({ seat }) => seat),
            [i]
          )
        )
        assert.deepStrictEqual(
          yield* Effect.forEach(commands, (command) => client.execute(eventId, command), all),
          answers
        )
        assert.strictEqual(yield* heldIn(eventId), 8)
        const order = newOrderId()
        deaf.times = 1
        sold(yield* client.execute(eventId, confirm(held(answers[7]!).holdId, order, { seats: [7] })))
        assert.strictEqual(deaf.times, 0)
        yield* expectInOrder(eventId)
        yield* expectClean
      })
    )

    it.effect("a database that stays away is told as such, and the next command finds it again", () =>
      Effect.gen(function* () {
        const deaf = { times: 0 }
        const client = yield* processWith("away", PostgresRows.layer, deaf)
        const eventId = makeEventId(3)
        yield* client.open(eventId, grid(2, 10))
        deaf.times = 5
        const command = hold({ seats: [0] })
        const exit = yield* Effect.exit(client.execute(eventId, command))
        assert.isTrue(Exit.isFailure(exit) && String(exit.cause).includes("InventoryUnavailable"))
        deaf.times = 0
        held(yield* client.execute(eventId, command))
        assert.strictEqual(yield* heldIn(eventId), 1)
        yield* expectClean
      })
    )

    it.effect("INV-01: rows that are not what they should be stop what is about them, and nothing else", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const client = yield* processWith("poisoned", PostgresRows.layer)
        const eventId = makeEventId(4)
        yield* client.open(eventId, grid(4, 10))
        const { holdId } = held(yield* client.execute(eventId, hold({ seats: [0, 1] })))
        // The hold thinks that it has a seat that somebody else has by the seat's own row.
        yield* sql`UPDATE inventory.row_seat SET hold_id = gen_random_uuid() WHERE event_id = ${eventId}::uuid AND seat = 1`
        yield* (yield* SteeredClock).advance(1_000)
        const commands: ReadonlyArray<InventoryCommand> = [
          ...Array.from({ length: 15 }, (_, i) => hold({ seats: [10 + i] })),
          extend(holdId),
          ...Array.from({ length: 5 }, (_, i) => hold({ seats: [30 + i] }))
        ]
        const exits = yield* Effect.forEach(commands, (one) => Effect.exit(client.execute(eventId, one)), all)
        exits.forEach((exit, i) => {
          assert.strictEqual(Exit.isSuccess(exit), i !== 15, `command ${i}`)
          if (Exit.isSuccess(exit)) held(exit.value)
        })
        const unstorable = yield* Effect.forEach(
          [hold({ seats: [5], customer: "nobody\u0000" }), hold({ seats: [6] })],
          (one) => Effect.exit(client.execute(eventId, one)),
          all
        )
        assert.deepStrictEqual(unstorable.map(Exit.isSuccess), [false, true])
        // For the tests that follow, what an operator does: without their head the rows are made again.
        yield* sql`DELETE FROM inventory.row_head WHERE event_id = ${eventId}::uuid`
        held(yield* client.execute(eventId, extend(holdId)))
        yield* expectClean
        yield* expectInOrder(eventId)
      })
    )

    it.effect("a process that stops in the middle of a batch does not keep the event from the others", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const client = yield* processWith("alive", PostgresRows.layer)
        const eventId = makeEventId(5)
        yield* client.open(eventId, grid(2, 10))
        // As one that is stopped: it has the head, and says nothing more. The server ends it.
        const stopped = yield* Effect.exit(
          sql.withTransaction(
            Effect.andThen(
              sql`SELECT set_config('idle_in_transaction_session_timeout', '200', true) FROM inventory.row_head
              WHERE event_id = ${eventId}::uuid FOR UPDATE`,
              Effect.flatMap(client.execute(eventId, hold({ seats: [0] })), (answer) =>
                Effect.sync(() => held(answer))
              )
            )
          )
        )
        assert.isTrue(Exit.isFailure(stopped))
        assert.strictEqual(yield* heldIn(eventId), 1)
        yield* expectClean
      })
    )
  }
)

describe.runIf(hasRedis)(suiteName("RedisGuard, when a commit is not heard of"), () => {
  layer(TestRedis.layer.pipe(Layer.provideMerge(ground)), {
    excludeTestServices: true,
    timeout: "60 seconds"
  })((it) => {
    it.effect("INV-10: what was freed by it can be had at once", () =>
      Effect.gen(function* () {
        const deaf = { times: 0 }
        const { url } = yield* TestRedis
        const guard = RedisGuard.layer.pipe(Layer.provide(Layer.fresh(Redis.layerUrl({ url }))))
        const client = yield* processWith("guarded", guard, deaf)
        const eventId = makeEventId(6)
        yield* client.open(eventId, grid(2, 10))
        const { holdId } = held(yield* client.execute(eventId, hold({ seats: [3] })))
        refused(yield* client.execute(eventId, hold({ seats: [3] })), "seats_taken")
        deaf.times = 1
        assert.strictEqual((yield* client.execute(eventId, release(holdId)))._tag, "Released")
        assert.strictEqual(deaf.times, 0)
        held(yield* client.execute(eventId, hold({ seats: [3] })))
        yield* expectClean
      })
    )

    it.effect(
      "a hold that takes the place of another: its seats are free for it, and what it leaves is free at once",
      () =>
        Effect.gen(function* () {
          const { url } = yield* TestRedis
          const guard = RedisGuard.layer.pipe(Layer.provide(Layer.fresh(Redis.layerUrl({ url }))))
          const client = yield* processWith("replacing", guard)
          const eventId = makeEventId(7)
          yield* client.open(eventId, grid(2, 10))
          const one = held(yield* client.execute(eventId, hold({ seats: [3, 4] })))
          refused(yield* client.execute(eventId, hold({ seats: [4] })), "seats_taken")
          const two = hold({ seats: [4, 5], replaces: one.holdId, commandId: newCommandId() })
          held(yield* client.execute(eventId, two))
          refused(yield* client.execute(eventId, hold({ seats: [4] })), "seats_taken")
          held(yield* client.execute(eventId, hold({ seats: [3] })))
          yield* expectRowsClean
        })
    )
  })
})
