import { assert, describe, it } from "@effect/vitest"
import { CommandId, type EventId, makeEventId, makeHoldId } from "@onsale/contracts/Ids"
import { InventoryClient, type InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer } from "@onsale/contracts/inventory/InventoryCommand"
import {
  bookingShardGroup,
  InventoryEntity,
  maxCommandsAMessage
} from "@onsale/contracts/inventory/InventoryEntity"
import * as Cluster from "@onsale/platform/Cluster"
import { Clock, Effect, Exit, Layer, Metric, Option, Semaphore } from "effect"
import { Entity } from "effect/cluster"
import { TestClock } from "effect/testing"
import * as Lane from "../src/InventoryClient.ts"
import * as InventorySubmit from "../src/InventorySubmit.ts"
import { deadlineMs, room } from "../src/LanePolicy.ts"

const hot = makeEventId(1)
const other = makeEventId(2)
const slowMs = 900
const fastMs = 5

/** The lanes over entities that take `slowMs` a message where the event is hot, and `fastMs` else. */
const lanes = Effect.gen(function* () {
  const entity = InventoryEntity.toLayer(
    Effect.gen(function* () {
      const { entityId } = yield* Entity.CurrentAddress
      const tookMs = String(entityId) === hot ? slowMs : fastMs
      const one = yield* Semaphore.make(1)
      return InventoryEntity.of({
        Open: () => Effect.void,
        GetHold: () => Effect.never,
        GetHoldOf: () => Effect.never,
        GetAvailability: () => Effect.succeed(null),
        Execute: ({ payload: { commands } }) =>
          one
            .withPermits(1)(Effect.sleep(tookMs))
            .pipe(Effect.as(commands.map((_, index) => ({ _tag: "Returned" as const, version: index }))))
      })
    }),
    { concurrency: "unbounded" }
  )
  const context = yield* Layer.build(
    Lane.layerEntity.pipe(
      Layer.provide(entity),
      Layer.provide(Cluster.layerSingle({ shardGroups: ["default", bookingShardGroup] }))
    )
  )
  const clock = yield* Clock.Clock
  const submit = yield* InventorySubmit.of(yield* Effect.provideContext(InventoryClient, context))
  let asked = 0
  return (eventId: EventId, count: number) => {
    const told: Array<{
      readonly exit: Exit.Exit<InventoryAnswer, InventoryUnavailable>
      readonly afterMs: number
    }> = []
    const sinceMs = clock.currentTimeMillisUnsafe()
    for (let i = 0; i < count; i++) {
      submit(
        eventId,
        {
          _tag: "Release",
          commandId: CommandId.make(`c${asked++}`),
          fingerprint: "",
          holdId: makeHoldId(0, 1)
        },
        (exit) => told.push({ exit, afterMs: clock.currentTimeMillisUnsafe() - sinceMs })
      )
    }
    return told
  }
})

const after = (ms: number) =>
  Effect.gen(function* () {
    for (let i = 0; i < ms; i += fastMs) {
      yield* TestClock.adjust(fastMs)
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
    }
  })

const commandsOf = (event: string, outcome: "sent" | "refused") =>
  Effect.map(
    Metric.snapshot,
    (all) =>
      all.find(
        ({ attributes, id }) =>
          id === "onsale_lane_commands_total" &&
          attributes?.["event"] === event &&
          attributes["outcome"] === outcome
      )?.state
  )

describe("a hot event", () => {
  it.effect("is refused at once with when to come back, and no other event waits for it", () =>
    Effect.gen(function* () {
      const ask = yield* lanes
      // So that it is known how long a message takes.
      const first = ask(hot, 1)
      const alone = ask(other, 1)
      yield* after(2_000)
      assert.strictEqual(first[0]?.afterMs, slowMs)

      const flood = ask(hot, room)
      const refused = flood.slice()
      for (const { afterMs, exit } of refused) {
        const error = Option.getOrThrow(Exit.findErrorOption(exit))
        assert.strictEqual(error.reason, "overloaded")
        assert.strictEqual(error.retryAfterMs, 6 * slowMs)
        assert.strictEqual(afterMs, 0)
      }
      // As many as are answered within the deadline.
      assert.strictEqual(room - refused.length, 5 * maxCommandsAMessage)

      for (let i = 0; i < 20; i++) {
        const beside = ask(other, 10)
        yield* after(50)
        assert.deepStrictEqual(
          beside.map(({ afterMs }) => afterMs),
          Array.from({ length: 10 }, () => alone[0]?.afterMs)
        )
      }
      yield* after(6 * slowMs - 1_000)
      assert.lengthOf(flood, room)
      const answered = flood.slice(refused.length)
      assert.isTrue(answered.every(({ exit }) => Exit.isSuccess(exit)))
      assert.isTrue(answered.every(({ afterMs }) => afterMs <= deadlineMs))

      const again = ask(hot, 1)
      yield* after(slowMs)
      assert.isTrue(again.every(({ exit }) => Exit.isSuccess(exit)) && again.length === 1)

      assert.deepInclude(yield* commandsOf(hot, "refused"), { count: refused.length })
      assert.deepInclude(yield* commandsOf(hot, "sent"), { count: 5 * maxCommandsAMessage + 1 })
    })
  )
})
