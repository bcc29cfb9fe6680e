import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import * as AdaptiveLimit from "../src/AdaptiveLimit.ts"
import { AdmissionControl, coldQueue, levelOf, ordersQueue, refusedFromMs } from "../src/AdmissionControl.ts"
import { StandingDelay } from "../src/StandingDelay.ts"
import { classes, type RequestClass } from "../src/RequestClass.ts"

/** Over a thread that is late by so much. */
const buildOver = (delay: { standingMs: number }) =>
  Layer.build(AdmissionControl.layer).pipe(
    Effect.flatMap((context) => Effect.provideContext(AdmissionControl, context)),
    Effect.provideService(
      StandingDelay,
      Effect.succeed(() => delay.standingMs)
    )
  )
const build = buildOver({ standingMs: 0 })

/** What becomes of one that comes now: "in", or the seconds that it is told to stay away. */
const ask = (control: AdmissionControl["Service"], name: RequestClass): "in" | "waits" | number => {
  let told: "in" | "waits" | number = "waits"
  const leave = control.enter(
    name,
    undefined,
    () => {
      told = "in"
    },
    (seconds) => {
      told = seconds
    }
  )
  leave()
  return told
}

describe("what is refused under load", () => {
  it("is one class more for each step, from cold reads to holds, and never purchases", () => {
    assert.strictEqual(levelOf(0, refusedFromMs.cold - 1, 0), 0)
    assert.strictEqual(levelOf(0, refusedFromMs.cold, 0), 1)
    assert.strictEqual(levelOf(0, refusedFromMs.reads, 0), 2)
    assert.strictEqual(levelOf(0, refusedFromMs.holds, 0), 3)
    assert.strictEqual(levelOf(0, 1e9, 1), 3)
    assert.isTrue(levelOf(3, 1e9, 1) <= classes.indexOf("orders"))
  })

  it("is cold reads before any purchase is held back, and all reads before holds", () => {
    const first = (happens: (standingMs: number) => boolean): number =>
      Array.from({ length: 5_000 }, (_, ms) => ms).find(happens) ?? assert.fail("never")
    const fewer = (options: AdaptiveLimit.Options) =>
      first((standingMs) => {
        const limit = { ...AdaptiveLimit.make(options), reached: true }
        AdaptiveLimit.turn(limit, standingMs, options.first)
        return limit.value < options.first
      })
    const refused = (classes: number) => first((standingMs) => levelOf(0, standingMs, 0) >= classes)
    const order = [fewer(coldQueue.limit), refused(1), fewer(ordersQueue.limit), refused(2), refused(3)]
    assert.deepStrictEqual(
      order,
      [...new Set(order)].sort((a, b) => a - b)
    )
  })

  it("is let in again when it is better by half: no class comes and goes", () => {
    assert.strictEqual(levelOf(1, refusedFromMs.cold - 1, 0), 1)
    assert.strictEqual(levelOf(1, refusedFromMs.cold / 2 - 1, 0), 0)
    assert.strictEqual(levelOf(3, refusedFromMs.holds - 1, 0), 3)
    assert.strictEqual(levelOf(3, refusedFromMs.holds / 2 - 1, 0), 2)
  })

  it.effect("is nothing while the thread is free, and purchases wait for a place", () =>
    Effect.gen(function* () {
      const control = yield* build
      yield* TestClock.adjust("1 second")
      for (const name of classes) assert.strictEqual(ask(control, name), "in")
      assert.isFalse(control.refuses("holds"))
      const leaves = Array.from({ length: ordersQueue.limit.first }, () =>
        control.enter(
          "orders",
          undefined,
          () => {},
          () => {}
        )
      )
      assert.strictEqual(ask(control, "orders"), "waits")
      for (const leave of leaves) leave()
      assert.strictEqual(ask(control, "orders"), "in")
    })
  )

  it.effect("follows the thread, class by class, and purchases wait whatever it does", () =>
    Effect.gen(function* () {
      const delay = { standingMs: 0 }
      const control = yield* buildOver(delay)
      const refused = () => classes.filter((name) => typeof ask(control, name) === "number")
      for (const [standingMs, expected] of [
        [refusedFromMs.cold, ["cold"]],
        [refusedFromMs.reads, ["cold", "reads"]],
        [refusedFromMs.holds, ["cold", "reads", "holds"]],
        [1e6, ["cold", "reads", "holds"]],
        [0, []]
      ] as const) {
        delay.standingMs = standingMs
        yield* TestClock.adjust("400 millis")
        assert.deepStrictEqual(refused(), [...expected])
      }
    })
  )

  it.effect("goes on after a defect of who is told, or of what is measured", () =>
    Effect.gen(function* () {
      const delay = { standingMs: 0, breaks: false }
      const logged: Array<unknown> = []
      const control = yield* buildOver({
        get standingMs() {
          if (delay.breaks) throw new Error("no delay")
          return delay.standingMs
        }
      }).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => void logged.push(message))])))
      yield* TestClock.adjust("1 second")
      const leaves = Array.from({ length: ordersQueue.limit.first }, () =>
        control.enter(
          "orders",
          undefined,
          () => {},
          () => {}
        )
      )
      const told: Array<string> = []
      const wait = (name: string) =>
        control.enter(
          "orders",
          undefined,
          () => {},
          () => {
            told.push(name)
            throw new Error(name)
          }
        )
      // Nobody is let in: nobody leaves, and the thread bears no more.
      delay.standingMs = refusedFromMs.reads
      wait("one")
      wait("other")
      yield* TestClock.adjust(ordersQueue.patienceMs + 5_000)
      assert.deepStrictEqual(told, ["one", "other"])
      delay.breaks = true
      yield* TestClock.adjust("2 seconds")
      delay.breaks = false
      delay.standingMs = refusedFromMs.holds
      yield* TestClock.adjust("2 seconds")
      assert.isTrue(control.refuses("holds"))
      assert.isAtLeast(logged.length, 3)
      for (const leave of leaves) leave()
    })
  )

  it.effect("where purchases find no room, everybody else is refused before them", () =>
    Effect.gen(function* () {
      const control = yield* build
      const seen: Array<string> = []
      const here: Array<() => void> = []
      const refused: Array<number> = []
      for (let i = 0; refused.length === 0; i++) {
        here.push(
          control.enter(
            "orders",
            undefined,
            () => {},
            () => refused.push(i)
          )
        )
        if (i % 64 !== 0) continue
        yield* TestClock.adjust("400 millis")
        const now = classes.filter((name) => name !== "orders" && typeof ask(control, name) === "number")
        if (seen.at(-1) !== now.join()) seen.push(now.join())
      }
      assert.deepStrictEqual(seen, ["", "cold", "cold,reads", "cold,reads,holds"])
      assert.isTrue(control.refuses("reads"))
      assert.isTrue(control.refuses("holds"))
      for (const leave of here) leave()
      yield* TestClock.adjust("1 second")
      for (const name of classes) assert.strictEqual(ask(control, name), "in")
    })
  )
})
