import { assert, describe, it } from "@effect/vitest"
import * as JobWorker from "@onsale/platform/JobWorker"
import type * as Jobs from "@onsale/platform/Jobs"
import { Deferred, Effect, Layer, PubSub } from "effect"
import { TestClock } from "effect/testing"

const unused = Effect.die("it is not asked for here")

/** A queue in memory: what waits, and what each look at it took and settled. */
const makeQueue = Effect.gen(function* () {
  const offered = yield* PubSub.sliding<void>(1)
  const announce = Effect.asVoid(PubSub.publish(offered, undefined))
  const waiting: Array<string> = []
  const looks: Array<{ readonly taken: ReadonlyArray<string>; readonly done: ReadonlyArray<string> }> = []
  const queue: Jobs.JobQueue<string> = {
    queue: "memory",
    offer: () => unused,
    offerAll: () => unused,
    announce,
    lease: (_seconds, limit, done = []) =>
      Effect.sync(() => {
        const taken = waiting.splice(0, limit)
        looks.push({ taken, done: done.map(({ id }) => id) })
        return taken.map((id) => ({
          id,
          payload: id,
          attempts: 1,
          correlation: null,
          runAt: new Date(0),
          lease: id
        }))
      }),
    decode: (payload) => Effect.succeed(String(payload)),
    retry: () => unused,
    fail: () => unused,
    release: () => Effect.succeed([]),
    prune: () => Effect.succeed(0),
    dead: () => unused,
    revive: () => unused,
    again: () => unused,
    backlog: unused,
    offered: PubSub.subscribe(offered)
  }
  const offer = (...ids: ReadonlyArray<string>) =>
    Effect.andThen(
      Effect.sync(() => waiting.push(...ids)),
      announce
    )
  return { queue, looks, offer }
})

const work = (queue: Jobs.JobQueue<string>, handle: (id: string) => Effect.Effect<void>) =>
  Layer.build(
    JobWorker.worker({
      queue,
      handle: ({ id }) => handle(id),
      isFinal: () => false,
      concurrency: 4,
      maxAttempts: 3,
      backoff: "1 millis",
      maxBackoff: "5 millis",
      gatherFor: "100 millis",
      pollEvery: "1 hour"
    })
  )

describe("JobWorker", () => {
  it.effect("the first job after a rest is taken at once; those behind it, and what is done, together", () =>
    Effect.gen(function* () {
      const { looks, offer, queue } = yield* makeQueue
      yield* work(queue, () => Effect.void)
      yield* TestClock.adjust("1 minute")
      yield* offer("a")
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(looks.slice(1), [{ taken: ["a"], done: [] }])
      yield* offer("b")
      yield* TestClock.adjust("50 millis")
      yield* offer("c", "d")
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(looks.slice(2), [{ taken: ["b", "c", "d"], done: ["a"] }])
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(looks.slice(3), [{ taken: [], done: ["b", "c", "d"] }])
      // Nothing is left to be said.
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(looks, 4)
    })
  )

  it.effect("a clock that is set back does not stop it", () =>
    Effect.gen(function* () {
      const { looks, offer, queue } = yield* makeQueue
      yield* TestClock.adjust("1 hour")
      yield* work(queue, () => Effect.void)
      yield* TestClock.adjust("1 millis")
      yield* TestClock.setTime(0)
      const before = looks.length
      yield* offer("a")
      yield* TestClock.adjust("101 millis")
      assert.deepStrictEqual(
        looks.slice(before).flatMap(({ taken }) => taken),
        ["a"]
      )
    })
  )

  it.effect("a full worker waits for half of its places, and for no longer than it gathers", () =>
    Effect.gen(function* () {
      const { looks, offer, queue } = yield* makeQueue
      const ends = new Map<string, Deferred.Deferred<void>>()
      for (const id of "abcdefgh") ends.set(id, yield* Deferred.make<void>())
      const end = (id: string) => Deferred.succeed(ends.get(id)!, undefined)
      yield* work(queue, (id) => Deferred.await(ends.get(id)!))
      yield* TestClock.adjust("1 minute")
      yield* offer(...ends.keys())
      yield* TestClock.adjust("1 millis")
      yield* end("a")
      yield* TestClock.adjust("10 millis")
      assert.lengthOf(looks, 2)
      yield* end("b")
      yield* TestClock.adjust("0 millis")
      assert.deepStrictEqual(looks.slice(2), [{ taken: ["e", "f"], done: ["a", "b"] }])
      yield* end("c")
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(looks.slice(3), [{ taken: ["g"], done: ["c"] }])
      yield* Effect.forEach(ends.keys(), end, { discard: true })
    })
  )
})
