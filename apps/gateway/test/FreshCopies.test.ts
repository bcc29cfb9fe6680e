import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
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

  it.effect("asks to be let in for what has to be asked for, and not for what is here or on its way", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const { asked, copies } = yield* make(50, (key) => Effect.as(Deferred.await(go), { key, bytes: 50 }))
      const admitted: Array<() => void> = []
      const told: Array<string> = []
      const read = (name: string) =>
        copies.read(
          "a",
          () => told.push(name),
          (ask) => admitted.push(ask)
        )
      read("refused")
      read("first")
      assert.lengthOf(admitted, 2)
      assert.deepStrictEqual(copies.size(), { copies: 0, bytes: 0 })
      admitted[1]!()
      read("joined")
      yield* TestClock.adjust(0)
      yield* Deferred.succeed(go, undefined)
      yield* TestClock.adjust(0)
      read("hit")
      assert.lengthOf(admitted, 2)
      assert.deepStrictEqual(told, ["first", "joined", "hit"])
      assert.deepStrictEqual(asked, ["a"])
      // What is old is asked for again.
      yield* TestClock.adjust(1_000)
      read("again")
      assert.lengthOf(admitted, 3)
    })
  )

  it.effect("does not ask to be let in where it only looks whether what is kept is the newest", () =>
    Effect.gen(function* () {
      let asked = 0
      const copies = yield* FreshCopies.make<string, Copy, never>({
        ask: (key, before) => Effect.sync(() => (asked++, before ?? { key, bytes: 1 })),
        freshForMs: 1_000,
        pauseMs: 0,
        capacity: 3,
        maxBytes: 100,
        bytesOf: ({ bytes }) => bytes,
        renewsCheaply: true
      })
      let admitted = 0
      const read = Effect.callback<void>((resume) =>
        copies.read(
          "a",
          () => resume(Effect.void),
          (ask) => {
            admitted++
            ask()
          }
        )
      )
      yield* read
      yield* TestClock.adjust(1_000)
      yield* read
      assert.deepStrictEqual([asked, admitted], [2, 1])
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

  it.effect(
    "asks for one thing twice at a time at most, however often it changes, and then for the newest",
    () =>
      Effect.gen(function* () {
        const rounds: Array<Deferred.Deferred<void>> = []
        let atOnce = 0
        let most = 0
        const { asked, copies } = yield* make(1, (key) =>
          Effect.gen(function* () {
            const round = yield* Deferred.make<void>()
            const bytes = rounds.push(round)
            most = Math.max(most, ++atOnce)
            yield* Deferred.await(round)
            atOnce--
            return { key, bytes }
          })
        )
        const told: Array<number | undefined> = []
        const read = () =>
          copies.read("a", (exit) => told.push(exit._tag === "Success" ? exit.value?.bytes : undefined))
        for (let i = 0; i < 20; i++) {
          read()
          copies.changed("a")
          yield* TestClock.adjust("100 millis")
        }
        assert.lengthOf(asked, 2)
        read()
        for (const [round, so] of [
          [1, 3],
          [0, 3],
          [2, 3]
        ] as const) {
          yield* Deferred.succeed(rounds[round]!, undefined)
          yield* TestClock.adjust(0)
          assert.lengthOf(asked, so)
        }
        assert.strictEqual(most, 2)
        assert.strictEqual(told.at(-1), 3)
        assert.lengthOf(told, 21)
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
