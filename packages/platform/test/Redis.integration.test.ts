import { assert, describe, it, layer as testLayer } from "@effect/vitest"
import { pollUntil } from "@onsale/testing/Poll"
import { hasRedis, ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Duration, Effect, Exit, Fiber, Layer, Queue, Redacted, References, Schema } from "effect"
import { CircuitBreaker, PersistedQueue, RateLimiter, Redis as LibraryRedis } from "effect/persistence"
import * as Redis from "../src/Redis.ts"

const onTestRedis = Layer.unwrap(Effect.map(TestRedis, ({ url }) => Redis.layerUrl({ url }))).pipe(
  Layer.provideMerge(TestRedis.layer),
  // It says each time that Redis has gone away and is there again.
  Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
)

describe.runIf(hasRedis)(suiteName("Redis over ioredis"), () => {
  testLayer(onTestRedis, { excludeTestServices: true })((it) => {
    it.effect("a command, a script and what it returns", () =>
      Effect.gen(function* () {
        const redis = yield* LibraryRedis.Redis
        yield* redis.send("SET", "greeting", "hello")
        assert.strictEqual(yield* redis.send("GET", "greeting"), "hello")
        const both = redis.eval(
          LibraryRedis.script((key: string, word: string) => [key, word], {
            lua: "return { redis.call('GET', KEYS[1]), ARGV[1] }",
            numberOfKeys: 1
          }).withReturnType<ReadonlyArray<string>>()
        )
        assert.deepStrictEqual(yield* both("greeting", "world"), ["hello", "world"])
        // A restarted server knows no scripts.
        yield* redis.send("SCRIPT", "FLUSH")
        assert.deepStrictEqual(yield* both("greeting", "again"), ["hello", "again"])
        const wrong = yield* Effect.flip(redis.send("INCR", "greeting"))
        assert.strictEqual(wrong._tag, "RedisError")
      })
    )

    it.effect("what is published reaches who subscribed", () =>
      Effect.gen(function* () {
        const redis = yield* LibraryRedis.Redis
        const messages = yield* redis.subscribe("news")
        yield* pollUntil(redis.send<number>("PUBLISH", "news", "on sale"), (receivers) => receivers === 1)
        assert.deepStrictEqual(yield* Queue.take(messages), { channel: "news", message: "on sale" })
      })
    )

    it.effect.runIf(ownRedis)("who may not hear for a while hears again, on the same connection", () =>
      Effect.gen(function* () {
        const redis = yield* LibraryRedis.Redis
        const messages = yield* redis.subscribe("refused")
        const publish = redis.send<number>("PUBLISH", "refused", "hello")
        yield* pollUntil(publish, (receivers) => receivers === 1)
        yield* redis.send("ACL", "SETUSER", "default", "-subscribe")
        yield* redis.send("CLIENT", "KILL", "TYPE", "pubsub")
        yield* pollUntil(
          redis.send<string>("ACL", "LOG"),
          (denied) => JSON.stringify(denied).includes("subscribe"),
          { deadline: "20 seconds" }
        )
        assert.strictEqual(yield* publish, 0)
        yield* redis.send("ACL", "SETUSER", "default", "+subscribe")
        yield* pollUntil(publish, (receivers) => receivers === 1, { deadline: "20 seconds" })
        assert.deepStrictEqual(yield* Queue.take(messages), { channel: "refused", message: "hello" })
      }).pipe(Effect.scoped)
    )

    it.effect("a reserved connection may block; the shared one goes on meanwhile", () =>
      Effect.gen(function* () {
        const redis = yield* LibraryRedis.Redis
        const waiting = yield* redis.reserve.pipe(
          Effect.flatMap((own) => own.send<ReadonlyArray<string>>("BLPOP", "work", "10")),
          Effect.scoped,
          Effect.forkChild({ startImmediately: true })
        )
        assert.strictEqual(yield* redis.send("PING"), "PONG")
        yield* redis.send("RPUSH", "work", "one")
        assert.deepStrictEqual(yield* Fiber.join(waiting), ["work", "one"])
      })
    )

    it.effect("the library's rate limiter counts in it", () =>
      Effect.gen(function* () {
        const limiter = yield* RateLimiter.make
        const take = limiter.consume({
          key: "buyer",
          limit: 3,
          window: "1 hour",
          algorithm: "fixed-window",
          onExceeded: "fail"
        })
        for (const remaining of [2, 1, 0]) assert.strictEqual((yield* take).remaining, remaining)
        const { reason } = yield* Effect.flip(take)
        assert.strictEqual(reason._tag, "RateLimitExceeded")
        // Counted over there and not here: another limiter goes on with it.
        const other = yield* RateLimiter.make
        const tokens = { key: "bucket", limit: 2, window: "1 hour", algorithm: "token-bucket" } as const
        yield* other.consume({ ...tokens, tokens: 2 })
        yield* Effect.flip(limiter.consume({ ...tokens, onExceeded: "fail" }))
      }).pipe(Effect.provide(RateLimiter.layerStoreRedis()))
    )

    it.effect("the library's circuit breaker keeps its circuits in it", () =>
      Effect.gen(function* () {
        const policy = { tripPolicy: CircuitBreaker.consecutive(1), openDuration: "1 hour" } as const
        const [one, other] = [yield* CircuitBreaker.make(policy), yield* CircuitBreaker.make(policy)]
        yield* Effect.flip(one.execute(Effect.fail("down"), { key: "provider" }))
        assert.strictEqual((yield* other.state("provider"))._tag, "Open")
      }).pipe(Effect.scoped, Effect.provide(CircuitBreaker.layerStoreRedis()))
    )

    it.effect("the library's queue hands out what was offered, once", () =>
      Effect.gen(function* () {
        const queue = yield* PersistedQueue.make({ name: "mails", schema: Schema.String })
        yield* queue.offer("first", { id: "1" })
        yield* queue.offer("first", { id: "1" })
        yield* queue.offer("second", { id: "2" })
        const taken = [yield* queue.take(Effect.succeed), yield* queue.take(Effect.succeed)]
        assert.deepStrictEqual(taken.sort(), ["first", "second"])
      }).pipe(
        Effect.provide(
          PersistedQueue.layer.pipe(
            Layer.provide(PersistedQueue.layerStoreRedis({ pollInterval: Duration.millis(20) }))
          )
        )
      )
    )

    it.effect.runIf(ownRedis)("while it is away every command fails at once, and works when it is back", () =>
      Effect.gen(function* () {
        const redis = yield* LibraryRedis.Redis
        const connection = yield* Redis.RedisConnection
        const server = yield* TestRedis
        const before = connection.generation()
        yield* server.stop
        yield* pollUntil(Effect.exit(redis.send("PING")), Exit.isFailure)
        const exits = yield* Effect.forEach(
          Array.from({ length: 1_000 }),
          () => Effect.flip(redis.send("PING")),
          { concurrency: "unbounded" }
        ).pipe(Effect.timeout("5 seconds"))
        assert.isTrue(exits.every(({ _tag }) => _tag === "RedisError"))
        yield* server.start
        yield* pollUntil(Effect.exit(redis.send("PING")), Exit.isSuccess)
        assert.isAbove(connection.generation(), before)
        assert.isNull(yield* redis.send("GET", "greeting"))
      })
    )

    it.effect.runIf(ownRedis)("a Redis that is connected and silent fails the command after its limit", () =>
      Effect.gen(function* () {
        const redis = yield* LibraryRedis.Redis
        const server = yield* TestRedis
        yield* server.freeze
        const error = yield* Effect.flip(Effect.timeout(redis.send("PING"), "20 seconds"))
        assert.strictEqual(error._tag, "RedisError")
        yield* server.thaw
        yield* pollUntil(Effect.exit(redis.send("PING")), Exit.isSuccess)
      })
    )
  })
})

describe("Redis that is not there", () => {
  it.effect("the layer starts without it, and its commands fail with a typed error", () =>
    Effect.gen(function* () {
      const redis = yield* LibraryRedis.Redis
      const error = yield* Effect.flip(redis.send("PING"))
      assert.strictEqual(error._tag, "RedisError")
      const reserved = yield* Effect.flip(Effect.scoped(redis.reserve))
      assert.strictEqual(reserved._tag, "RedisError")
    }).pipe(Effect.provide(Redis.layerUrl({ url: Redacted.make("redis://127.0.0.1:1"), connectLimit: 0 })))
  )

  it.effect("an address that is none is refused without showing its password", () =>
    Effect.gen(function* () {
      const url = Redacted.make("postgres://user:secret@localhost")
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Redis.layerUrl({ url }))))
      assert.strictEqual(error._tag, "RedisUrlInvalid")
      assert.notInclude(String(error), "secret")
    })
  )
})
