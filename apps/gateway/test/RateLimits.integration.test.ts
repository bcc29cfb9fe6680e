import { assert, describe, layer as testLayer } from "@effect/vitest"
import * as Redis from "@onsale/platform/Redis"
import { pollUntil } from "@onsale/testing/Poll"
import { hasRedis, ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { ConfigProvider, Context, Effect, Layer, Metric, References } from "effect"
import { Redis as LibraryRedis } from "effect/persistence"
import { RateLimits } from "../src/RateLimits.ts"
import { SharedRedis } from "../src/SharedRedis.ts"

const limit = 160
/** As many as the others are told of. */
const some = limit / 16

const env = ConfigProvider.fromUnknown({
  ONSALE_RATE_LIMIT_HOLDS: String(limit),
  // Next to nothing comes back while a test runs.
  ONSALE_RATE_LIMIT_WINDOW: "1 day"
})

/** One gateway's limits, over a connection of its own, until the scope closes. */
const gateway = Effect.gen(function* () {
  const { url } = yield* TestRedis
  const context = yield* Layer.build(
    Layer.fresh(
      RateLimits.layer.pipe(
        Layer.provide(SharedRedis.layerRedis),
        Layer.provide(Redis.layerUrl({ url, commandTimeout: "100 millis" })),
        Layer.provide(ConfigProvider.layer(env))
      )
    )
  )
  const limits = Context.get(context, RateLimits)
  return {
    /** How many of so many are let in. */
    take: (client: string, count: number): number => {
      let taken = 0
      for (let i = 0; i < count; i++) if (limits.take("holds", client) === undefined) taken++
      return taken
    }
  }
})

/** What Redis knows that a client has left; null where it knows nothing. */
const left = (client: string) =>
  Effect.gen(function* () {
    const redis = yield* LibraryRedis.Redis
    const value = yield* redis.send<string | null>("GET", `onsale:limit:holds:${client}`)
    return value === null ? null : Math.round(Number(value))
  })

const until = (client: string, is: number) =>
  pollUntil(
    Effect.orElseSucceed(left(client), () => undefined),
    (value) => value === is
  )

/** Rounds that Redis has not taken, or clients of those that it has. */
const told = (outcome: "taken" | "lost") =>
  Effect.map(Metric.snapshot, (all) => {
    const one = all.find(
      ({ attributes, id }) => id === "onsale_rate_limit_told_total" && attributes?.["outcome"] === outcome
    )
    return one?.type === "Counter" ? Number(one.state.count) : 0
  })

let clients = 0
const newClient = () => `198.51.100.${clients++}`

/** Two gateways with one client, in turn, each time until the others are told; how often it is let in. */
const takeFromBoth = Effect.fnUntraced(function* (client: string) {
  const both = [yield* gateway, yield* gateway]
  let taken = 0
  let refused = 0
  while (refused < both.length && taken < 4 * limit) {
    refused = 0
    for (const { take } of both) {
      const now = take(client, some)
      taken += now
      if (now < some) refused++
      else yield* until(client, limit - taken)
    }
  }
  return taken
})

const onTestRedis = Layer.unwrap(Effect.map(TestRedis, ({ url }) => Redis.layerUrl({ url }))).pipe(
  Layer.provideMerge(TestRedis.layer),
  // It says each time that Redis has gone away and is there again.
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
)

describe.runIf(hasRedis)(suiteName("limits that gateways share"), () => {
  testLayer(onTestRedis, { excludeTestServices: true })((it) => {
    it.effect("let a client that goes to two gateways in about as often as one that goes to one", () =>
      Effect.gen(function* () {
        const taken = yield* takeFromBoth(newClient())
        assert.isAtLeast(taken, limit)
        // The last word of each may be too late for the other.
        assert.isAtMost(taken, limit + 2 * some)
      })
    )

    it.effect("are not told of a client that asks for little", () =>
      Effect.gen(function* () {
        const { take } = yield* gateway
        const [quiet, loud] = [newClient(), newClient()]
        take(quiet, some - 1)
        take(loud, some)
        yield* until(loud, limit - some)
        assert.isNull(yield* left(quiet))
      })
    )

    it.effect("give nothing back to who has had it when Redis is emptied", () =>
      Effect.gen(function* () {
        const { flushAll } = yield* TestRedis
        const { take } = yield* gateway
        const client = newClient()
        assert.strictEqual(take(client, limit / 2), limit / 2)
        yield* until(client, limit / 2)
        yield* flushAll
        assert.strictEqual(take(client, some), some)
        yield* until(client, limit - some)
        assert.strictEqual(take(client, limit), limit / 2 - some)
      })
    )

    it.effect.runIf(ownRedis)(
      "are each gateway's own while Redis is away, and shared again when it is back",
      () =>
        Effect.gen(function* () {
          const redis = yield* TestRedis
          const [a, b] = [yield* gateway, yield* gateway]
          const client = newClient()
          assert.strictEqual(a.take(client, some), some)
          yield* until(client, limit - some)
          yield* redis.stop
          yield* Effect.addFinalizer(() => Effect.ignore(Effect.andThen(redis.stop, redis.start)))
          assert.strictEqual(a.take(client, 2 * limit), limit - some)
          assert.strictEqual(b.take(client, 2 * limit), limit)
          yield* redis.start
          const before = yield* told("taken")
          // The word that was lost is not told again, the next one is.
          yield* pollUntil(
            Effect.suspend(() => {
              a.take(newClient(), some)
              return told("taken")
            }),
            (now) => now > before
          )
          const taken = yield* takeFromBoth(newClient())
          assert.isAtMost(taken, limit + 2 * some)
        })
    )

    it.effect.runIf(ownRedis)("do not count twice what a Redis that is slow has taken in the end", () =>
      Effect.gen(function* () {
        const redis = yield* TestRedis
        const { take } = yield* gateway
        const [client, other] = [newClient(), newClient()]
        // So that it knows the script: it would not take what it does not know.
        take(other, some)
        yield* until(other, limit - some)
        yield* redis.freeze
        yield* Effect.addFinalizer(() => Effect.ignore(redis.thaw))
        const before = yield* told("lost")
        for (let i = 0; i < 4; i++) {
          assert.strictEqual(take(client, some), some)
          yield* pollUntil(told("lost"), (now) => now === before + i + 1)
        }
        yield* redis.thaw
        const known = yield* pollUntil(
          Effect.orElseSucceed(left(client), () => null),
          (value) => value !== null
        )
        assert.isAtLeast(known ?? 0, limit - 4 * some)
        assert.strictEqual(take(client, limit), limit - 4 * some)
      })
    )
  })
})
