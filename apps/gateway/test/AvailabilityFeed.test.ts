import { assert, describe, it } from "@effect/vitest"
import { Catalog } from "@onsale/catalog/Catalog"
import type { AvailabilityUpdate } from "@onsale/contracts/http/AvailabilityUpdate"
import { makeEventId, seatId } from "@onsale/contracts/Ids"
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { Stopping } from "@onsale/platform/Stopping"
import { Context, Deferred, Effect, Fiber, Layer, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import { AvailabilityBoard } from "../src/AvailabilityBoard.ts"
import { AvailabilityNews } from "../src/AvailabilityNews.ts"
import { AvailabilityFeed } from "../src/AvailabilityFeed.ts"

const eventId = makeEventId(1_700_000_000_000)
const total = 1000

class Sale extends Context.Service<
  Sale,
  {
    /** Null before the sale was opened. */
    view: AvailabilityView | null
    away: boolean
    polls: number
    readonly stop: Deferred.Deferred<void>
  }
>()("test/Sale") {}

const services = Layer.effectContext(
  Effect.sync(() => {
    const sale: Sale["Service"] = {
      view: { version: 0, total, held: [], sold: [], areas: [], tiers: [] },
      away: false,
      polls: 0,
      stop: Deferred.makeUnsafe()
    }
    return Context.make(Sale, sale).pipe(
      Context.add(Stopping, Deferred.await(sale.stop)),
      Context.add(InventoryClient, {
        open: () => Effect.void,
        execute: () => Effect.never,
        holdOf: () => Effect.succeed(null),
        hold: () => Effect.never,
        availability: () =>
          Effect.suspend(() => {
            sale.polls++
            return sale.away
              ? Effect.fail(new InventoryUnavailable({ reason: "deadline", retryAfterMs: 1000 }))
              : Effect.succeed(sale.view)
          })
      })
    )
  })
)

const layer = AvailabilityFeed.layer.pipe(
  Layer.provide(AvailabilityBoard.layer),
  Layer.provide([AvailabilityNews.layerNone, Layer.mock(Catalog, { eventNumber: () => Effect.succeed(1) })]),
  Layer.provideMerge(services)
)

/** Somebody holds these seats, and nobody any others. */
const held = (...seats: ReadonlyArray<number>) =>
  Effect.map(Sale, (sale) => {
    sale.view = { ...sale.view!, version: sale.view!.version + 1, held: seats }
  })

/** Longer than the time between two polls and the board's own. */
const aPoll = TestClock.adjust("400 millis")

/** Watches; `take` is the next message, which the watcher asks for only then. */
const watch = Effect.fnUntraced(function* (after?: number) {
  const feed = yield* AvailabilityFeed
  const told = yield* Queue.bounded<AvailabilityUpdate>(1)
  const asked = yield* Queue.unbounded<void>()
  const fiber = yield* feed.watch(eventId, after === undefined ? undefined : { version: after }).pipe(
    Stream.runForEach(({ update }) => Effect.andThen(Queue.offer(told, update), Queue.take(asked))),
    Effect.forkChild
  )
  let first = true
  const take = Effect.gen(function* () {
    if (!first) yield* Queue.offer(asked, undefined)
    first = false
    const next = yield* Effect.forkChild(Queue.take(told))
    yield* aPoll
    return yield* Fiber.join(next)
  })
  return { fiber, take }
})

const ids = (...seats: ReadonlyArray<number>) => seats.map((seat) => seatId(eventId, seat))

const delta = (update: AvailabilityUpdate) => {
  assert.strictEqual(update._tag, "Delta")
  return update._tag === "Delta" ? update : assert.fail("not a delta")
}

describe("AvailabilityFeed", () => {
  it.effect("tells a snapshot first, then what changes, with the totals and the version", () =>
    Effect.gen(function* () {
      yield* held(1)
      const { take } = yield* watch()
      const first = yield* take
      assert.strictEqual(first._tag, "Snapshot")
      assert.deepStrictEqual(first._tag === "Snapshot" ? first.availability.unavailable : {}, {
        [seatId(eventId, 1)]: "held"
      })
      yield* held(2)
      assert.deepStrictEqual(delta(yield* take), {
        _tag: "Delta",
        version: 2,
        totals: { total, available: total - 1, held: 1, sold: 0 },
        seats: { [seatId(eventId, 1)]: "available", [seatId(eventId, 2)]: "held" },
        areas: {},
        tiers: {}
      })
    }).pipe(Effect.provide(layer))
  )

  it.effect("makes one message of all that happened while a watcher was slow", () =>
    Effect.gen(function* () {
      const { take } = yield* watch()
      yield* take
      for (let seat = 1; seat <= 5; seat++) {
        yield* held(seat)
        yield* aPoll
      }
      const update = delta(yield* take)
      assert.strictEqual(update.version, 5)
      assert.sameMembers(Object.keys(update.seats), ids(1, 2, 3, 4, 5))
      assert.strictEqual(update.seats[seatId(eventId, 5)], "held")
      assert.strictEqual(update.seats[seatId(eventId, 4)], "available")
    }).pipe(Effect.provide(layer))
  )

  it.effect("gives a watcher that is too far behind a fresh snapshot", () =>
    Effect.gen(function* () {
      const { take } = yield* watch()
      yield* take
      for (let seat = 0; seat < 70; seat++) {
        yield* held(seat)
        yield* aPoll
      }
      assert.strictEqual((yield* take)._tag, "Snapshot")
    }).pipe(Effect.provide(layer))
  )

  it.effect("resumes after a version that is known, and begins anew after one that is not", () =>
    Effect.gen(function* () {
      const gone = yield* watch()
      yield* gone.take
      yield* held(1)
      const { version } = delta(yield* gone.take)
      yield* Fiber.interrupt(gone.fiber)

      yield* held(1, 2)
      yield* aPoll
      const back = delta(yield* (yield* watch(version)).take)
      assert.deepStrictEqual(back.seats, { [seatId(eventId, 2)]: "held" })
      const same = delta(yield* (yield* watch(back.version)).take)
      assert.deepStrictEqual(same.seats, {}, "who has missed nothing is told so")
      assert.strictEqual((yield* (yield* watch(4711)).take)._tag, "Snapshot")
    }).pipe(Effect.provide(layer))
  )

  it.effect("polls once for everybody, and no more when nobody has watched for a while", () =>
    Effect.gen(function* () {
      const sale = yield* Sale
      const watchers = yield* Effect.forEach(Array.from({ length: 100 }), () => watch())
      yield* Effect.forEach(watchers, ({ take }) => take, { concurrency: "unbounded" })
      const before = sale.polls
      yield* TestClock.adjust("10 seconds")
      assert.isAtMost(sale.polls - before, 100)
      assert.isAtLeast(sale.polls - before, 80)
      yield* Fiber.interruptAll(watchers.map(({ fiber }) => fiber))
      yield* TestClock.adjust("31 seconds")
      const after = sale.polls
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(sale.polls, after)
    }).pipe(Effect.provide(layer))
  )

  it.effect("outlasts an inventory that is away for seconds, and says so when it is away for longer", () =>
    Effect.gen(function* () {
      const sale = yield* Sale
      const { fiber, take } = yield* watch()
      yield* take
      sale.away = true
      yield* TestClock.adjust("5 seconds")
      sale.away = false
      yield* held(1)
      assert.deepStrictEqual(Object.keys(delta(yield* take).seats), ids(1))
      sale.away = true
      const waiting = yield* Effect.forkChild(take)
      yield* TestClock.adjust("12 seconds")
      assert.strictEqual((yield* Effect.flip(Fiber.join(fiber)))._tag, "Overloaded")
      yield* Fiber.interrupt(waiting)
    }).pipe(Effect.provide(layer))
  )

  it.effect("ends when the server stops, and fails for an event that is not on sale", () =>
    Effect.gen(function* () {
      const sale = yield* Sale
      const { fiber, take } = yield* watch()
      yield* take
      const waiting = yield* Effect.forkChild(take)
      yield* Deferred.succeed(sale.stop, undefined)
      assert.strictEqual((yield* Effect.flip(Fiber.join(fiber)))._tag, "Overloaded")
      yield* Fiber.interrupt(waiting)
      sale.view = null
      yield* TestClock.adjust("1 second")
      const other = yield* watch()
      yield* aPoll
      assert.strictEqual((yield* Effect.flip(Fiber.join(other.fiber)))._tag, "EventNotFound")
    }).pipe(Effect.provide(layer))
  )
})
