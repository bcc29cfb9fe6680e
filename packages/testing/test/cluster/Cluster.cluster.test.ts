/** The cluster in containers: it sells through either gateway, and goes on when machines die. */
import { expect, layer } from "@effect/vitest"
import { Clock, Context, Effect, Fiber, Layer, Random } from "effect"
import * as Buyers from "../../src/cluster/Buyers.ts"
import * as ClusterWorld from "../../src/cluster/ClusterWorld.ts"
import { shardsPerGroup } from "@onsale/platform/Cluster"
import { longestGapMs } from "../../src/cluster/History.ts"
import type { Machine } from "../../src/cluster/Machines.ts"
import { pollUntil } from "../../src/Poll.ts"

class World extends Context.Service<World, ClusterWorld.ClusterWorld>()("World") {}

const size = { gateways: 2, booking: 3, payment: 1, notification: 1 }
const events = 9
const crowd = 9

/** Buyers who buy while something happens; the sale is settled and audited when it has. */
const during = Effect.fnUntraced(function* <A, E, R>(
  what: (shop: Buyers.Buyers, sales: ReadonlyArray<Buyers.Sale>) => Effect.Effect<A, E, R>
) {
  const world = yield* World
  const random = yield* Random.Random.pipe(Random.withSeed("cluster"))
  const nowMs = yield* Clock.currentTimeMillis
  const shop = yield* Buyers.make({ world, random: () => random.nextDoubleUnsafe(), run: `test-${nowMs}` })
  const sales = yield* shop.open(events, 40)
  let over = false
  const buyers = yield* Effect.forEach(Array.from({ length: crowd }), () =>
    Effect.forkScoped(shop.buyer(sales, () => over))
  )
  yield* answeredSince(shop, sales, yield* Clock.currentTimeMillis)
  const result = yield* what(shop, sales)
  // On a slow machine it may be over before anybody has bought: what is settled then says nothing.
  yield* pollUntil(
    Effect.sync(() => shop.notes.counts),
    ({ holds, orders, releases }) => holds > 0 && orders > 0 && releases > 0,
    { deadline: "60 seconds", every: "50 millis" }
  )
  over = true
  yield* Effect.forEach(buyers, Fiber.join)
  yield* shop.settle()
  expect(shop.notes.breaches).toEqual([])
  yield* world.audit
  return result
}, Effect.scoped)

const answeredSince = (shop: Buyers.Buyers, sales: ReadonlyArray<Buyers.Sale>, sinceMs: number) =>
  pollUntil(
    Effect.sync(() =>
      sales.every(({ eventId }) => shop.notes.answered.get(eventId)?.some((at) => at >= sinceMs) === true)
    ),
    (all) => all,
    { deadline: "60 seconds", every: "50 millis" }
  )

/** What the events went through while it happened: their silences, shortest first, in milliseconds. */
const silences = (
  hurt: (machine: Machine) => Effect.Effect<void, unknown>,
  machine: (world: ClusterWorld.ClusterWorld) => Machine
) =>
  during(
    Effect.fnUntraced(function* (shop, sales) {
      const world = yield* World
      const fromMs = yield* Clock.currentTimeMillis
      yield* hurt(machine(world))
      yield* answeredSince(shop, sales, (yield* Clock.currentTimeMillis) + 500)
      const untilMs = yield* Clock.currentTimeMillis
      return sales
        .map(({ eventId }) => longestGapMs(shop.notes.answered.get(eventId) ?? [], fromMs, untilMs))
        .sort((a, b) => a - b)
    })
  )

layer(Layer.effect(World, ClusterWorld.start(size)), { timeout: "5 minutes", excludeTestServices: true })(
  "a cluster in containers",
  (it) => {
    it.effect("sells through either gateway", () =>
      during((shop, sales) =>
        Effect.gen(function* () {
          yield* pollUntil(
            Effect.sync(() => shop.notes.counts.orders),
            (orders) => orders >= 5,
            { deadline: "60 seconds" }
          )
          expect(sales).toHaveLength(events)
          expect(shop.notes.failed).toEqual([])
        })
      )
    )

    it.effect("goes on when a booking runner is killed, and takes it back", () =>
      Effect.gen(function* () {
        const seen = yield* silences(
          ({ kill }) => kill,
          ({ booking }) => booking[1]!
        )
        yield* Effect.logInfo(`silences after a kill: ${seen.join(", ")} ms`)
        const world = yield* World
        yield* world.booking[1]!.start
        yield* world.ready
      })
    )

    it.effect("has an owner that was frozen commit nothing when it wakes up, and says so", () =>
      during(
        Effect.fnUntraced(function* (shop, sales) {
          const world = yield* World
          const [owner] = world.booking
          yield* owner!.freeze
          yield* answeredSince(shop, sales, (yield* Clock.currentTimeMillis) + 500)
          // Its events are with the others now, and have rows of theirs.
          const before = (yield* owner!.logs).length
          yield* owner!.thaw
          // Refused by the key of the journal, or because its sessions were ended before it woke up.
          yield* pollUntil(
            Effect.map(owner!.logs, (text) =>
              text.slice(before).includes("stops and reads its journal again")
            ),
            (said) => said,
            { deadline: "60 seconds", every: "500 millis" }
          )
          yield* answeredSince(shop, sales, yield* Clock.currentTimeMillis)
        })
      )
    )

    it.effect("hands its shards over without an error at the buyer when a runner is restarted", () =>
      during(
        Effect.fnUntraced(function* (shop, sales) {
          const world = yield* World
          for (const runner of world.booking) {
            yield* runner.stop
            // One of them was frozen before, and had answers for those who had left.
            expect(yield* runner.logs).not.toContain("did not stop within")
            yield* runner.start
            yield* world.ready
            // As the runbook has it: the next when every shard has an owner again.
            yield* pollUntil(world.bookingShards, (shards) => shards === shardsPerGroup, {
              deadline: "60 seconds",
              every: "250 millis"
            })
            yield* answeredSince(shop, sales, yield* Clock.currentTimeMillis)
          }
          expect(shop.notes.failed).toEqual([])
        })
      )
    )

    it.effect("sells without Redis, and is none the wiser when it comes back empty", () =>
      during(
        Effect.fnUntraced(function* (shop, sales) {
          const { redis } = yield* World
          yield* redis.kill
          yield* answeredSince(shop, sales, (yield* Clock.currentTimeMillis) + 2_000)
          yield* redis.start
          yield* answeredSince(shop, sales, (yield* Clock.currentTimeMillis) + 500)
        })
      )
    )
  }
)
