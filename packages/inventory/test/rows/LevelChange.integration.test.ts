import { assert, layer } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { bookingShardGroup } from "@onsale/contracts/inventory/InventoryEntity"
import * as Cluster from "@onsale/platform/Cluster"
import {
  confirm,
  freeze,
  held,
  hold,
  newOrderId,
  release,
  seatsOf,
  sold,
  takeBack
} from "@onsale/testing/InventorySale"
import { grid } from "@onsale/testing/SaleLayouts"
import { SteeredClock } from "@onsale/testing/SteeredClock"
import { Context, Effect, Exit, Layer } from "effect"
import * as EntityClient from "../../src/InventoryClient.ts"
import * as InventoryEntity from "../../src/InventoryEntity.ts"
import { InventoryStore } from "../../src/InventoryStore.ts"
import * as PostgresRows from "../../src/rows/PostgresRows.ts"
import { expectClean, expectInOrder, ground } from "./RowsHarness.ts"

const built = <E, R>(level: Layer.Layer<InventoryClient, E, R>) =>
  Effect.map(Layer.build(Layer.fresh(level)), (context) => Context.get(context, InventoryClient))

const rows = built(PostgresRows.layer)
const entity = built(
  EntityClient.layerEntity.pipe(
    Layer.provide(InventoryEntity.layer),
    Layer.provide(Cluster.layerSingle({ shardGroups: ["default", bookingShardGroup] })),
    Layer.provide(InventoryStore.layer)
  )
)

layer(ground, { excludeTestServices: true, timeout: "60 seconds" })(
  "An event that changes its level",
  (it) => {
    it.effect("L3, L0, L3: holds, sales, returns, places and answers are all there", () =>
      Effect.gen(function* () {
        const clock = yield* SteeredClock
        const eventId = makeEventId(1)
        const layout = grid(3, 10)
        const first = hold({ seats: [0, 1], areas: [{ area: 0, quantity: 2 }] })
        const loser = hold({ seats: [1, 2] })
        const order = newOrderId()
        const what = { seats: [5], areas: [{ area: 0, quantity: 1 }] }

        const before = yield* Effect.scoped(
          Effect.gen(function* () {
            const inventory = yield* entity
            yield* inventory.open(eventId, layout)
            const answers = [
              yield* inventory.execute(eventId, first),
              yield* inventory.execute(eventId, loser)
            ]
            const bought = held(yield* inventory.execute(eventId, hold(what)))
            sold(yield* inventory.execute(eventId, confirm(bought.holdId, order, what)))
            const frozen = held(yield* inventory.execute(eventId, hold({ seats: [8] })))
            yield* inventory.execute(eventId, freeze(frozen.holdId, newOrderId()))
            return { answers, frozen: frozen.holdId, view: yield* inventory.availability(eventId) }
          })
        )
        const between = yield* Effect.scoped(
          Effect.gen(function* () {
            const inventory = yield* rows
            assert.deepStrictEqual(yield* inventory.availability(eventId), before.view)
            assert.deepStrictEqual(yield* inventory.execute(eventId, first), before.answers[0])
            assert.deepStrictEqual(yield* inventory.execute(eventId, loser), before.answers[1])
            assert.strictEqual((yield* inventory.execute(eventId, release(before.frozen)))._tag, "Refused")
            yield* inventory.execute(eventId, takeBack(order, { seats: [5], areas: [] }))
            const best = yield* inventory.execute(eventId, hold({ best: { quantity: 6 } }))
            assert.lengthOf(seatsOf(best), 6)
            yield* clock.advance(10_000)
            held(yield* inventory.execute(eventId, hold({ seats: [0], areas: [{ area: 0, quantity: 4 }] })))
            // The layout may change there too.
            yield* inventory.open(eventId, grid(4, 10))
            return yield* inventory.availability(eventId)
          })
        )
        yield* expectClean
        yield* Effect.scoped(
          Effect.gen(function* () {
            const inventory = yield* entity
            const view = yield* inventory.availability(eventId)
            assert.deepStrictEqual({ ...view, version: 0 }, { ...between, version: 0 })
            held(yield* inventory.execute(eventId, hold({ seats: [39] })))
          })
        )
        yield* Effect.scoped(
          Effect.gen(function* () {
            const inventory = yield* rows
            const view = yield* inventory.availability(eventId)
            assert.include(view?.held ?? [], 39)
          })
        )
        yield* expectInOrder(eventId)
        yield* expectClean
      })
    )

    it.effect(
      "two levels at one event by mistake: the journal's key keeps them apart, and no seat is sold twice",
      () =>
        Effect.gen(function* () {
          const eventId = makeEventId(2)
          const levels = [yield* entity, yield* rows]
          yield* levels[0]!.open(eventId, grid(6, 10))
          const exits = yield* Effect.forEach(
            Array.from({ length: 240 }, (_, i) => i),
            (i) => Effect.exit(levels[i % 2]!.execute(eventId, hold({ seats: [i % 60] }))),
            { concurrency: 24 }
          )
          const won = exits.flatMap((exit) =>
            Exit.isSuccess(exit) && exit.value._tag === "Held" ? seatsOf(exit.value) : []
          )
          assert.isAbove(won.length, 0)
          assert.strictEqual(new Set(won).size, won.length)
          yield* expectInOrder(eventId)
          yield* expectClean
        })
    )
  }
)
