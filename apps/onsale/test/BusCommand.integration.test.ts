/** `onsale bus` as an operator uses it, beside a broker. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import type { CloudEvent } from "@onsale/platform/CloudEvent"
import { type Delivery, EventBus } from "@onsale/platform/EventBus"
import * as EventBusRedis from "@onsale/platform/EventBusRedis"
import * as Redis from "@onsale/platform/Redis"
import { pollUntil } from "@onsale/testing/Poll"
import { ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Effect, Layer, References, Schema } from "effect"
import * as OnsaleCommand from "./OnsaleCommand.ts"

const topic = "onsale.booking"
const group = "notifications"

const event = (n: number): CloudEvent => ({
  specversion: "1.0",
  id: `order.${n}.0`,
  source: "/onsale/booking",
  type: "onsale.booking.Confirmed",
  subject: "order",
  time: "2026-11-26T00:00:00.000Z",
  datacontenttype: "application/json",
  sequence: n,
  data: { _tag: "Confirmed" }
})

const withBus = Layer.unwrap(
  Effect.map(TestRedis, ({ url }) => EventBusRedis.layer().pipe(Layer.provide(Redis.layerUrl({ url }))))
).pipe(
  Layer.provide(Layer.succeed(References.MinimumLogLevel, "None")),
  Layer.provideMerge(TestRedis.layer),
  Layer.provideMerge(NodeServices.layer)
)

const Letters = Schema.fromJsonString(
  Schema.Array(Schema.Struct({ id: Schema.String, event: Schema.String, error: Schema.String }))
)

const onsale = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const { url } = yield* TestRedis
  return yield* OnsaleCommand.run(["bus", ...args], { ONSALE_EVENT_BUS: "redis", ONSALE_REDIS_URL: url })
})

describe.runIf(ownRedis)(suiteName("onsale bus"), () => {
  layer(withBus, { excludeTestServices: true, timeout: "60 seconds" })("onsale bus", (it) => {
    it.effect("lists what consumers gave up on, and hands it to them again", () =>
      Effect.gen(function* () {
        const bus = yield* EventBus
        let broken = true
        const handled: Array<Delivery> = []
        yield* bus
          .consume({
            group,
            topics: [topic],
            isFinal: () => true,
            handle: (delivery) =>
              broken ? Effect.fail("no such hall") : Effect.sync(() => void handled.push(delivery))
          })
          .pipe(Effect.provideService(References.MinimumLogLevel, "None"))
        const { publish } = yield* bus.publisher(topic)
        yield* publish([event(1), event(2), event(3)])
        yield* pollUntil(bus.deadLetters(topic, group, 10), ({ length }) => length === 3)

        const listed = yield* onsale("dead-letters", "--json")
        assert.strictEqual(listed.code, 1, listed.stderr)
        const letters = yield* Schema.decodeUnknownEffect(Letters)(listed.stdout)
        assert.deepStrictEqual(
          letters.map(({ error, event }) => [event, error]),
          [1, 2, 3].map((n) => [`order.${n}.0`, "no such hall"])
        )

        broken = false
        const flags = ["--topic", topic, "--group", group]
        assert.strictEqual((yield* onsale("replay", ...flags, letters[1]!.id)).code, 0)
        assert.strictEqual((yield* onsale("replay", ...flags, letters[1]!.id)).code, 1)
        assert.strictEqual((yield* onsale("replay", ...flags)).code, 2)
        const rest = yield* onsale("replay", ...flags, "--all")
        assert.strictEqual(rest.code, 0, rest.stderr)
        yield* pollUntil(
          Effect.sync(() => handled.length),
          (count) => count === 3
        )
        assert.deepStrictEqual(
          handled.map(({ event, replayed }) => [event.id, replayed]),
          [2, 1, 3].map((n) => [`order.${n}.0`, true])
        )
        const none = yield* onsale("dead-letters")
        assert.deepStrictEqual([none.code, none.stdout], [0, "There are no dead letters.\n"])
      }).pipe(Effect.scoped)
    )

    it.effect("says so where the bus is within the service, or away", () =>
      Effect.gen(function* () {
        const within = yield* OnsaleCommand.run(["bus", "dead-letters"], { ONSALE_EVENT_BUS: "memory" })
        assert.strictEqual(within.code, 2)
        assert.include(within.stderr, "ONSALE_EVENT_BUS")
        const away = yield* OnsaleCommand.run(["bus", "dead-letters"], {
          ONSALE_EVENT_BUS: "redis",
          ONSALE_REDIS_URL: "redis://127.0.0.1:1"
        })
        assert.strictEqual(away.code, 3, away.stderr)
        assert.include(away.stderr, "cannot be reached")
      })
    )
  })
})
