import { assert, describe, it, layer as testLayer } from "@effect/vitest"
import { pollUntil } from "@onsale/testing/Poll"
import { hasRedis, ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Context, Deferred, Duration, Effect, Fiber, Layer, Metric, References, Schema } from "effect"
import { Redis as LibraryRedis } from "effect/persistence"
import * as Redis from "../src/Redis.ts"
import * as SharedCache from "../src/SharedCache.ts"

const onTestRedis = Layer.unwrap(Effect.map(TestRedis, ({ url }) => Redis.layerUrl({ url }))).pipe(
  Layer.provideMerge(TestRedis.layer),
  Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
)

/**
 * A process of its own: another connection, and no memory of what the others know. It waits long for Redis, so that a
 * busy machine changes nothing.
 */
const aProcess = (commandLimit: Duration.Input = "10 seconds") =>
  Effect.flatMap(TestRedis, ({ url }) =>
    Effect.map(
      Layer.build(
        SharedCache.layerOver({ commandLimit }).pipe(
          Layer.provide(Redis.layerUrl({ url, commandTimeout: commandLimit }))
        )
      ),
      (context) => Context.get(context, SharedCache.SharedCache)
    )
  ).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

/** As `aProcess`, but its Redis may answer reads and refuse what would tell others of a change. */
const aMutedProcess = Effect.fnUntraced(function* () {
  const { url } = yield* TestRedis
  const redis = { muted: false }
  const muted = Layer.effect(
    LibraryRedis.Redis,
    Effect.map(LibraryRedis.Redis, (real) =>
      LibraryRedis.Redis.of({
        ...real,
        send: <A>(command: string, ...args: ReadonlyArray<string>) =>
          redis.muted
            ? Effect.fail(new LibraryRedis.RedisError({ cause: new Error(`${command} is refused`) }))
            : real.send<A>(command, ...args)
      })
    )
  )
  const context = yield* Layer.build(
    SharedCache.layerOver({ commandLimit: "10 seconds" }).pipe(
      Layer.provide(muted),
      Layer.provide(Redis.layerUrl({ url, commandTimeout: "10 seconds" }))
    )
  )
  return { redis, process: Context.get(context, SharedCache.SharedCache) }
})

let names = 0

/** A database of one number a key, whose reads may be held up after they have read. */
const aSource = () => {
  const rows = new Map<string, number>()
  const source = {
    name: `test${names++}`,
    reads: 0,
    rows,
    /** What a read waits for when it has read already. */
    meanwhile: Effect.void as Effect.Effect<unknown>,
    cache: (process: Effect.Success<ReturnType<typeof aProcess>>, more: { readonly maxSize?: number } = {}) =>
      process.keyed({
        name: source.name,
        version: 1,
        schema: Schema.Int,
        source: (key) =>
          Effect.suspend(() => {
            source.reads++
            const value = rows.get(key) ?? null
            return Effect.as(source.meanwhile, value)
          }),
        ttl: Duration.minutes(1),
        absentTtl: Duration.seconds(5),
        ...more
      })
  }
  return source
}

/** The first read of a process begins an epoch, which the first read of the next one ends. */
const twoWith = Effect.fnUntraced(function* (commandLimit?: Duration.Input) {
  const source = aSource()
  const one = yield* source.cache(yield* aProcess(commandLimit))
  const other = yield* source.cache(yield* aProcess(commandLimit))
  for (const cache of [one, other]) yield* cache.get("warm up")
  source.reads = 0
  return { source, one, other }
})
const two = twoWith()

/** A copy is written after the answer was given. */
const copied = (name: string, key: string) =>
  Effect.flatMap(LibraryRedis.Redis, (redis) =>
    pollUntil(
      redis.send<string | null>("GET", `onsale:cache:${name}.1:${key}`),
      (text) => text?.startsWith("v") === true
    )
  )

