import { assert, describe, it } from "@effect/vitest"
import { valueOf } from "@onsale/testing/MetricValue"
import { pollUntil } from "@onsale/testing/Poll"
import { ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Context, Effect, Layer, Metric, References } from "effect"
import { Redis as LibraryRedis } from "effect/persistence"
import * as Redis from "../src/Redis.ts"
import { parseInfo } from "../src/RedisMetrics.ts"

describe("RedisMetrics", () => {
  it("the numbers of INFO, whatever ends its lines", () => {
    const info = parseInfo(
      "# Memory\r\nused_memory:1024\r\nused_memory_human:1.00K\r\nmaxmemory:0\nevicted_keys:7"
    )
    assert.deepStrictEqual(
      [...info],
      [
        ["used_memory", 1024],
        ["maxmemory", 0],
        ["evicted_keys", 7]
      ]
    )
  })
})

describe.runIf(ownRedis)(suiteName("RedisMetrics over ioredis"), () => {
  it.live("commands are counted and timed by connection, failures too, and what the server threw away", () =>
    Effect.gen(function* () {
      const { url } = yield* TestRedis
      const one = yield* Layer.build(Redis.layerUrl({ url, name: "one" }))
      const { send } = Context.get(one, LibraryRedis.Redis)
      yield* send("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
      yield* send("CONFIG", "SET", "maxmemory", "3mb")
      yield* Effect.flip(send("INCRBY", "key", "no number"))
      assert.strictEqual(
        yield* valueOf("onsale_redis_commands_total", { connection: "one", outcome: "done" }),
        2
      )
      assert.strictEqual(
        yield* valueOf("onsale_redis_commands_total", { connection: "one", outcome: "failed" }),
        1
      )
      assert.strictEqual(yield* valueOf("onsale_redis_command_duration_seconds", { connection: "one" }), 2)
      yield* Effect.forEach(Array.from({ length: 60 }), (_, i) => send("SET", `key${i}`, "x".repeat(100_000)))
      // Whoever comes next sees it at once; we see it with the next look.
      yield* Layer.build(Redis.layerUrl({ url, name: "two" }))
      yield* pollUntil(valueOf("onsale_redis_evicted_keys_total"), (keys = 0) => keys > 0)
      assert.strictEqual(yield* valueOf("onsale_redis_memory_limit_bytes"), 3 * 1024 * 1024)
      assert.isAbove((yield* valueOf("onsale_redis_memory_bytes")) ?? 0, 1_000_000)
    }).pipe(
      Effect.scoped,
      Effect.provide(TestRedis.layer),
      Effect.provideService(Metric.MetricRegistry, new Map()),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  )
})
