import { assert, describe, it } from "@effect/vitest"
import { CommandId, makeEventId, makeHoldId } from "@onsale/contracts/Ids"
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { bookingShardGroup, InventoryEntity } from "@onsale/contracts/inventory/InventoryEntity"
import * as Cluster from "@onsale/platform/Cluster"
import { pollUntil } from "@onsale/testing/Poll"
import { Clock, Deferred, Effect, Exit, Layer, Schema } from "effect"
import * as Lane from "../src/InventoryClient.ts"
import * as InventorySubmit from "../src/InventorySubmit.ts"
import { deadlineMs } from "../src/LanePolicy.ts"

const eventId = makeEventId(0)

const command = (n: number): InventoryCommand => ({
  _tag: "Release",
  commandId: CommandId.make(`c${n}`),
  fingerprint: "",
  holdId: makeHoldId(0, 1)
})

interface Message {
  readonly size: number
  readonly waitMs: number | undefined
  readonly back: Effect.Effect<void>
}

/** The lane over an entity that answers each message when it is told to. */
const lane = Effect.gen(function* () {
  const messages: Array<Message> = []
  const entity = InventoryEntity.toLayer(
    Effect.succeed(
      InventoryEntity.of({
        Open: () => Effect.void,
        GetHold: () => Effect.never,
        GetHoldOf: () => Effect.never,
        GetAvailability: () => Effect.succeed(null),
        Execute: ({ payload: { commands, waitMs } }) =>
          Effect.gen(function* () {
            const gate = yield* Deferred.make<void>()
            messages.push({
              size: commands.length,
              waitMs,
              back: Effect.asVoid(Deferred.succeed(gate, undefined))
            })
            yield* Deferred.await(gate)
            return commands.map((_, index) => ({ _tag: "Returned" as const, version: index }))
          })
      })
    ),
    { concurrency: "unbounded" }
  )
  const context = yield* Layer.build(
    Lane.layerEntity.pipe(
      Layer.provide(entity),
      Layer.provide(Cluster.layerSingle({ shardGroups: ["default", bookingShardGroup] }))
    )
  )
  // The entity waits for what it has taken before it ends.
  yield* Effect.addFinalizer(() => Effect.forEach(messages, ({ back }) => back, { discard: true }))
  const submit = yield* InventorySubmit.of(yield* Effect.provideContext(InventoryClient, context))
  const answers: Array<number> = []
  const late: Array<Exit.Exit<unknown, unknown>> = []
  let asked = 0
  return {
    messages,
    answers,
    late,
    ask: (count: number, untilMs?: number) => {
      for (let i = 0; i < count; i++) {
        submit(
          eventId,
          command(asked++),
          (exit) => {
            if (Exit.isSuccess(exit) && exit.value._tag === "Returned") answers.push(exit.value.version)
            else late.push(exit)
          },
          undefined,
          untilMs
        )
      }
    },
    /** Until so many messages are on their way or back. */
    sent: (count: number) =>
      Effect.gen(function* () {
        while (messages.length < count) yield* Effect.sleep("1 millis")
      }).pipe(Effect.timeout("5 seconds")),
    sizes: () => messages.map(({ size }) => size)
  }
})

/** Long enough for a message that must not be sent. */
const turns = Effect.sleep("20 millis")

describe("the lane of an event", () => {
  it.live("gathers what comes in one turn, and sends beside a message only one that is as large", () =>
    Effect.gen(function* () {
      const { ask, messages, sent, sizes } = yield* lane
      ask(10)
      yield* sent(1)
      ask(9)
      yield* turns
      assert.deepStrictEqual(sizes(), [10])
      ask(1)
      yield* sent(2)
      assert.deepStrictEqual(sizes(), [10, 10])
      ask(100)
      yield* turns
      assert.deepStrictEqual(sizes(), [10, 10], "two are on their way")
      yield* messages[1]!.back
      yield* sent(3)
      assert.deepStrictEqual(sizes(), [10, 10, 100])
    })
  )

  it.live("sends what somebody waits for, with how long, and answers the rest without sending it", () =>
    Effect.gen(function* () {
      const { answers, ask, late, messages, sent, sizes } = yield* lane
      ask(10)
      yield* sent(1)
      const waitMs = messages[0]!.waitMs ?? 0
      assert.isTrue(waitMs > 0 && waitMs <= deadlineMs, String(waitMs))
      const nowMs = yield* Clock.currentTimeMillis
      // Behind a message that is on its way, and gone before it is back.
      ask(3, nowMs + 1)
      ask(2, nowMs + 2_000)
      yield* pollUntil(Clock.currentTimeMillis, (ms) => ms > nowMs + 1)
      yield* messages[0]!.back
      yield* sent(2)
      assert.deepStrictEqual(sizes(), [10, 2])
      assert.isAtMost(messages[1]!.waitMs ?? 0, 2_000)
      assert.deepStrictEqual(
        late,
        Array.from({ length: 3 }, () =>
          Exit.fail(new InventoryUnavailable({ reason: "not_begun", retryAfterMs: 2_000 }))
        )
      )
      yield* messages[1]!.back
      yield* pollUntil(
        Effect.sync(() => answers.length),
        (count) => count === 12
      )
    })
  )

  it.live("sends what waits as soon as nothing is on its way, however little it is", () =>
    Effect.gen(function* () {
      const { answers, ask, messages, sent, sizes } = yield* lane
      ask(10)
      yield* sent(1)
      ask(1)
      yield* turns
      yield* messages[0]!.back
      yield* sent(2)
      assert.deepStrictEqual(sizes(), [10, 1])
      assert.lengthOf(answers, 10)
    })
  )

  it.effect.prop(
    "answers every command once, in whatever order the messages come back",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: -3, maximum: 40 })))],
    ([steps]) =>
      Effect.gen(function* () {
        const { answers, ask, messages } = yield* lane
        let asked = 0
        let waiting = 0
        const open = new Set<number>()
        const look = () => {
          while (waiting < messages.length) open.add(waiting++)
        }
        const settle = Effect.gen(function* () {
          for (let i = 0; i < 50; i++) yield* Effect.yieldNow
          look()
        })
        for (const step of steps) {
          if (step > 0) {
            ask(step)
            asked += step
          } else {
            const one = Array.from(open).at(step)
            if (one !== undefined) {
              open.delete(one)
              yield* messages[one]!.back
            }
          }
          yield* settle
          assert.isAtMost(open.size, 2)
        }
        while (open.size > 0) {
          for (const one of open) {
            open.delete(one)
            yield* messages[one]!.back
          }
          yield* settle
        }
        assert.lengthOf(answers, asked)
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 30 } }
  )
})
