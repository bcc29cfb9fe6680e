import { assert, describe, it } from "@effect/vitest"
import { Catalog } from "@onsale/catalog/Catalog"
import { makeEventId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { AvailabilityView, InventoryAnswer } from "@onsale/contracts/inventory/InventoryCommand"
import { Context, Deferred, Effect, Exit, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { AdmissionControl } from "../src/AdmissionControl.ts"
import { AvailabilityBoard } from "../src/AvailabilityBoard.ts"
import { AvailabilityNews } from "../src/AvailabilityNews.ts"
import { HoldDesk } from "../src/HoldDesk.ts"

const eventId = makeEventId(1_700_000_000_000)
/** Longer than the pause between two boards, shorter than a board is fresh. */
const aPause = "60 millis"

class Script extends Context.Service<
  Script,
  {
    /** The questions so far, oldest first: each is answered when its version is given. */
    readonly asked: ReadonlyArray<Deferred.Deferred<number>>
    /** What the next command is answered with. */
    answer: InventoryAnswer
    /** Of the answers while the owner is away. */
    asOfMs: number | undefined
  }
>()("test/Script") {}

const view = (version: number): AvailabilityView => ({
  version,
  total: 100,
  held: [],
  sold: [],
  areas: [],
  tiers: []
})

const inventory = Layer.effectContext(
  Effect.sync(() => {
    const asked: Array<Deferred.Deferred<number>> = []
    const script: Script["Service"] = {
      asked,
      asOfMs: undefined,
      answer: { _tag: "Refused", code: "seats_taken", seats: [1], areas: [], limit: null }
    }
    return Context.make(Script, script).pipe(
      Context.add(InventoryClient, {
        open: () => Effect.void,
        execute: () => Effect.sync(() => script.answer),
        holdOf: () => Effect.succeed(null),
        hold: () => Effect.never,
        availability: () =>
          Effect.suspend(() => {
            const question = Deferred.makeUnsafe<number>()
            asked.push(question)
            return Effect.map(Deferred.await(question), (version) => ({
              ...view(version),
              ...(script.asOfMs === undefined ? {} : { asOfMs: script.asOfMs })
            }))
          })
      })
    )
  })
)

const layer = HoldDesk.layer.pipe(
  Layer.provideMerge(AvailabilityBoard.layer),
  Layer.provide([
    AdmissionControl.layer,
    AvailabilityNews.layerNone,
    Layer.mock(Catalog, { eventNumber: () => Effect.succeed(1) })
  ]),
  Layer.provideMerge(inventory)
)

/** The version that a board shows. */
const read = Effect.gen(function* () {
  const board = yield* (yield* AvailabilityBoard).get(eventId)
  const json = Buffer.from(board?.body.identity.bytes ?? "").toString()
  return Number(/"version":(\d+)/.exec(json)?.[1])
})

/** Answers the n-th question. */
const answer = Effect.fnUntraced(function* (n: number, version: number) {
  const question = (yield* Script).asked[n]
  assert.isDefined(question, `question ${n} was not asked`)
  yield* Deferred.succeed(question, version)
})

/** A board that shows version 1. */
const first = Effect.gen(function* () {
  const reader = yield* Effect.forkChild(read)
  yield* TestClock.adjust(aPause)
  yield* answer(0, 1)
  assert.strictEqual(yield* Fiber.join(reader), 1)
})

const changed = Effect.map(AvailabilityBoard, (boards) => boards.changed(eventId))

/** What the lean path and the typed route answer: the version, or that it cannot be had. */
const served = Effect.gen(function* () {
  const boards = yield* AvailabilityBoard
  return yield* Effect.callback<string>((resume) => {
    boards.read(eventId, (exit) =>
      resume(
        Effect.succeed(
          Exit.isSuccess(exit) ? Buffer.from(exit.value?.body.identity.bytes ?? "").toString() : "unavailable"
        )
      )
    )
  })
})

describe("AvailabilityBoard", () => {
  it.effect("while the owner is away readers get what is known, with its time, and nobody else does", () =>
    Effect.gen(function* () {
      const script = yield* Script
      script.asOfMs = 1_700_000_000_000
      const reader = yield* Effect.forkChild(served)
      yield* TestClock.adjust(aPause)
      yield* answer(0, 3)
      const body = yield* Fiber.join(reader)
      assert.include(body, '"version":3')
      assert.include(body, '"asOf":"2023-11-14T22:13:20.000Z"')
      assert.strictEqual((yield* Effect.exit(read))._tag, "Failure")

      // As soon as it is back, its own is shown, though the version is the same.
      script.asOfMs = undefined
      yield* TestClock.adjust("1 second")
      const next = yield* Effect.forkChild(served)
      yield* TestClock.adjust(aPause)
      yield* answer(1, 3)
      assert.notInclude(yield* Fiber.join(next), "asOf")
      assert.strictEqual(yield* read, 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "what is known while the owner is away is not shown where it is less than what was told here",
    () =>
      Effect.gen(function* () {
        const script = yield* Script
        const boards = yield* AvailabilityBoard
        // A hold was answered with version 5, another reader has seen 6.
        boards.changed(eventId, 5)
        script.asOfMs = 1_700_000_000_000
        for (const [n, version, shown] of [
          [0, 4, false],
          [1, 6, true],
          [2, 5, false],
          [3, 7, true]
        ] as const) {
          const reader = yield* Effect.forkChild(served)
          yield* TestClock.adjust("1 second")
          yield* answer(n, version)
          const body = yield* Fiber.join(reader)
          assert.strictEqual(body.includes(`"version":${version}`), shown, body)
          yield* TestClock.adjust("1 second")
        }
      }).pipe(Effect.provide(layer))
  )

  it.effect("asks once for all who read at the same time", () =>
    Effect.gen(function* () {
      const readers = yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.forkChild(read))
      yield* TestClock.adjust(aPause)
      yield* answer(0, 7)
      assert.deepStrictEqual(new Set(yield* Fiber.joinAll(readers)), new Set([7]))
      assert.strictEqual(yield* read, 7)
      assert.lengthOf((yield* Script).asked, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "a read that begins after a change never shows what was before it, also while a board is on its way",
    () =>
      Effect.gen(function* () {
        yield* first
        yield* changed
        const early = yield* Effect.forkChild(read)
        yield* TestClock.adjust(aPause)
        // Asked for after the change, and not answered yet: the board in hand is older.
        const late = yield* Effect.forkChild(read)
        yield* TestClock.adjust("1 millis")
        yield* answer(1, 2)
        assert.strictEqual(yield* Fiber.join(early), 2)
        assert.strictEqual(yield* Fiber.join(late), 2)
        assert.lengthOf((yield* Script).asked, 2)
      }).pipe(Effect.provide(layer))
  )

  it.effect("an answer that comes late does not replace a newer one", () =>
    Effect.gen(function* () {
      yield* first
      yield* changed
      const slow = yield* Effect.forkChild(read)
      yield* TestClock.adjust(aPause)
      yield* changed
      const quick = yield* Effect.forkChild(read)
      yield* TestClock.adjust(aPause)
      yield* answer(2, 3)
      assert.strictEqual(yield* Fiber.join(quick), 3)
      yield* answer(1, 2)
      assert.strictEqual(yield* Fiber.join(slow), 2)
      assert.strictEqual(yield* read, 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect("whoever lost seats reads a board that shows them as taken", () =>
    Effect.gen(function* () {
      yield* first
      const desk = yield* HoldDesk
      yield* desk.hold({ id: eventId, number: 1 }, "key", { seats: [1], areas: [], best: null })
      const reader = yield* Effect.forkChild(read)
      yield* TestClock.adjust(aPause)
      yield* answer(1, 2)
      assert.strictEqual(yield* Fiber.join(reader), 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("a refusal that tells of no change leaves the board as it is", () =>
    Effect.gen(function* () {
      yield* first
      const script = yield* Script
      script.answer = { _tag: "Refused", code: "limit_passed", seats: [], areas: [], limit: 10 }
      yield* (yield* HoldDesk).hold({ id: eventId, number: 1 }, "key", {
        seats: [1],
        areas: [],
        best: null
      })
      assert.strictEqual(yield* read, 1)
      assert.lengthOf(script.asked, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("a wall clock that is set back neither delays a board nor keeps an old one fresh", () =>
    Effect.gen(function* () {
      const hourMs = 3_600_000
      yield* TestClock.setTime(hourMs)
      yield* first
      yield* TestClock.setTime(0)
      // The board grows stale by the time that passes, whatever the wall says.
      yield* TestClock.adjust("200 millis")
      const reader = yield* Effect.forkChild(read)
      yield* TestClock.adjust(aPause)
      yield* answer(1, 2)
      assert.strictEqual(yield* Fiber.join(reader), 2)
    }).pipe(Effect.provide(layer))
  )
})
