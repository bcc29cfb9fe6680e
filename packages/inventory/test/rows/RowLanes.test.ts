import { assert, it } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { release, newHoldId } from "@onsale/testing/InventorySale"
import { pollUntil } from "@onsale/testing/Poll"
import { Clock, Deferred, Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import * as InventorySubmit from "../../src/InventorySubmit.ts"
import * as RowLanes from "../../src/rows/RowLanes.ts"

const eventId = makeEventId(0)
const answer: InventoryAnswer = { _tag: "Returned", version: 1 }

it.effect(
  "a command that waits for others longer than its client does is not begun, and its client is told in time",
  () =>
    Effect.gen(function* () {
      const batches: Array<{
        readonly commands: ReadonlyArray<InventoryCommand>
        readonly commit: Deferred.Deferred<void>
      }> = []
      const lanes = yield* RowLanes.make(
        Effect.fnUntraced(function* (_, commands) {
          const commit = yield* Deferred.make<void>()
          batches.push({ commands, commit })
          yield* Deferred.await(commit)
          return commands.map(() => ({ answer, recalled: false, version: 1, seats: [] }))
        }),
        { executed: () => Effect.void, unknown: () => Effect.void }
      )
      const submit = yield* InventorySubmit.of(
        InventoryClient.of({
          execute: (id, command) => Effect.map(lanes.execute(id, command), ({ answer }) => answer),
          open: () => Effect.void,
          hold: () => Effect.never,
          holdOf: () => Effect.never,
          availability: () => Effect.never
        })
      )
      const told: Array<string> = []
      const ask = (name: string, untilMs: number | undefined) =>
        submit(
          eventId,
          release(newHoldId()),
          (exit) => told.push(`${name}: ${Exit.isSuccess(exit) ? "decided" : "not known"}`),
          undefined,
          untilMs
        )
      const nowMs = yield* Clock.currentTimeMillis
      const batch = (n: number) =>
        pollUntil(
          Effect.sync(() => batches[n - 1]),
          (there) => there !== undefined
        )

      ask("first", nowMs + 2_000)
      const first = yield* batch(1)
      ask("hurried", nowMs + 1_000)
      ask("patient", nowMs + 3_000)
      ask("silent", undefined)
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(told, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(told, ["hurried: not known"])
      // What is being decided is told as not known where the answer would come too late.
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(told.slice(1), ["first: not known"])

      yield* Deferred.succeed(first!.commit, undefined)
      const second = yield* batch(2)
      assert.lengthOf(second!.commands, 2)
      yield* Deferred.succeed(second!.commit, undefined)
      yield* pollUntil(
        Effect.sync(() => told.length),
        (count) => count === 4
      )
      assert.deepStrictEqual(told.slice(2), ["patient: decided", "silent: decided"])

      // Nobody waits for it any more when it comes.
      ask("late", nowMs)
      yield* pollUntil(
        Effect.sync(() => told.at(-1)),
        (last) => last === "late: not known"
      )
      assert.lengthOf(batches, 2)
    })
)