describe.runIf(hasRedis)(suiteName("SharedCache"), () => {
  testLayer(onTestRedis, { excludeTestServices: true })((it) => {
    it.effect("what one process has read, the other need not read; nor what there is not", () =>
      Effect.gen(function* () {
        const { one, other, source } = yield* two
        source.rows.set("a", 1)
        for (const key of ["a", "none"]) {
          yield* one.get(key)
          yield* copied(source.name, key)
        }
        assert.deepStrictEqual([yield* other.get("a"), yield* other.get("none")], [1, null])
        assert.strictEqual(source.reads, 2)
        const redis = yield* LibraryRedis.Redis
        const lives = yield* Effect.forEach(["a", "none"], (key) =>
          redis.send<number>("PTTL", `onsale:cache:${source.name}.1:${key}`)
        )
        assert.isTrue(lives[0]! > 40_000 && lives[0]! <= 60_000, String(lives[0]))
        assert.isTrue(lives[1]! > 0 && lives[1]! <= 5_000, String(lives[1]))
      }).pipe(Effect.scoped)
    )

    it.effect(
      "readers at the same time are one read of the source, and none of them ends it for the others",
      () =>
        Effect.gen(function* () {
          const { one, source } = yield* two
          const gate = yield* Deferred.make<void>()
          source.meanwhile = Deferred.await(gate)
          source.rows.set("a", 1)
          const first = yield* Effect.forkChild(one.get("a"))
          yield* pollUntil(
            Effect.sync(() => source.reads),
            (reads) => reads === 1
          )
          const rest = yield* Effect.forkChild(
            Effect.forEach(Array.from({ length: 50 }), () => one.get("a"), { concurrency: "unbounded" }),
            { startImmediately: true }
          )
          yield* Fiber.interrupt(first)
          yield* Deferred.succeed(gate, undefined)
          assert.deepStrictEqual(new Set(yield* Fiber.join(rest)), new Set([1]))
          assert.strictEqual(source.reads, 1)
        }).pipe(Effect.scoped)
    )

    it.effect("what was read before a change is not kept after it, whoever changes and whoever reads", () =>
      Effect.gen(function* () {
        for (const changer of ["one", "other"] as const) {
          const { one, other, source } = yield* two
          source.rows.set("a", 1)
          const [read, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
          source.meanwhile = Effect.andThen(Deferred.succeed(read, undefined), Deferred.await(gate))
          const slow = yield* Effect.forkChild(one.get("a"))
          yield* Deferred.await(read)
          source.meanwhile = Effect.void

          source.rows.set("a", 2)
          yield* (changer === "one" ? one : other).forget(["a"])
          // It has not written yet: who begins now reads anew, though a read is on its way.
          if (changer === "one") assert.strictEqual(yield* one.get("a"), 2)
          yield* Deferred.succeed(gate, undefined)
          assert.strictEqual(yield* Fiber.join(slow), 1)
          // Its late write has been refused by the time that another key of its process is answered and kept.
          yield* one.get("b")
          yield* copied(source.name, "b")
          assert.strictEqual(yield* other.get("a"), 2, changer)
          assert.strictEqual(yield* one.get("a"), 2, changer)
        }
      }).pipe(Effect.scoped)
    )

    it.effect("neither is it where all was forgotten meanwhile", () =>
      Effect.gen(function* () {
        const { one, other, source } = yield* two
        source.rows.set("a", 1)
        const [read, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        source.meanwhile = Effect.andThen(Deferred.succeed(read, undefined), Deferred.await(gate))
        const slow = yield* Effect.forkChild(one.get("a"))
        yield* Deferred.await(read)
        source.meanwhile = Effect.void
        source.rows.set("a", 2)
        yield* other.forgetAll
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Fiber.join(slow), 1)
        yield* one.get("b")
        yield* copied(source.name, "b")
        assert.strictEqual(yield* other.get("a"), 2)
      }).pipe(Effect.scoped)
    )

    it.effect("who has met somebody else's change reads anew", () =>
      Effect.gen(function* () {
        const { one, other, source } = yield* two
        source.rows.set("a", 1)
        yield* one.get("a")
        yield* copied(source.name, "a")
        source.rows.set("a", 2)
        assert.strictEqual(yield* other.get("a"), 1)
        one.doubt("a")
        assert.strictEqual(yield* one.get("a"), 2)
        yield* copied(source.name, "a")
        assert.strictEqual(yield* other.get("a"), 2)
      }).pipe(Effect.scoped)
    )

    it.effect("INV-10: a process that owes an invalidation reads no copy until it has paid", () =>
      Effect.gen(function* () {
        const source = aSource()
        const { process, redis } = yield* aMutedProcess()
        const one = yield* source.cache(process)
        const other = yield* source.cache(yield* aProcess())
        for (const cache of [one, other]) yield* cache.get("warm up")
        source.rows.set("a", 1)
        yield* other.get("a")
        yield* copied(source.name, "a")
        // So far it does read copies.
        source.rows.set("a", 2)
        assert.strictEqual(yield* one.get("a"), 1)

        redis.muted = true
        yield* one.forget(["a"])
        const { reads } = source
        // The copy is there, others read it, and its own Redis would give it.
        assert.strictEqual(yield* other.get("a"), 1)
        assert.strictEqual(yield* one.get("a"), 2)
        assert.strictEqual(source.reads, reads + 1)
        // What it reads meanwhile it does not keep either: somebody else may owe as well.
        source.rows.set("a", 3)
        assert.strictEqual(yield* one.get("a"), 3)

        redis.muted = false
        yield* pollUntil(Effect.all([one.get("a"), other.get("a")]), ([a, b]) => a === 3 && b === 3, {
          deadline: "30 seconds"
        })
      }).pipe(Effect.scoped)
    )

    it.effect("what is too large, or of another form, is read from the source", () =>
      Effect.gen(function* () {
        const source = aSource()
        const cache = yield* source.cache(yield* aProcess(), { maxSize: 3 })
        source.rows.set("large", 12345)
        source.rows.set("a", 1)
        for (let i = 0; i < 3; i++) assert.strictEqual(yield* cache.get("large"), 12345)
        assert.strictEqual(source.reads, 3)
        yield* cache.get("a")
        yield* copied(source.name, "a")
        const redis = yield* LibraryRedis.Redis
        const key = `onsale:cache:${source.name}.1:a`
        const text = yield* redis.send<string>("GET", key)
        yield* redis.send("SET", key, text.replace("\n1", '\n"one"'))
        assert.strictEqual(yield* cache.get("a"), 1)
        yield* pollUntil(
          cache.get("a").pipe(Effect.andThen(redis.send<string>("GET", key))),
          (now) => now === text
        )
      }).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "None"))
    )

    it.effect.runIf(ownRedis)(
      "a Redis that is emptied, frozen, killed and started again changes no answer",
      () =>
        Effect.gen(function* () {
          const server = yield* TestRedis
          const { one, other, source } = yield* twoWith("50 millis")
          const redis = yield* LibraryRedis.Redis
          const agree = Effect.fnUntraced(function* (value: number) {
            source.rows.set("a", value)
            yield* one.forget(["a"])
            assert.strictEqual(yield* one.get("a"), value)
          })
          yield* agree(1)
          yield* copied(source.name, "a")
          yield* server.flushAll
          yield* agree(2)
          yield* copied(source.name, "a")
          assert.strictEqual(yield* other.get("a"), 2)
          const old = yield* redis.send<string>("GET", `onsale:cache:${source.name}.1:a`)
          // Connected, but silent: the change cannot be told.
          yield* server.freeze
          yield* agree(3)
          yield* agree(4)
          yield* server.thaw
          yield* redis.send("SET", `onsale:cache:${source.name}.1:a`, old)
          // It still has what was there before. Who owes it does not believe it, and tells it as soon as it answers.
          assert.strictEqual(yield* one.get("a"), 4)
          yield* pollUntil(Effect.all([one.get("a"), other.get("a")]), ([a, b]) => a === 4 && b === 4)
          yield* server.stop
          yield* agree(5)
          assert.strictEqual(yield* other.get("a"), 5)
          yield* server.start
          assert.strictEqual(yield* one.get("a"), 5)
          const reads = yield* Effect.sync(() => source.reads)
          assert.isAbove(reads, 5)
          yield* pollUntil(
            Effect.gen(function* () {
              const before = source.reads
              for (let i = 0; i < 10; i++) yield* other.get("a")
              return source.reads - before
            }),
            (reads) => reads === 0
          )
        }).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "None"))
    )

    it.effect("what was kept together does not end together", () =>
      Effect.gen(function* () {
        const { one, source } = yield* two
        const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
        for (const key of keys) {
          source.rows.set(key, 1)
          yield* one.get(key)
        }
        const redis = yield* LibraryRedis.Redis
        const ends = yield* Effect.forEach(keys, (key) =>
          Effect.andThen(
            copied(source.name, key),
            redis.send<number>("PEXPIRETIME", `onsale:cache:${source.name}.1:${key}`)
          )
        )
        // A quarter of the minute at random: of forty the first and the last are not close.
        assert.isAbove(Math.max(...ends) - Math.min(...ends), 5_000)
      }).pipe(Effect.scoped)
    )

    it.effect("counts what becomes of reads", () =>
      Effect.gen(function* () {
        const { one, source } = yield* two
        yield* one.get("a")
        yield* copied(source.name, "a")
        for (let i = 0; i < 9; i++) yield* one.get("a")
        const snapshot = yield* Metric.snapshot
        const of = (outcome: string) =>
          snapshot.find(
            ({ attributes, id }) =>
              id === "onsale_cache_requests_total" &&
              attributes?.["cache"] === source.name &&
              attributes["outcome"] === outcome
          )?.state
        assert.deepInclude(of("hit"), { count: 9 })
      }).pipe(Effect.scoped)
    )
  })
})

describe("without a shared cache", () => {
  it.effect("everything is read from its source", () =>
    Effect.gen(function* () {
      const source = aSource()
      const cache = yield* source.cache(yield* SharedCache.SharedCache)
      source.rows.set("a", 1)
      for (let i = 0; i < 3; i++) assert.strictEqual(yield* cache.get("a"), 1)
      yield* cache.forget(["a"])
      assert.strictEqual(source.reads, 3)
    })
  )
})
