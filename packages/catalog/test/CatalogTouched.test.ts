import { it } from "@effect/vitest"
import { type EventId, makeEventId } from "@onsale/contracts/Ids"
import { Cause, Effect, Exit, Scope } from "effect"
import { describe, expect } from "vitest"
import { type CatalogChanges, CatalogTouched, everything, maxEvents } from "../src/CatalogTouched.ts"

const ids = (count: number): ReadonlyArray<EventId> =>
  Array.from({ length: count }, (_, i) => makeEventId(1_000 + i))

const test = <E>(name: string, run: Effect.Effect<void, E, CatalogTouched | Scope.Scope>) =>
  it.effect(name, () => run.pipe(Effect.provide(CatalogTouched.layer)))

describe("CatalogTouched", () => {
  test(
    "tells all handlers of each event once, in bounded calls",
    Effect.gen(function* () {
      const touched = yield* CatalogTouched
      const seen: Array<ReadonlyArray<EventId>> = []
      const others: Array<EventId> = []
      yield* touched.onTouched("a", (changes) =>
        Effect.sync(() => seen.push(changes._tag === "Events" ? changes.eventIds : []))
      )
      yield* touched.onTouched("b", (changes) =>
        Effect.sync(() => others.push(...(changes._tag === "Events" ? changes.eventIds : [])))
      )
      const eventIds = ids(maxEvents + 1)
      yield* touched.touch({ _tag: "Events", eventIds: [...eventIds, ...eventIds] })
      expect(seen.map((part) => part.length)).toEqual([maxEvents, 1])
      expect(seen.flat()).toEqual(eventIds)
      expect(others).toEqual(eventIds)
    })
  )

  test(
    "fails where one handler fails or dies, and has told the others",
    Effect.gen(function* () {
      const touched = yield* CatalogTouched
      const seen: Array<CatalogChanges> = []
      yield* touched.onTouched("fails", () => Effect.fail("no"))
      yield* touched.onTouched("dies", () => Effect.die("no"))
      yield* touched.onTouched("works", (changes) => Effect.sync(() => seen.push(changes)))
      const error = yield* Effect.flip(touched.touch(everything))
      expect(error.handlers).toEqual(["fails", "dies"])
      expect(seen).toEqual([everything])
    })
  )

  test(
    "copies are forgotten when the rows that they are made of are there, also where some have failed",
    Effect.gen(function* () {
      const touched = yield* CatalogTouched
      const done: Array<string> = []
      const handler = (name: string) => () =>
        Effect.andThen(
          Effect.yieldNow,
          Effect.sync(() => done.push(name))
        )
      yield* touched.onTouched("copies", handler("copies"), "copies")
      yield* touched.onTouched("fails", () => Effect.fail("no"))
      yield* touched.onTouched("rows", handler("rows"))
      const error = yield* Effect.flip(touched.touch(everything))
      expect(error.handlers).toEqual(["fails"])
      expect(done).toEqual(["rows", "copies"])
    })
  )

  test(
    "forgets a handler with its scope",
    Effect.gen(function* () {
      const touched = yield* CatalogTouched
      const scope = yield* Scope.make()
      yield* Scope.provide(
        touched.onTouched("fails", () => Effect.fail("no")),
        scope
      )
      expect(Exit.isFailure(yield* Effect.exit(touched.touch(everything)))).toBe(true)
      yield* Scope.close(scope, Exit.void)
      yield* touched.touch(everything)
    })
  )

  test(
    "who asks to be told when changes are told already has missed some, and dies",
    Effect.gen(function* () {
      const touched = yield* CatalogTouched
      const late = Effect.scoped(touched.onTouched("late", () => Effect.void))
      const feeding = yield* Scope.make()
      yield* late
      yield* Scope.provide(touched.feeds, feeding)
      const exit = yield* Effect.exit(late)
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain("late asks to be told")
      // Nobody was told meanwhile.
      yield* Scope.close(feeding, Exit.void)
      yield* late
    })
  )
})
