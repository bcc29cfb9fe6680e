import { assert, describe, it } from "@effect/vitest"
import { type EventId, makeEventId, makeHoldId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { Clock, Effect, Fiber, Layer, Scheduler } from "effect"
import { TestClock } from "effect/testing"
import { AvailabilityBoard } from "../src/AvailabilityBoard.ts"
import { AdmissionControl } from "../src/AdmissionControl.ts"
import { HoldDesk } from "../src/HoldDesk.ts"
import * as Patience from "../src/Patience.ts"

const event = { id: makeEventId(1_700_000_000_000), number: 1 }
const claims = { seats: [1], areas: [], best: null }

const layer = HoldDesk.layer.pipe(
  Layer.provide([
    Layer.mock(AvailabilityBoard, { changed: () => {}, met: () => {}, read: () => {} }),
    AdmissionControl.layer,
    Layer.mock(InventoryClient, { execute: () => Effect.never })
  ])
)

/** Of the way to the inventory: more than there are. */
const steps = 40

describe("HoldDesk", () => {
  it.effect("asks the inventory for all that was asked of it", () =>
    Effect.gen(function* () {
      const asked: Array<InventoryCommand> = []
      const execute = (_: EventId, command: InventoryCommand) =>
        Effect.sync((): InventoryAnswer => {
          asked.push(command)
          return { _tag: "Released" }
        })
      const all = {
        ...claims,
        accessible: true,
        customer: "ada",
        voucherKey: "key",
        replaces: makeHoldId(1_700_000_000_000, 1)
      }
      yield* Effect.flatMap(HoldDesk, (desk) => desk.hold(event, "key", all)).pipe(
        Effect.provide(
          HoldDesk.layer.pipe(
            Layer.provide([
              Layer.mock(AvailabilityBoard, { changed: () => {}, met: () => {}, read: () => {} }),
              AdmissionControl.layer,
              Layer.mock(InventoryClient, { execute })
            ])
          )
        )
      )
      assert.lengthOf(asked, 1)
      assert.deepInclude(asked[0], all)
    })
  )

  it.effect("refuses a key whose first request is running", () =>
    Effect.gen(function* () {
      const desk = yield* HoldDesk
      const running = yield* Effect.forkChild(desk.hold(event, "key", claims), { startImmediately: true })
      assert.strictEqual((yield* Effect.flip(desk.hold(event, "key", claims)))._tag, "KeyInUse")
      // The refusal does not give the key of the running one back.
      assert.strictEqual((yield* Effect.flip(desk.hold(event, "key", claims)))._tag, "KeyInUse")
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(layer))
  )

  it.effect("tells a client in the time it waits that it is not known whether there is a hold", () =>
    Effect.gen(function* () {
      const desk = yield* HoldDesk
      const untilMs = (yield* Clock.currentTimeMillis) + 2_000
      const hold = desk.hold(event, "key", claims).pipe(Effect.provideService(Patience.Until, untilMs))
      const asked = yield* Effect.forkChild(Effect.flip(hold), { startImmediately: true })
      yield* TestClock.adjust(1_999)
      assert.isUndefined(asked.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepInclude(yield* Fiber.join(asked), { _tag: "Overloaded", retryAfterSeconds: 2 })
    }).pipe(Effect.provide(layer))
  )

  it.effect("gives the key back wherever the request is interrupted", () =>
    Effect.gen(function* () {
      const desk = yield* HoldDesk
      for (const operations of [2, 3]) {
        for (let step = 0; step < steps; step++) {
          const key = `key-${operations}-${step}`
          const first = yield* desk.hold(event, key, claims).pipe(
            // Pauses between the operations, so that the interruption can come there.
            Effect.provideService(Scheduler.MaxOpsBeforeYield, operations),
            Effect.forkChild
          )
          for (let turn = 0; turn < step; turn++) yield* Effect.yieldNow
          yield* Fiber.interrupt(first)
          const second = yield* Effect.forkChild(desk.hold(event, key, claims), { startImmediately: true })
          assert.isUndefined(second.pollUnsafe(), `interrupted after ${step} turns of ${operations}`)
          yield* Fiber.interrupt(second)
        }
      }
    }).pipe(Effect.provide(layer))
  )
})
