import { assert, layer } from "@effect/vitest"
import { type EventId, makeEventId } from "@onsale/contracts/Ids"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import * as ReadModel from "@onsale/platform/ReadModel"
import { rebuild } from "@onsale/platform/ReadModelRebuild"
import {
  confirm,
  extend,
  freeze,
  held,
  hold,
  newHoldId,
  newOrderId,
  release,
  takeBack,
  unfreeze
} from "@onsale/testing/InventorySale"
import { pollUntil } from "@onsale/testing/Poll"
import { block, grid, hall, voucher } from "@onsale/testing/SaleLayouts"
import { advance } from "@onsale/testing/SteeredClock"
import { Clock, Effect, Exit, Layer, References, Scope } from "effect"
import { SqlClient } from "effect/sql"
import * as EventAvailability from "../src/EventAvailability.ts"
import { InventoryStore } from "../src/InventoryStore.ts"
import { layerWorld, type Runner, startRunner } from "./InventoryHarness.ts"

const layout = hall({
  quotas: [{ name: "All", capacity: 50, tiers: [0, 1, 2], areas: [0] }],
  blocks: [block("House", [4, 5])],
  vouchers: [voucher(1)],
  maxPerCustomer: 20
})

/** Commands of every kind, with all their ends. */
const business = (): ReadonlyArray<InventoryCommand> => {
  const [kept, sale, frozen, unfrozen, back] = Array.from({ length: 5 }, newHoldId)
  const [order, checkout, declined] = Array.from({ length: 3 }, newOrderId)
  const what = { seats: [10, 11], areas: [{ area: 0, quantity: 2 }] }
  return [
    hold({ holdId: kept!, seats: [0, 1], areas: [{ area: 0, quantity: 1 }], customer: "ann" }),
    hold({ seats: [1, 2] }),
    hold({ holdId: sale!, ...what, voucherKey: "voucher 1" }),
    freeze(sale!, order!, undefined, "ann"),
    confirm(sale!, order!, { ...what, customer: "ann", voucher: voucher(1).id }),
    hold({ holdId: frozen!, seats: [20] }),
    freeze(frozen!, checkout!),
    hold({ holdId: unfrozen!, best: { quantity: 2 } }),
    freeze(unfrozen!, declined!),
    unfreeze(unfrozen!, declined!),
    hold({ holdId: back!, seats: [30], accessible: true }),
    release(back!),
    takeBack(order!, { seats: [11], areas: [{ area: 0, quantity: 1 }] }),
    extend(kept!),
    hold({ seats: [2], replaces: unfrozen!, customer: "bob" })
  ]
}

const stored = (eventId: EventId) =>
  Effect.flatMap(EventAvailability.EventAvailability, ({ find }) => find(eventId))
const withoutTime = <A extends { readonly asOfMs?: number }>(view: A | null) => {
  if (view === null) return null
  const { asOfMs: _, ...rest } = view
  return rest
}

/** Until the model shows that version, and nothing of the event is missing. */
const caughtUp = Effect.fnUntraced(function* (
  model: Effect.Success<typeof EventAvailability.model>,
  eventId: EventId,
  version: number
) {
  return yield* pollUntil(
    Effect.andThen(ReadModel.runOnce(model), stored(eventId)),
    (view) => view !== null && view.version >= version,
    { deadline: "30 seconds" }
  )
})

const showsAsOwner = Effect.fnUntraced(function* (
  model: Effect.Success<typeof EventAvailability.model>,
  runner: Runner,
  eventId: EventId
) {
  const { inventory } = runner
  const owner = yield* inventory.availability(eventId)
  const view = yield* caughtUp(model, eventId, owner?.version ?? 0)
  assert.deepStrictEqual(withoutTime(view), owner)
  assert.strictEqual(view?.asOfMs, yield* Clock.currentTimeMillis)
})

const open = Effect.fnUntraced(function* (runner: Runner, of = layout) {
  const eventId = makeEventId(0)
  yield* runner.inventory.open(eventId, of)
  return eventId
})

const services = Layer.mergeAll(InventoryStore.layer, EventAvailability.EventAvailability.layer).pipe(
  Layer.provideMerge(layerWorld)
)

