import { assert, describe, layer } from "@effect/vitest"
import type { CloudEvent } from "@onsale/platform/CloudEvent"
import { type Delivery, EventBus } from "@onsale/platform/EventBus"
import * as EventBusMemory from "@onsale/platform/EventBusMemory"
import * as EventBusRedis from "@onsale/platform/EventBusRedis"
import * as Redis from "@onsale/platform/Redis"
import * as Relay from "@onsale/platform/Relay"
import { valueOf } from "@onsale/testing/MetricValue"
import { pollUntil } from "@onsale/testing/Poll"
import { layerEmptyDatabase } from "@onsale/testing/PostgresFixture"
import { ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Context, Deferred, Effect, Exit, Layer, References, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { type Event, makeJournal, stream } from "./JournalFixture.ts"

const quiet = Layer.succeed(References.MinimumLogLevel, "None")

/** A journal of its own, and relays over it. */
const prepare = Effect.gen(function* () {
  const { entry, journal, schema, sql } = yield* makeJournal
  return {
    journal,
    append: (n: number, from: number, to: number) =>
      Effect.forEach(
        Array.from({ length: to - from + 1 }, (_, i) => from + i),
        (version) => journal.append({ ...entry(stream(n), version, version), correlation: `request ${n}` }),
        { discard: true }
      ),
    /** False where no batch is settled yet. */
    moved: Effect.map(
      sql`SELECT name FROM ${sql(`${schema}.cursor`)} WHERE name = 'bus' AND txid::text <> '0'`,
      (rows) => rows.length === 1
    ),
    start: Effect.fnUntraced(function* (
      bus: EventBus["Service"],
      more: Partial<Relay.Options<typeof Event.Type>> = {}
    ) {
      const scope = yield* Scope.fork(yield* Effect.scope)
      const relay = Relay.layer({
        journal,
        name: "bus",
        topic: schema,
        source: "fixture",
        describe: (row) => row.events.map(({ n }) => ({ type: "numbered", data: { n } })),
        pollEvery: "20 millis",
        gatherFor: "1 millis",
        ...more
      })
      yield* Layer.buildWithScope(
        relay.pipe(Layer.provide(Layer.succeed(EventBus, bus)), Layer.provide(quiet)),
        scope
      )
      return Scope.close(scope, Exit.void)
    }),
    topic: schema
  }
})

const memory = Effect.map(Layer.build(EventBusMemory.layer()), Context.get(EventBus))

/** What a consumer was given, repeats left out. */
const collect = () => {
  const seen = new Map<string, CloudEvent>()
  return {
    seen,
    handle: ({ event }: Delivery) =>
      Effect.sync(() => void (seen.has(event.id) || seen.set(event.id, event))),
    reaches: (count: number) =>
      pollUntil(
        Effect.sync(() => seen.size),
        (size) => size >= count,
        { deadline: "30 seconds" }
      ),
    sequences: (n: number) =>
      [...seen.values()].filter(({ subject }) => subject === stream(n)).map(({ sequence }) => sequence)
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

layer(layerEmptyDatabase, { excludeTestServices: true, timeout: "60 seconds" })("Relay", (it) => {
  it.effect("publishes every event of every row, in the order of its stream", () =>
    Effect.gen(function* () {
      const { append, moved, start, topic } = yield* prepare
      const bus = yield* memory
      const { handle, reaches, seen, sequences } = collect()
      yield* bus.consume({ group: "readers", topics: [topic], handle })
      yield* append(1, 1, 3)
      yield* start(bus, {
        batch: 7,
        describe: (row) => ["first", "second"].map((type) => ({ type, data: row.version }))
      })
      yield* Effect.forEach([2, 3], (n) => append(n, 1, 40), { concurrency: 2 })
      yield* reaches(166)
      assert.deepStrictEqual(seen.get(`${stream(1)}.2.1`), {
        specversion: "1.0",
        id: `${stream(1)}.2.1`,
        source: "fixture",
        type: "second",
        subject: stream(1),
        time: "1970-01-01T00:00:01.002Z",
        datacontenttype: "application/json",
        sequence: 2,
        correlationid: "request 1",
        data: 2
      })
      assert.deepStrictEqual(
        sequences(2),
        upTo(40).flatMap((n) => [n, n])
      )
      yield* pollUntil(moved, (yes) => yes)
    }).pipe(Effect.scoped)
  )

  it.effect("its lag grows while a row is not settled, and is nothing once nothing is behind", () =>
    Effect.gen(function* () {
      const { append, start, topic } = yield* prepare
      const bus = yield* memory
      const gate = yield* Deferred.make<void>()
      const lagMs = valueOf("onsale_relay_lag_ms", { relay: `${topic}.bus` })
      yield* bus.consume({ group: "readers", topics: [topic], handle: () => Deferred.await(gate) })
      yield* start(bus)
      yield* pollUntil(lagMs, (ms) => ms === 0)
      yield* append(1, 1, 2)
      const first = yield* pollUntil(lagMs, (ms) => ms !== undefined && ms > 0)
      yield* pollUntil(lagMs, (ms) => ms !== undefined && ms > first!)
      yield* Deferred.succeed(gate, undefined)
      yield* pollUntil(lagMs, (ms) => ms === 0)
    }).pipe(Effect.scoped)
  )

  it.effect("INV-09: the cursor waits until an event is handled; who comes after publishes it again", () =>
    Effect.gen(function* () {
      const { append, moved, start, topic } = yield* prepare
      yield* append(1, 1, 5)
      const begun = yield* Deferred.make<void>()
      const dying = yield* memory
      yield* dying.consume({
        group: "readers",
        topics: [topic],
        handle: () => Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)
      })
      const stop = yield* start(dying)
      yield* Deferred.await(begun)
      yield* pollUntil(dying.lag(topic, "readers"), (lag) => lag === 5)
      assert.isFalse(yield* moved)
      yield* stop

      const bus = yield* memory
      const { handle, reaches, sequences } = collect()
      yield* bus.consume({ group: "readers", topics: [topic], handle })
      yield* start(bus)
      yield* reaches(5)
      assert.deepStrictEqual(sequences(1), upTo(5))
      yield* pollUntil(moved, (yes) => yes)
    }).pipe(Effect.scoped)
  )

  it.effect("of two relays of a name one publishes, and the other takes over where it was", () =>
    Effect.gen(function* () {
      const { append, start, topic } = yield* prepare
      const bus = yield* memory
      let handled = 0
      const { handle, reaches, sequences } = collect()
      yield* bus.consume({
        group: "readers",
        topics: [topic],
        handle: (delivery) =>
          Effect.tap(
            handle(delivery),
            Effect.sync(() => handled++)
          )
      })
      const stop = yield* start(bus)
      yield* append(1, 1, 5)
      yield* reaches(5)
      yield* start(bus)
      yield* append(1, 6, 60)
      yield* reaches(60)
      // Settled, and the cursor moved: nothing of it is published again.
      yield* pollUntil(bus.lag(topic, "readers"), (lag) => lag === 0)
      assert.strictEqual(handled, 60)
      yield* stop
      yield* append(1, 61, 80)
      yield* reaches(80)
      assert.deepStrictEqual(sequences(1), upTo(80))
    }).pipe(Effect.scoped)
  )

  it.effect("where nobody listens it reads nothing and holds no connection, until somebody does", () =>
    Effect.gen(function* () {
      const { append, journal, start, topic } = yield* prepare
      yield* append(1, 1, 5)
      const bus = yield* memory
      let asked = 0
      let reads = 0
      const asking: EventBus["Service"] = {
        ...bus,
        wanted: (topic) =>
          Effect.tap(
            bus.wanted(topic),
            Effect.sync(() => asked++)
          )
      }
      yield* start(asking, {
        journal: {
          ...journal,
          readAll: (after, limit) =>
            Effect.andThen(
              Effect.sync(() => reads++),
              journal.readAll(after, limit)
            )
        }
      })
      yield* pollUntil(
        Effect.sync(() => asked),
        (count) => count >= 2
      )
      const sql = yield* SqlClient.SqlClient
      assert.strictEqual(reads, 0)
      // Its lock would be one of these, its cursor another.
      assert.deepStrictEqual(
        yield* sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        []
      )
      assert.deepStrictEqual(yield* sql`SELECT name FROM ${sql(`${topic}.cursor`)}`, [])
      const { handle, reaches, sequences } = collect()
      yield* bus.consume({ group: "late", topics: [topic], handle })
      yield* reaches(5)
      assert.deepStrictEqual(sequences(1), upTo(5))
    }).pipe(Effect.scoped)
  )

  it.effect("no more batches are out than its window", () =>
    Effect.gen(function* () {
      const { append, start, topic } = yield* prepare
      yield* append(1, 1, 60)
      const bus = yield* memory
      const gate = yield* Deferred.make<void>()
      const { handle, reaches } = collect()
      yield* bus.consume({
        group: "slow",
        topics: [topic],
        handle: (delivery) => Effect.andThen(Deferred.await(gate), handle(delivery))
      })
      let published = 0
      const counting: EventBus["Service"] = {
        ...bus,
        publisher: (topic) =>
          Effect.map(bus.publisher(topic), ({ publish }) => ({
            publish: (events) =>
              Effect.tap(
                publish(events),
                Effect.sync(() => published++)
              )
          }))
      }
      yield* start(counting, { batch: 2, window: 3, gatherFor: 0 })
      // The window, the batch whose settlement is waited for, and the one that waits for room.
      yield* pollUntil(
        Effect.sync(() => published),
        (count) => count === 5
      )
      yield* append(2, 1, 20)
      assert.strictEqual(published, 5)
      yield* Deferred.succeed(gate, undefined)
      yield* reaches(80)
    }).pipe(Effect.scoped)
  )
})

const withRedis = Layer.merge(layerEmptyDatabase, TestRedis.layer)

describe.runIf(ownRedis)(suiteName("Relay over Redis"), () => {
  layer(withRedis, { excludeTestServices: true, timeout: "60 seconds" })("Relay over Redis", (it) => {
    it.effect(
      "INV-10: Redis dies and comes back empty, again and again: no event is missing, order is kept",
      () =>
        Effect.gen(function* () {
          const redis = yield* TestRedis
          const { append, start, topic } = yield* prepare
          const connect = Effect.map(
            Layer.build(
              EventBusRedis.layer({ groupsAppearWithin: "1 second" }).pipe(
                Layer.provide(Redis.layerUrl({ url: redis.url })),
                Layer.provide(quiet)
              )
            ),
            Context.get(EventBus)
          )
          const { handle, reaches, sequences } = collect()
          const consumer = yield* connect
          yield* consumer
            .consume({
              group: "readers",
              topics: [topic],
              handle: (delivery) => Effect.andThen(Effect.sleep(1), handle(delivery))
            })
            .pipe(Effect.provide(quiet))
          yield* start(yield* connect, { batch: 5 })
          for (const round of [0, 1, 2]) {
            yield* append(1, round * 100 + 1, round * 100 + 50)
            yield* reaches(round * 100 + 20)
            yield* redis.stop
            yield* append(1, round * 100 + 51, round * 100 + 100)
            yield* redis.start
          }
          yield* reaches(300)
          assert.deepStrictEqual(sequences(1), upTo(300))
        }).pipe(Effect.scoped)
    )
  })
})
