import { assert, describe, it } from "@effect/vitest"
import { valueOf } from "@onsale/testing/MetricValue"
import { Cause, Effect, Exit, Fiber, Layer, Metric } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { SigningKeys } from "../src/SigningKeys.ts"
import { TicketCodes } from "../src/TicketCode.ts"
import { TicketPress } from "../src/TicketPress.ts"
import { makeDocument } from "./Samples.ts"

const layer = Layer.mergeAll(
  TicketCodes.layer.pipe(Layer.provide(SigningKeys.layerTest)),
  TicketPress.layerWith({ threads: 1, script: new URL("./FlakyPressMain.ts", import.meta.url) })
)

const said = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "drawn"

describe("TicketPress", () => {
  it.effect("a document whose thread ended is drawn by the next", () =>
    Effect.gen(function* () {
      const press = yield* TicketPress
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "onsale-press-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const bytes = yield* press.draw(yield* makeDocument(1, { holder: `die-once ${directory}/died` }))
      assert.deepStrictEqual(bytes, new Uint8Array([1]))
    }).pipe(Effect.provide(layer))
  )

  it.effect("nothing is begun without what shapes text, and it is said why", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "onsale-press-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const file = (name: string) => pathToFileURL(join(directory, name))
      // A module with nothing in it, and one that ends in the middle of its head.
      writeFileSync(file("other.wasm"), new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))
      writeFileSync(file("cut.wasm"), new Uint8Array([0, 0x61]))
      const whyNot = (name: string) =>
        Effect.flip(Layer.build(TicketPress.layerWith({ shaping: file(name) })))
      for (const [name, why] of [
        ["missing.wasm", "no such file"],
        ["cut.wasm", "WebAssembly.Module()"],
        ["other.wasm", "not HarfBuzz"]
      ] as const) {
        const error = yield* whyNot(name)
        assert.strictEqual(error._tag, "ShapingUnavailable")
        assert.include(error.message, "HarfBuzz, which shapes the text on tickets, cannot be loaded")
        assert.include(error.message, why)
      }
    })
  )

  it.effect("a document that ends every thread is given up, and the next is drawn", () =>
    Effect.gen(function* () {
      const press = yield* TicketPress
      const exit = yield* Effect.exit(press.draw(yield* makeDocument(1, { holder: "die" })))
      assert.include(said(exit), "the thread that draws tickets ended")
      assert.strictEqual((yield* press.draw(yield* makeDocument(1))).length, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("a document that takes too long is given up with its thread, and the next is drawn", () =>
    Effect.gen(function* () {
      const press = yield* TicketPress
      const document = yield* makeDocument(1, { holder: "hang" })
      const use = Effect.all([valueOf("onsale_press_working"), valueOf("onsale_press_waiting")])
      const drawing = yield* Effect.forkChild(Effect.exit(press.draw(document)), { startImmediately: true })
      const next = yield* Effect.forkChild(press.draw(yield* makeDocument(1)), { startImmediately: true })
      assert.deepStrictEqual(yield* use, [1, 1])
      yield* TestClock.adjust("2 minutes")
      assert.include(said(yield* Fiber.join(drawing)), "were not drawn in time")
      assert.strictEqual((yield* Fiber.join(next)).length, 1)
      assert.deepStrictEqual(yield* use, [0, 0])
      const took = (outcome: string) => valueOf("onsale_press_duration_ms", { outcome })
      assert.deepStrictEqual([yield* took("made"), yield* took("failed")], [1, 1])
    }).pipe(Effect.provide(layer), Effect.provideService(Metric.MetricRegistry, new Map()))
  )

  // It would wait behind the one that nobody waits for any more, in the time that is its own.
  it.effect("a thread that works for somebody who left is busy until it is done", () =>
    Effect.gen(function* () {
      const press = yield* TicketPress
      const use = Effect.all([valueOf("onsale_press_working"), valueOf("onsale_press_waiting")])
      const hanging = yield* makeDocument(1, { holder: "hang" })
      const left = yield* Effect.forkChild(press.draw(hanging), { startImmediately: true })
      const inLine = yield* Effect.forkChild(press.draw(hanging), { startImmediately: true })
      yield* Fiber.interrupt(left)
      yield* Fiber.interrupt(inLine)
      assert.deepStrictEqual(yield* use, [1, 0])
      const next = yield* Effect.forkChild(press.draw(yield* makeDocument(1)), { startImmediately: true })
      assert.deepStrictEqual(yield* use, [1, 1])
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(next)).length, 1)
      assert.deepStrictEqual(yield* use, [0, 0])
    }).pipe(Effect.provide(layer), Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})