layer(services, { excludeTestServices: true, timeout: "60 seconds" })(
  "the read model of availability",
  (it) => {
    it.effect("shows after each command what the owner shows, of several events at once", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const runner = yield* startRunner()
        const { model } = yield* EventAvailability.make
        const events = [yield* open(runner), yield* open(runner, grid(3, 4))]
        for (const command of business()) {
          yield* runner.inventory.execute(events[0]!, command)
          yield* runner.inventory.execute(events[1]!, hold({ best: { quantity: 1 } }))
          yield* advance(100)
          for (const eventId of events) yield* showsAsOwner(model, runner, eventId)
        }
        // A new layout, in the middle of it.
        yield* runner.inventory.open(events[1]!, grid(4, 4))
        yield* runner.inventory.execute(events[1]!, hold({ best: { quantity: 1 } }))
        yield* showsAsOwner(model, runner, events[1]!)
        // What is swept.
        yield* advance(30_000)
        for (const eventId of events) {
          yield* runner.inventory.execute(eventId, hold({ seats: [0] }))
          yield* showsAsOwner(model, runner, eventId)
        }

        const before = yield* Effect.forEach(events, stored)
        yield* sql`TRUNCATE inventory.availability`
        assert.isNull(yield* stored(events[0]!))
        for (const eventId of events) yield* showsAsOwner(model, runner, eventId)
        assert.deepStrictEqual(yield* Effect.forEach(events, stored), before)
        yield* rebuild(model)
        assert.deepStrictEqual(yield* Effect.forEach(events, stored), before)
        // Another process, which has no states in memory.
        yield* rebuild((yield* EventAvailability.make).model)
        assert.deepStrictEqual(yield* Effect.forEach(events, stored), before)
        const [sums] = yield* sql<{ readonly free: number }>`SELECT total - held - sold - available AS free
        FROM inventory.availability WHERE event_id = ${events[0]!}::uuid`
        assert.strictEqual(sums?.free, 0)
      })
    )

    it.effect("counts of many events at once, with places that areas share once", () =>
      Effect.gen(function* () {
        const runner = yield* startRunner()
        const { model } = yield* EventAvailability.make
        const { counts } = yield* EventAvailability.EventAvailability
        const floor = { name: "Floor", capacity: 5 }
        const shared = grid(3, 4, {
          areas: [
            { ...floor, tier: 1 },
            { ...floor, tier: 0 },
            { name: "Bar", tier: 1, capacity: 3 }
          ],
          quotas: [
            { name: "Floor", capacity: 5, tiers: [], areas: [0, 1] },
            { name: "All", capacity: 100, tiers: [0, 1], areas: [] }
          ]
        })
        const events = [yield* open(runner, shared), yield* open(runner, grid(2, 4))]
        const areas = [
          { area: 0, quantity: 1 },
          { area: 1, quantity: 1 },
          { area: 2, quantity: 1 }
        ]
        const { version } = held(yield* runner.inventory.execute(events[0]!, hold({ seats: [0, 1], areas })))
        yield* caughtUp(model, events[0]!, version)
        yield* caughtUp(model, events[1]!, 0)
        const found = yield* counts([...events, makeEventId(0)])
        assert.sameDeepMembers(
          [...found],
          [
            {
              eventId: events[0]!,
              total: 12,
              available: 10,
              held: 2,
              sold: 0,
              places: 8,
              placesAvailable: 5
            },
            { eventId: events[1]!, total: 8, available: 8, held: 0, sold: 0, places: 5, placesAvailable: 5 }
          ]
        )
      })
    )

    it.effect("INV-03: a hold that has expired shows as free, also where no owner is awake to sweep it", () =>
      Effect.gen(function* () {
        const runner = yield* startRunner()
        const { expire, model } = yield* EventAvailability.make
        const eventId = yield* open(runner)
        const answer = held(yield* runner.inventory.execute(eventId, hold({ seats: [0, 1] })))
        yield* caughtUp(model, eventId, answer.version)
        yield* runner.stop
        yield* advance(10_000)
        // Whoever reads it meanwhile is told as of when.
        const late = yield* stored(eventId)
        assert.deepStrictEqual([late?.held, late?.asOfMs], [[0, 1, 4, 5], answer.expiresAtMs])
        yield* advance(1_000)
        assert.isAtLeast(yield* expire, 1)
        const view = yield* stored(eventId)
        assert.deepStrictEqual([view?.held, view?.asOfMs], [[4, 5], yield* Clock.currentTimeMillis])
        assert.strictEqual(yield* expire, 0)
      })
    )

    it.effect("what is missing in it is told by its time", () =>
      Effect.gen(function* () {
        const runner = yield* startRunner()
        const { model } = yield* EventAvailability.make
        const eventId = yield* open(runner)
        const first = held(yield* runner.inventory.execute(eventId, hold({ seats: [0] })))
        yield* caughtUp(model, eventId, first.version)
        yield* advance(1_000)
        const missedAtMs = yield* Clock.currentTimeMillis
        yield* runner.inventory.execute(eventId, hold({ seats: [2] }))
        yield* advance(1_000)
        const view = yield* stored(eventId)
        assert.deepStrictEqual([view?.version, view?.asOfMs], [first.version, missedAtMs])
      })
    )

    it.effect("an event whose journal breaks a rule is not shown, and holds up no other", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const runner = yield* startRunner()
        const { model } = yield* EventAvailability.make
        const [broken, fine] = [yield* open(runner), yield* open(runner)]
        const { version } = held(yield* runner.inventory.execute(broken, hold({ seats: [0] })))
        yield* caughtUp(model, broken, version)
        yield* runner.stop
        const released = { _tag: "Released", cmd: newHoldId(), fp: "", hold: newHoldId() }
        yield* sql`INSERT INTO inventory.journal (stream, version, at, events)
        VALUES (${broken}::uuid, ${version + 1}::int, now(), ${JSON.stringify([released])}::json)`
        const second = yield* startRunner()
        const { version: next } = held(yield* second.inventory.execute(fine, hold({ seats: [0] })))
        yield* caughtUp(model, fine, next)
        assert.isNull(yield* stored(broken))
        yield* sql`DELETE FROM inventory.journal WHERE stream = ${broken}::uuid`
      }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
    )

    it.effect("of several processes one fills it, and another one when that has ended", () =>
      Effect.gen(function* () {
        const runner = yield* startRunner()
        const eventId = yield* open(runner)
        const shows = (version: number) =>
          pollUntil(stored(eventId), (view) => (view?.version ?? 0) >= version, { deadline: "30 seconds" })
        const start = Effect.gen(function* () {
          const scope = yield* Scope.fork(yield* Effect.scope)
          yield* Layer.buildWithScope(Layer.fresh(EventAvailability.layerModel), scope)
          return Scope.close(scope, Exit.void)
        })
        const stops = [yield* start, yield* start]
        for (const [seat, stop] of stops.entries()) {
          const answer = held(yield* runner.inventory.execute(eventId, hold({ seats: [seat] })))
          yield* shows(answer.version)
          yield* stop
        }
      })
    )
  }
)
