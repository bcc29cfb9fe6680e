import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as FreshCopies from "../src/FreshCopies.ts"

interface Copy {
  readonly key: string
  readonly bytes: number
}

const make = (bytes: number, ask?: (key: string) => Effect.Effect<Copy | null, string>) => {
  const asked: Array<string> = []
  return Effect.map(
    FreshCopies.make<string, Copy, string>({
      ask: (key) =>
        Effect.suspend(() => {
          asked.push(key)
          return ask?.(key) ?? Effect.succeed({ key, bytes })
        }),
      freshForMs: 1_000,
      pauseMs: 0,
      capacity: 3,
      maxBytes: 100,
      bytesOf: (copy) => copy.bytes
    }),
    (copies) => ({ copies, asked })
  )
}

describe("FreshCopies", () => {
  it.effect("keeps what fits, and lets go of what was read longest ago", () =>
    Effect.gen(function* () {
      const { asked, copies } = yield* make(50)
      for (const key of ["a", "b", "a", "b"]) yield* copies.get(key)
      assert.deepStrictEqual(asked, ["a", "b"])
      for (const key of ["a", "c", "a", "c"]) yield* copies.get(key)
      assert.deepStrictEqual(asked, ["a", "b", "c"])
      yield* copies.get("b")
      assert.deepStrictEqual(asked, ["a", "b", "c", "b"])
      assert.deepStrictEqual(copies.size(), { copies: 2, bytes: 100 })
    })
  )

  it.effect("keeps one that is larger than the bound, alone, and never more than so many", () =>
    Effect.gen(function* () {
      const large = yield* make(500)
      for (const key of ["a", "a", "b", "b", "a"]) yield* large.copies.get(key)
      assert.deepStrictEqual(large.asked, ["a", "b", "a"])
      const small = yield* make(1)
      for (const key of ["a", "b", "c", "d", "e"]) yield* small.copies.get(key)
      assert.deepStrictEqual(small.copies.size(), { copies: 3, bytes: 3 })
    })
  )

  it.effect("makes room when a copy becomes larger, and counts what is gone no more", () =>
    Effect.gen(function* () {
      const { copies } = yield* make(40)
      const a = yield* copies.get("a")
      const b = yield* copies.get("b")
      copies.grown("b", b!, 30)
      assert.deepStrictEqual(copies.size(), { copies: 1, bytes: 70 })
      copies.grown("a", a!, 30)
      assert.deepStrictEqual(copies.size(), { copies: 1, bytes: 70 })
    })
  )

  it.effect("asks once while a copy is fresh, however many read it, and again when it is not", () =>
    Effect.gen(function* () {
      const { asked, copies } = yield* make(1)
      for (let i = 0; i < 100; i++) yield* copies.get("a")
      yield* TestClock.adjust("999 millis")
      yield* copies.get("a")
      assert.lengthOf(asked, 1)
      yield* TestClock.adjust("1 millis")
      yield* Effect.all([copies.get("a"), copies.get("a")], { concurrency: "unbounded" })
      assert.lengthOf(asked, 2)
      copies.changed("a")
      yield* copies.get("a")
      copies.allChanged()
      yield* copies.get("a")
      assert.lengthOf(asked, 4)
    })
  )

  it.effect("remembers nothing of what there is not, and of what failed", () =>
    Effect.gen(function* () {
      const { asked, copies } = yield* make(1, (key) =>
        key === "none" ? Effect.succeed(null) : Effect.fail("broken")
      )
      for (let i = 0; i < 2; i++) {
        assert.isNull(yield* copies.get("none"))
        assert.strictEqual(yield* Effect.flip(copies.get("broken")), "broken")
      }
      assert.lengthOf(asked, 4)
      assert.deepStrictEqual(copies.size(), { copies: 0, bytes: 0 })
    })
  )
})
