import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as Bucket from "../src/Bucket.ts"
import { classOf, headersOf } from "../src/RateLimitFront.ts"
import { RateLimits } from "../src/RateLimits.ts"
import { SharedRedis } from "../src/SharedRedis.ts"

const limit: Bucket.Limit = { burst: 20, windowMs: 1_000 }
const count = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

describe("a client's bucket", () => {
  it.prop(
    "gives no more than the limit in a window, and after the wait it tells of it gives",
    [Schema.Array(count(0, 200))],
    ([pauses]) => {
      const bucket = Bucket.full(limit, 0)
      const given: Array<number> = []
      let nowMs = 0
      for (const pause of pauses) {
        nowMs += pause
        while (Bucket.take(bucket, limit, nowMs)) given.push(nowMs)
        assert.isTrue(Bucket.take({ ...bucket }, limit, nowMs + Bucket.waitMs(bucket, limit)))
      }
      for (const from of given) {
        // What is there at first, and what comes back meanwhile.
        assert.isAtMost(given.filter((at) => at >= from && at < from + 1_000).length, 2 * limit.burst)
      }
      assert.isAtMost(given.length, limit.burst + (nowMs * limit.burst) / limit.windowMs)
    }
  )

  it("takes what the others have let in as its own, and owes at most a window", () => {
    const bucket = Bucket.full(limit, 0)
    Bucket.take(bucket, limit, 0)
    Bucket.learn(bucket, limit, 5)
    assert.deepStrictEqual([bucket.tokens, bucket.untold], [4, 1])
    Bucket.learn(bucket, limit, 20)
    assert.strictEqual(bucket.tokens, 4, "a Redis that was emptied gives nothing back")
    Bucket.learn(bucket, limit, -1_000)
    assert.strictEqual(bucket.tokens, -20)
    assert.strictEqual(Bucket.waitMs(bucket, limit), 1_050)
  })

  it("gives nothing for a clock that was set back", () => {
    const bucket = Bucket.full(limit, 10_000)
    while (Bucket.take(bucket, limit, 10_000));
    assert.isFalse(Bucket.take(bucket, limit, 0))
    assert.isTrue(Bucket.take(bucket, limit, 50))
  })
})

const layer = (env: Record<string, string>) =>
  RateLimits.layer.pipe(
    Layer.provide(SharedRedis.layerNone),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env)))
  )

describe("the limits of a gateway", () => {
  it.effect("are each client's and each class's own, and come back with time", () =>
    Effect.gen(function* () {
      const limits = yield* RateLimits
      const taken = (client: string, name: "holds" | "reads" = "holds") => {
        let count = 0
        while (count < 100 && limits.take(name, client) === undefined) count++
        return count
      }
      assert.strictEqual(taken("a"), 10)
      assert.strictEqual(taken("b"), 10)
      assert.strictEqual(taken("a", "reads"), 100, "0 is no limit")
      assert.deepStrictEqual(limits.take("holds", "a"), {
        limit: { burst: 10, windowMs: 10_000 },
        waitMs: 1_000
      })
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(taken("a"), 3)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(taken("a"), 10)
    }).pipe(Effect.provide(layer({ ONSALE_RATE_LIMIT_HOLDS: "10", ONSALE_RATE_LIMIT_READS: "0" })))
  )

  it.effect("hold for each of many clients, and of more than are remembered nobody is refused", () =>
    Effect.gen(function* () {
      const limits = yield* RateLimits
      for (let n = 0; n < 60_000; n++) {
        assert.isUndefined(limits.take("holds", `c${n}`))
      }
      assert.isDefined(limits.take("holds", "c59999"))
      assert.isUndefined(limits.take("holds", "c0"))
    }).pipe(Effect.provide(layer({ ONSALE_RATE_LIMIT_HOLDS: "1" })))
  )
})

describe("what a request counts as", () => {
  const cases: ReadonlyArray<readonly [string, string, string | undefined]> = [
    ["GET", "/api/v1/events?limit=10", "reads"],
    ["GET", "/api/v1/events/1/availability", "reads"],
    ["HEAD", "/api/v1/orders/1", "reads"],
    ["POST", "/api/v1/events/1/holds", "holds"],
    ["DELETE", "/api/v1/holds/1", "holds"],
    ["POST", "/api/v1/holds/1/extend", "holds"],
    ["POST", "/api/v1/orders", "orders"],
    ["POST", "/api/v1/orders/1/refunds", "orders"],
    ["GET", "/api/v1/organiser/venues", "organiser"],
    ["POST", "/api/v1/organiser/venues", "organiser"],
    ["POST", "/rpc", "reads"],
    ["POST", "/api/v1/webhooks/sandbox", undefined],
    ["GET", "/healthz", undefined],
    ["GET", "/", undefined],
    ["POST", "//api/v1/events/1/holds", "orders"],
    ["POST", "/API/v1/events/1/holds", "orders"],
    ["POST", "http://localhost/api/v1/events/1/holds", "orders"],
    ["GET", "/Api/v1/events", "reads"]
  ]
  for (const [method, url, is] of cases) {
    it(`${method} ${url}: ${is ?? "nothing"}`, () => assert.strictEqual(classOf(method, url), is))
  }

  it("is told in the form of the draft, in whole seconds that are enough", () => {
    assert.deepStrictEqual(headersOf("holds", { limit: { burst: 200, windowMs: 10_000 }, waitMs: 1_001 }), {
      "retry-after": "2",
      "ratelimit-policy": '"holds";q=200;w=10',
      ratelimit: '"holds";r=0;t=2'
    })
  })
})
