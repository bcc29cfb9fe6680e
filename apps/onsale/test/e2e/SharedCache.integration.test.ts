/** L1 reads through Redis: most of them find their copy, and none of them needs it. */
import { assert, describe, it } from "@effect/vitest"
import type { EventId } from "@onsale/contracts/Ids"
import { hasRedis, ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Clock, Console, Effect } from "effect"
import { pollUntil } from "@onsale/testing/Poll"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const events = 20
const reads = 1_000
/** As the target of L1 has it. */
const hitRatio = 0.9

/** Every s-th event is asked for 1/s as often as the first (Zipf); always the same sequence. */
const zipf = (count: number) => {
  const weights = Array.from({ length: count }, (_, rank) => 1 / (rank + 1))
  const sum = weights.reduce((one, other) => one + other, 0)
  let seed = 42
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    let left = (seed / 2_147_483_648) * sum
    return Math.max(
      0,
      weights.findIndex((weight) => (left -= weight) < 0)
    )
  }
}

/** Counts of `onsale_cache_requests_total` by outcome, all caches together or one. */
const counts = (metrics: string, cache?: string) => {
  const found: Record<string, number> = {}
  for (const line of metrics.split("\n")) {
    if (!line.startsWith("onsale_cache_requests_total{")) continue
    if (cache !== undefined && !line.includes(`cache="${cache}"`)) continue
    const outcome = /outcome="(\w+)"/.exec(line)?.[1] ?? ""
    found[outcome] = (found[outcome] ?? 0) + Number(line.slice(line.lastIndexOf(" ") + 1))
  }
  return found
}

/** Of so many reads those that did not come to Postgres: each gateway has a copy in memory before the shared one. */
const ratio = ({ hit = 0, joined = 0, ...rest }: Readonly<Record<string, number>>, asked: number) =>
  1 - Object.values(rest).reduce((one, other) => one + other, 0) / Math.max(asked, hit + joined)

describe.runIf(hasRedis)(suiteName("Reads at L1"), () => {
  it.live(
    "nine in ten do not come to Postgres, and a Redis that is emptied and killed changes none of their answers",
    () =>
      Effect.gen(function* () {
        const redis = yield* TestRedis
        const service = yield* Service.start({
          env: {
            ONSALE_LEVEL: "L1",
            ONSALE_REDIS_URL: redis.url,
            // So that a busy machine does not go without Redis.
            ONSALE_CACHE_LIMIT: "1 second"
          }
        })
        const shop = Shop.at(service.url)
        const venue = yield* shop.importPlan("seatsio", SeatsioChart.make({ seats: 400 }))
        const ids = yield* Effect.forEach(Array.from({ length: events }), () =>
          Effect.map(shop.openEvent(venue), ({ id }) => id)
        )
        const paths = (id: EventId) => [
          shop.api(`/events/${id}`),
          shop.api(`/events/${id}/availability`),
          shop.api("/events?limit=20"),
          shop.api(`/events/${id}/seatmap`)
        ]
        const held = yield* shop.hold(ids[0]!, { bestAvailable: { quantity: 2 } })
        assert.lengthOf(held.seats, 2)
        const metrics = Effect.map(shop.send({ path: "/metrics" }), ({ text }) => text)

        const next = zipf(events)
        const read = Effect.suspend(() => {
          const id = ids[next()]!
          return shop.send({ path: paths(id)[next() % 3]! })
        })
        const startedMs = yield* Clock.currentTimeMillis
        const statuses = yield* Effect.forEach(
          Array.from({ length: reads }),
          () => Effect.map(read, ({ status }) => status),
          { concurrency: 32 }
        )
        const seconds = ((yield* Clock.currentTimeMillis) - startedMs) / 1_000
        assert.deepStrictEqual(new Set(statuses), new Set([200]))
        const text = yield* metrics
        yield* Console.log(
          `${reads} reads of ${events} events in ${seconds.toFixed(1)} s:`,
          ...["events", "event_lists", "availability", "seat_maps"].map(
            (cache) => `${cache} ${JSON.stringify(counts(text, cache))}`
          ),
          `hit ratio ${ratio(counts(text), reads).toFixed(3)}`
        )
        assert.isAtLeast(ratio(counts(text), reads), hitRatio)

        // What a list says of seats follows, and is a copy for a while.
        yield* pollUntil(
          shop.send({ path: shop.api("/events?limit=20") }),
          ({ text }) => {
            const free = [...text.matchAll(/"total":400,"available":(\d+)/g)].map(([, count]) =>
              Number(count)
            )
            return free.length === Math.min(events, 20) && free.includes(398)
          },
          { deadline: "45 seconds", every: "200 millis" }
        )

        // --- what is answered with a warm cache, is answered without one
        const all = Effect.forEach(ids.slice(0, 5).flatMap(paths), (path) =>
          Effect.map(shop.send({ path }), ({ status, text }) => [path, status, text])
        )
        const before = yield* all
        yield* redis.flushAll
        assert.deepStrictEqual(yield* all, before)
        if (ownRedis) {
          yield* redis.freeze
          assert.deepStrictEqual(yield* all, before)
          // What changes meanwhile shows at once, and still does when Redis is back with what it had.
          yield* shop.hold(ids[1]!, { bestAvailable: { quantity: 1 } })
          assert.strictEqual((yield* shop.availability(ids[1]!)).seats.held, 1)
          yield* shop.organise(ids[4]!, "/cancel", { reason: "rain" })
          const cancelled = Effect.map(shop.send({ path: paths(ids[4]!)[0]! }), ({ text }) => text)
          assert.include(yield* cancelled, '"status":"cancelled"')
          yield* redis.thaw
          assert.strictEqual((yield* shop.availability(ids[1]!)).seats.held, 1)
          assert.include(yield* cancelled, '"status":"cancelled"')
          const changed = yield* all
          yield* redis.stop
          assert.deepStrictEqual(yield* all, changed)
          yield* redis.start
          assert.deepStrictEqual(yield* all, changed)
        }
        yield* Service.assertAudited(service)
        yield* Service.assertNothingBroke(service)
      }).pipe(Effect.provide(TestRedis.layer), Effect.scoped),
    240_000
  )
})
