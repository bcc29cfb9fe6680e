import { describe } from "@effect/vitest"
import { EventBus } from "@onsale/platform/EventBus"
import * as EventBusRedis from "@onsale/platform/EventBusRedis"
import * as Redis from "@onsale/platform/Redis"
import { Broker, suite } from "@onsale/testing/EventBusSuite"
import { hasRedis, ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Context, Effect, Layer, Redacted } from "effect"
import { startVictim } from "./EventBusVictim.ts"

const broker = Layer.effect(
  Broker,
  Effect.gen(function* () {
    const redis = yield* TestRedis
    return Broker.of({
      connect: (options = {}) =>
        Effect.map(
          Layer.build(
            EventBusRedis.layer({ ...options, groupsAppearWithin: 0 }).pipe(
              Layer.provide(Redis.layerUrl({ url: redis.url }))
            )
          ),
          Context.get(EventBus)
        ),
      victim: (topic, group) =>
        startVictim(topic, group, { ONSALE_EVENT_BUS: "redis", ONSALE_REDIS_URL: Redacted.value(redis.url) }),
      // It saves nothing: it comes back empty.
      kill: redis.stop,
      start: redis.start
    })
  })
).pipe(Layer.provide(TestRedis.layer))

describe.runIf(hasRedis)(suiteName("Event bus on Redis"), () => {
  suite("Event bus on Redis", broker, { broker: ownRedis, holdsBack: true })
})
