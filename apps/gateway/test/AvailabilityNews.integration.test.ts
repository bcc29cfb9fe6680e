import { Catalog } from "@onsale/catalog/Catalog"
import { assert, describe, layer as testLayer } from "@effect/vitest"
import { type EventId, makeEventId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import * as Redis from "@onsale/platform/Redis"
import { pollUntil } from "@onsale/testing/Poll"
import { hasRedis, ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Clock, Context, Effect, Layer, References } from "effect"
import { Redis as LibraryRedis } from "effect/persistence"
import { AvailabilityBoard } from "../src/AvailabilityBoard.ts"
import { AvailabilityNews } from "../src/AvailabilityNews.ts"
import { SharedRedis } from "../src/SharedRedis.ts"

const event = makeEventId(1)
const other = makeEventId(2)

/** An inventory of events whose versions a test sets, and how often it was asked. */
const inventory = () => {
  const versions = new Map<EventId, number>()
  let asked = 0
  const client = InventoryClient.of({
    open: () => Effect.void,
    execute: () => Effect.never,
    holdOf: () => Effect.succeed(null),
    hold: () => Effect.never,
    availability: (eventId) =>
      Effect.sync(() => {
        asked++
        return { version: versions.get(eventId) ?? 1, total: 9, held: [], sold: [], areas: [], tiers: [] }
      })
  })
  return { versions, client, asked: () => asked }
}

/**
 * A gateway's boards over a connection of its own. Its clock stands still, so that no board of it grows old: what it
 * shows anew it has heard of.
 */
const gateway = Effect.fnUntraced(function* (client: InventoryClient["Service"]) {
  const { url } = yield* TestRedis
  const real = yield* Clock.Clock
  const clock: Clock.Clock = {
    ...real,
    sleep: (duration) => real.sleep(duration),
    currentTimeMillisUnsafe: () => 0,
    monotonicTimeNanosUnsafe: () => 0n
  }
  const redis = yield* Layer.build(
    Layer.fresh(
      SharedRedis.layerRedis.pipe(Layer.provide(Redis.layerUrl({ url, commandTimeout: "100 millis" })))
    )
  )
  const news = yield* Layer.build(Layer.fresh(AvailabilityNews.layer)).pipe(Effect.provideContext(redis))
  const boards = yield* Layer.fresh(AvailabilityBoard.layer).pipe(
    Layer.provide(Layer.mock(Catalog, { eventNumber: () => Effect.succeed(1) })),
    Layer.build,
    Effect.provideContext(news),
    Effect.provideService(InventoryClient, client),
    Effect.provideService(Clock.Clock, clock)
  )
  const { changed, get } = Context.get(boards, AvailabilityBoard)
  const versionOf = (eventId: EventId) => Effect.map(get(eventId), (board) => board?.version)
  return { changed, versionOf, version: versionOf(event) }
})

const onTestRedis = Layer.unwrap(Effect.map(TestRedis, ({ url }) => Redis.layerUrl({ url }))).pipe(
  Layer.provideMerge(TestRedis.layer),
  // It says each time that Redis has gone away and is there again.
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
)

/** Until so many gateways listen. */
const listening = (count: number) =>
  Effect.gen(function* () {
    const redis = yield* LibraryRedis.Redis
    yield* pollUntil(
      Effect.orElseSucceed(
        redis.send<readonly [string, number]>("PUBSUB", "NUMSUB", "onsale:availability"),
        () => ["", -1] as const
      ),
      ([, now]) => now === count
    )
  })

describe.runIf(hasRedis)(suiteName("news of availability between gateways"), () => {
  testLayer(onTestRedis, { excludeTestServices: true })((it) => {
    it.effect("show a change of one gateway to the readers of another", () =>
      Effect.gen(function* () {
        const { client, versions } = inventory()
        const [a, b] = [yield* gateway(client), yield* gateway(client)]
        yield* listening(2)
        assert.strictEqual(yield* b.version, 1)
        versions.set(event, 2)
        assert.strictEqual(yield* b.version, 1, "it has heard of nothing")
        a.changed(event, 2)
        yield* pollUntil(b.version, (version) => version === 2)
        versions.set(event, 3)
        // A change whose version the gateway does not know.
        a.changed(event)
        yield* pollUntil(b.version, (version) => version === 3)
      })
    )

    it.effect("are one for many changes, and ask for no board that shows them already", () =>
      Effect.gen(function* () {
        const { asked, client, versions } = inventory()
        const [a, b] = [yield* gateway(client), yield* gateway(client)]
        yield* listening(2)
        yield* b.version
        versions.set(event, 1_000)
        for (let version = 2; version <= 1_000; version++) a.changed(event, version)
        yield* pollUntil(b.version, (version) => version === 1_000)
        yield* b.versionOf(other)
        const before = asked()
        versions.set(event, 1_001)
        a.changed(event, 1_000)
        // Heard after that.
        versions.set(other, 2)
        a.changed(other, 2)
        yield* pollUntil(b.versionOf(other), (version) => version === 2)
        assert.strictEqual(yield* b.version, 1_000)
        assert.strictEqual(asked(), before + 1)
      })
    )

    it.effect.runIf(ownRedis)(
      "may be lost: a gateway shows its own changes without Redis, and hears again after it",
      () =>
        Effect.gen(function* () {
          const redis = yield* TestRedis
          const { client, versions } = inventory()
          const [a, b] = [yield* gateway(client), yield* gateway(client)]
          yield* listening(2)
          assert.deepStrictEqual([yield* a.version, yield* b.version], [1, 1])
          yield* redis.stop
          yield* Effect.addFinalizer(() => Effect.ignore(Effect.andThen(redis.stop, redis.start)))
          versions.set(event, 2)
          a.changed(event, 2)
          assert.strictEqual(yield* a.version, 2)
          assert.strictEqual(yield* b.version, 1)
          yield* redis.start
          yield* listening(2)
          versions.set(event, 3)
          a.changed(event, 3)
          assert.strictEqual(yield* a.version, 3)
          yield* pollUntil(b.version, (version) => version === 3)
          yield* redis.flushAll
          versions.set(event, 4)
          b.changed(event, 4)
          yield* pollUntil(a.version, (version) => version === 4)
        })
    )
  })
})
