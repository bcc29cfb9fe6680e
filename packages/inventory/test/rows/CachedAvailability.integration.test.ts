/** Two processes over the same rows and the same Redis: what each promises its readers. */
import { assert, describe, layer as testLayer } from "@effect/vitest"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { makeEventId } from "@onsale/contracts/Ids"
import * as Redis from "@onsale/platform/Redis"
import * as SharedCache from "@onsale/platform/SharedCache"
import { hasRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { confirm, freeze, held, hold, newOrderId, release } from "@onsale/testing/InventorySale"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import * as SaleLayouts from "@onsale/testing/SaleLayouts"
import { Context, Effect, Layer } from "effect"
import { Redis as LibraryRedis } from "effect/persistence"
import { InventoryStore } from "../../src/InventoryStore.ts"
import * as CachedAvailability from "../../src/rows/CachedAvailability.ts"
import * as PostgresRows from "../../src/rows/PostgresRows.ts"

const onTestRedis = Layer.unwrap(Effect.map(TestRedis, ({ url }) => Redis.layerUrl({ url }))).pipe(
  Layer.provideMerge(TestRedis.layer)
)

const process = Effect.map(
  Layer.build(
    Layer.fresh(CachedAvailability.layer).pipe(
      Layer.provide(Layer.fresh(PostgresRows.layer)),
      Layer.provide([
        Layer.fresh(InventoryStore.layer),
        Layer.fresh(SharedCache.layerOver({ commandLimit: "5 seconds" }))
      ])
    )
  ),
  (context) => Context.get(context, InventoryClient)
)

describe.runIf(hasRedis)(suiteName("Availability from a shared cache"), () => {
  testLayer(Layer.merge(layerDatabase, onTestRedis), { excludeTestServices: true })((it) => {
    it.effect("shows what was answered here, and what a refusal here has met", () =>
      Effect.gen(function* () {
        const [one, other] = [yield* process, yield* process]
        const redis = yield* LibraryRedis.Redis
        const eventId = makeEventId(0)
        const copy = redis.send<string | null>("GET", `onsale:cache:availability.2:${eventId}`)
        const seen = (process: typeof one) =>
          Effect.map(process.availability(eventId), (view) => view?.held ?? assert.fail("not on sale"))

        yield* one.open(eventId, SaleLayouts.grid(10, 10))
        assert.deepStrictEqual([yield* seen(one), yield* seen(other)], [[], []])
        for (let round = 0; round < 5; round++) {
          // One holds, and both see it: the copy is gone before the answer is there.
          const { holdId } = held(yield* one.execute(eventId, hold({ seats: [round] })))
          assert.deepStrictEqual(yield* seen(one), [round])
          assert.deepStrictEqual(yield* seen(other), [round])
          // It is read until there is a copy.
          const old = yield* pollUntil(
            Effect.andThen(seen(other), copy),
            (text) => text?.startsWith("v") === true
          )
          yield* one.execute(eventId, release(holdId))
          const again = held(yield* one.execute(eventId, hold({ seats: [round + 40] }))).holdId
          // As if the news of it were late: the other one still finds what was before, until it is refused.
          yield* redis.send("SET", `onsale:cache:availability.2:${eventId}`, old ?? "", "PX", "60000")
          assert.deepStrictEqual(yield* seen(other), [round])
          assert.strictEqual((yield* other.execute(eventId, hold({ seats: [round + 40] })))._tag, "Refused")
          assert.deepStrictEqual(yield* seen(other), [round + 40])
          yield* one.execute(eventId, release(again))
          assert.deepStrictEqual(yield* seen(one), [])
        }
      }).pipe(Effect.scoped)
    )

    it.effect(
      "keeps a copy until what it shows changes, by a command or by an expiry that nobody tells of",
      () =>
        Effect.gen(function* () {
          const [one, other] = [yield* process, yield* process]
          const redis = yield* LibraryRedis.Redis
          const eventId = makeEventId(1)
          const key = `onsale:cache:availability.2:${eventId}`
          const life = redis.send<number>("PTTL", key)
          const copied = redis
            .send<string | null>("GET", key)
            .pipe(Effect.map((text) => text?.startsWith("v")))
          const read = other.availability(eventId)
          const whenCopied = pollUntil(Effect.andThen(read, copied), (there) => there === true)

          yield* one.open(eventId, SaleLayouts.grid(10, 10))
          yield* one.availability(eventId)
          // Longer than a lease.
          yield* pollUntil(Effect.andThen(read, life), (ms) => ms > 2_000)
          const { holdId } = held(yield* one.execute(eventId, hold({ seats: [1] })))
          assert.isFalse((yield* copied) === true, "a hold takes the copy away")
          yield* whenCopied
          // However long what follows takes here.
          yield* redis.send("PERSIST", key)
          const orderId = newOrderId()
          held(yield* one.execute(eventId, freeze(holdId, orderId)))
          assert.isTrue(yield* copied, "what is frozen is held as before")
          yield* one.execute(eventId, confirm(holdId, orderId, { seats: [1] }))
          assert.isFalse((yield* copied) === true, "a sale takes the copy away")
          yield* whenCopied

          const lifeMs = 800
          held(yield* one.execute(eventId, hold({ seats: [2], lifeMs })))
          const [shown, isCopied] = yield* pollUntil(
            Effect.all([read, copied]),
            ([view, there]) => there === true || view?.held.length === 0
          )
          // Gone already, or soon.
          if (shown?.held.length === 1 && isCopied) assert.isAtMost(yield* life, lifeMs)
          yield* pollUntil(read, (view) => view?.held.length === 0)
        }).pipe(Effect.scoped)
    )
  })
})
