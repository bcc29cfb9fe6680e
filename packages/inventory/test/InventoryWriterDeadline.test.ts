import { assert, it } from "@effect/vitest"
import { CommandId, makeEventId, makeHoldId } from "@onsale/contracts/Ids"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { grid } from "@onsale/testing/SaleLayouts"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { InventoryStore } from "../src/InventoryStore.ts"
import * as InventoryWriter from "../src/InventoryWriter.ts"

const eventId = makeEventId(0)

const hold = (n: number): InventoryCommand => ({
  _tag: "Hold",
  commandId: CommandId.make(`c${n}`),
  fingerprint: "",
  holdId: makeHoldId(n, 1),
  seats: [n],
  areas: [],
  best: null
})

/** A writer whose commits wait until they are let go. */
const world = Effect.gen(function* () {
  const gates: Array<Deferred.Deferred<void>> = []
  const rows: Array<number> = []
  const store = Layer.mock(InventoryStore, {
    load: () => Effect.succeed(null),
    open: () => Effect.void,
    append: ({ events }) =>
      Effect.gen(function* () {
        rows.push(events.length)
        const gate = yield* Deferred.make<void>()
        gates.push(gate)
        yield* Deferred.await(gate)
      }),
    snapshot: () => Effect.void,
    versionOf: () => Effect.succeed(0),
    journal: undefined as never
  })
  const writer = yield* Effect.provide(InventoryWriter.make(eventId), store)
  yield* writer.open(grid(1, 4))
  return { gates, rows, writer }
})

it.effect("what nobody waits for any more is not decided, and can be asked again", () =>
  Effect.gen(function* () {
    const { gates, rows, writer } = yield* world
    const first = yield* Effect.forkChild(writer.execute([hold(0)], 5_000))
    while (gates.length < 1) yield* Effect.yieldNow
    // Behind a commit that takes a second.
    const late = yield* Effect.forkChild(Effect.exit(writer.execute([hold(1)], 900)))
    const patient = yield* Effect.forkChild(writer.execute([hold(2)], 1_100))
    const silent = yield* Effect.forkChild(writer.execute([hold(3)]))
    yield* Effect.yieldNow
    yield* TestClock.adjust("1 second")
    yield* Deferred.succeed(gates[0]!, undefined)
    while (gates.length < 2) yield* Effect.yieldNow
    yield* Deferred.succeed(gates[1]!, undefined)
    yield* Fiber.join(first)
    yield* Fiber.join(patient)
    yield* Fiber.join(silent)
    const exit = yield* Fiber.join(late)
    assert.isTrue(exit._tag === "Failure" && String(exit.cause).includes("InventoryUnavailable"))
    assert.deepStrictEqual(rows, [1, 2])
    const again = yield* Effect.forkChild(writer.execute([hold(1)], 1_000))
    while (gates.length < 3) yield* Effect.yieldNow
    yield* Deferred.succeed(gates[2]!, undefined)
    assert.strictEqual((yield* Fiber.join(again))[0]?._tag, "Held")
  })
)
