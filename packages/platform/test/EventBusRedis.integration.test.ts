import { assert, describe, layer as testLayer } from "@effect/vitest"
import type { CloudEvent } from "@onsale/platform/CloudEvent"
import { EventBus } from "@onsale/platform/EventBus"
import * as EventBusRedis from "@onsale/platform/EventBusRedis"
import { partitionOf } from "@onsale/platform/Partitions"
import { defaultPartitions } from "@onsale/platform/EventBus"
import * as Scripts from "@onsale/platform/EventBusRedisScripts"
import * as Redis from "@onsale/platform/Redis"
import { Broker, suite } from "@onsale/testing/EventBusSuite"
import { hasRedis, ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { pollUntil } from "@onsale/testing/Poll"
import { Context, Deferred, Effect, Layer, Redacted } from "effect"
import { Redis as LibraryRedis } from "effect/persistence"
import { startVictim } from "./EventBusVictim.ts"

const broker = Layer.effect(
  Broker,
  Effect.gen(function* () {
    const redis = yield* TestRedis
    return Broker.of({
      connect: (options = {}) =>
        Effect.map(
          Layer.build(
            EventBusRedis.layer({ ...options, groupsAppearWithin: 0, keepSettledFor: 0 }).pipe(
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

const event = (sequence: number): CloudEvent => ({
  specversion: "1.0",
  id: `one.${sequence}`,
  source: "suite",
  type: "counted",
  subject: "one",
  time: "2026-11-28T12:00:00.000Z",
  datacontenttype: "application/json",
  sequence,
  data: "x".repeat(200)
})

/** What Redis keeps of the one stream of a topic. */
const kept = (topic: string) =>
  Effect.flatMap(LibraryRedis.Redis, (redis) =>
    redis.send<number>("XLEN", Scripts.keys(topic).partition(partitionOf("one", defaultPartitions)))
  )

/** As a relay does: 40 batches of 50, each waited for; all but the last are settled when the last is given. */
const publishAll = Effect.fnUntraced(function* (bus: EventBus["Service"], topic: string) {
  const { publish } = yield* bus.publisher(topic)
  for (let batch = 0; batch < 40; batch++) {
    yield* yield* publish(Array.from({ length: 50 }, (_, i) => event(batch * 50 + i + 1)))
  }
})

const patient = { deadline: "45 seconds" } as const
const memory = Layer.unwrap(Effect.map(TestRedis, ({ url }) => Redis.layerUrl({ url }))).pipe(
  Layer.provideMerge(TestRedis.layer)
)

describe.runIf(hasRedis)(suiteName("What the event bus keeps in Redis"), () => {
  testLayer(memory, { excludeTestServices: true, timeout: "1 minute" })("in one stream", (it) => {
    const connect = (keepSettledFor: number | "1 minute") =>
      Effect.map(
        Layer.build(EventBusRedis.layer({ groupsAppearWithin: 0, keepSettledFor })),
        Context.get(EventBus)
      )
    const counting = Effect.fnUntraced(function* (bus: EventBus["Service"], topic: string, group: string) {
      let count = 0
      yield* bus.consume({ group, topics: [topic], handle: () => Effect.sync(() => void count++) })
      return () => count
    })

    it.effect(
      "what every group has acknowledged goes, long before the bound",
      Effect.fnUntraced(function* () {
        const bus = yield* connect(0)
        yield* counting(bus, "kept-none", "one")
        yield* counting(bus, "kept-none", "two")
        yield* publishAll(bus, "kept-none")
        // Less than a node of the stream, and the batch that was given last.
        assert.isAtMost(yield* kept("kept-none"), 150)
      }),
      90_000
    )

    it.effect(
      "what a group has not acknowledged stays, however far the others are",
      Effect.fnUntraced(function* () {
        const bus = yield* connect(0)
        const gate = yield* Deferred.make<void>()
        const quick = yield* counting(bus, "kept-open", "quick")
        let late = 0
        yield* bus.consume({
          group: "late",
          topics: ["kept-open"],
          handle: () =>
            Effect.andThen(
              Deferred.await(gate),
              Effect.sync(() => void late++)
            ),
          attemptLimit: "10 minutes"
        })
        const { publish } = yield* bus.publisher("kept-open")
        for (let n = 1; n <= 1_000; n += 50) {
          const settled = yield* publish(Array.from({ length: 50 }, (_, i) => event(n + i)))
          yield* Effect.forkScoped(settled)
        }
        yield* pollUntil(Effect.sync(quick), (count) => count === 1_000, patient)
        yield* publish([event(1_001)])
        assert.strictEqual(yield* kept("kept-open"), 1_001)
        yield* Deferred.succeed(gate, undefined)
        yield* pollUntil(
          Effect.sync(() => late),
          (count) => count === 1_001,
          patient
        )
      }),
      90_000
    )

    it.effect(
      "it is kept for a while, for a group that comes for the first time",
      Effect.fnUntraced(function* () {
        const bus = yield* connect("1 minute")
        yield* counting(bus, "kept-while", "first")
        yield* publishAll(bus, "kept-while")
        const second = yield* counting(bus, "kept-while", "second")
        yield* pollUntil(Effect.sync(second), (count) => count === 2_000, patient)
      }),
      90_000
    )

    it.effect(
      "without any group nothing goes before the bound",
      Effect.fnUntraced(function* () {
        const bus = yield* connect(0)
        yield* publishAll(bus, "kept-all")
        assert.strictEqual(yield* kept("kept-all"), 2_000)
      }),
      90_000
    )
  })
})
