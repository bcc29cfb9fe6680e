import { assert, layer } from "@effect/vitest"
import { makeEventId, type OrderId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { bookingShardGroup } from "@onsale/contracts/inventory/InventoryEntity"
import * as Cluster from "@onsale/platform/Cluster"
import {
  confirm,
  freeze,
  held,
  hold,
  newOrderId,
  refused,
  release,
  seatsOf,
  sold,
  takeBack
} from "@onsale/testing/InventorySale"
import { block, grid, voucher } from "@onsale/testing/SaleLayouts"
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

    it.effect("L3, L0, L3: quotas, customers, vouchers and blocks are counted on", () =>
      Effect.gen(function* () {
        const eventId = makeEventId(3)
        const one = voucher(1, { maxTickets: 4, blocks: [0] })
        const layout = grid(3, 10, {
          maxPerCustomer: 5,
          quotas: [{ name: "All", capacity: 12, tiers: [0, 1], areas: [] }],
          blocks: [block("House", [20, 21, 22, 23, 24])],
          vouchers: [one]
        })
        const [customer, voucherKey] = ["somebody", "voucher 1"]
        const orders = [newOrderId(), newOrderId()]
        /** Sells two of the house's seats, looks what is refused, and answers the hold that is left. */
        const visit = Effect.fnUntraced(function* (
          inventory: InventoryClient["Service"],
          seats: ReadonlyArray<number>,
          order: OrderId
        ) {
          const execute = (command: InventoryCommand) => inventory.execute(eventId, command)
          refused(yield* execute(hold({ seats })), "seats_taken")
          const bought = held(yield* execute(hold({ seats, customer, voucherKey })))
          held(yield* execute(freeze(bought.holdId, order)))
          sold(yield* execute(confirm(bought.holdId, order, { seats, customer, voucher: one.id })))
          const view = yield* inventory.availability(eventId)
          assert.includeMembers([...(view?.held ?? [])], [24])
          return view
        })
        const opened = yield* Effect.scoped(
          Effect.gen(function* () {
            const inventory = yield* entity
            yield* inventory.open(eventId, layout)
            return yield* visit(inventory, [20, 21], orders[0]!)
          })
        )
        assert.deepStrictEqual(
          opened?.tiers.map(({ available }) => available),
          [10, 10]
        )
        yield* Effect.scoped(
          Effect.gen(function* () {
            const inventory = yield* rows
            const execute = (command: InventoryCommand) => inventory.execute(eventId, command)
            assert.deepStrictEqual(yield* inventory.availability(eventId), opened)
            const view = yield* visit(inventory, [22, 23], orders[1]!)
            assert.deepStrictEqual(
              view?.tiers.map(({ available }) => available),
              [8, 8]
            )
            refused(yield* execute(hold({ seats: [24], voucherKey })), "voucher_used")
            refused(yield* execute(hold({ seats: [0, 1], customer })), "limit_passed")
            yield* execute(takeBack(orders[0]!, { seats: [20] }))
            held(yield* execute(hold({ seats: [0, 1], customer })))
            held(yield* execute(hold({ seats: [2, 3, 4, 5, 6] })))
          })
        )
        yield* Effect.scoped(
          Effect.gen(function* () {
            const inventory = yield* entity
            const execute = (command: InventoryCommand) => inventory.execute(eventId, command)
            refused(yield* execute(hold({ seats: [7], customer })), "limit_passed")
            refused(yield* execute(hold({ seats: [20, 24], voucherKey })), "voucher_used")
            refused(yield* execute(hold({ seats: [7, 8, 9] })), "quota_full")
            held(yield* execute(hold({ seats: [20], voucherKey })))
          })
        )
        yield* expectInOrder(eventId)
        yield* expectClean
      })
    )

    it.effect("rows that a process believes in, and that the journal has left behind, are made again", () =>
      Effect.gen(function* () {
        const eventId = makeEventId(4)
        const waiting = yield* rows
        yield* waiting.open(eventId, grid(3, 10))
        held(yield* waiting.execute(eventId, hold({ seats: [0] })))
        const { holdId, view } = yield* Effect.scoped(
          Effect.gen(function* () {
            const inventory = yield* entity
            const { holdId } = held(yield* inventory.execute(eventId, hold({ seats: [1] })))
            return { holdId, view: yield* inventory.availability(eventId) }
          })
        )
        assert.deepStrictEqual(yield* waiting.availability(eventId), view)
        yield* Effect.scoped(
          Effect.flatMap(entity, (inventory) => inventory.execute(eventId, hold({ seats: [2] })))
        )
        assert.strictEqual((yield* waiting.execute(eventId, release(holdId)))._tag, "Released")
        yield* Effect.scoped(
          Effect.flatMap(entity, (inventory) => inventory.execute(eventId, hold({ seats: [3] })))
        )
        refused(yield* waiting.hold(eventId, holdId), "hold_not_found")
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
