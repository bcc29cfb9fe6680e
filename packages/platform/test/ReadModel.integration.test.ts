import { assert, layer } from "@effect/vitest"
import * as ReadModel from "@onsale/platform/ReadModel"
import { rebuild, RebuildLost, RebuildRunning } from "@onsale/platform/ReadModelRebuild"
import { pollUntil } from "@onsale/testing/Poll"
import { layerEmptyDatabase } from "@onsale/testing/PostgresFixture"
import { Deferred, Effect, Fiber } from "effect"
import type { SqlClient } from "effect/sql"
import { type Lines, makeModel, shown } from "./ReadModelFixture.ts"

/** A generator of numbers that are the same for a seed, so that what fails can be run again. */
const randomOf = (seed: number) => {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

layer(layerEmptyDatabase, { excludeTestServices: true })("ReadModel", (it) => {
  it.effect("what has not caught up is not read", () =>
    Effect.gen(function* () {
      const { append, expected, model, read } = yield* makeModel
      yield* append(1, 1, 12)
      assert.isNull(yield* read)
      // Another suite of the same server may be writing: then the watermark waits for it.
      yield* pollUntil(
        model().journal.readAll({ txid: "0", position: "0" }, 20),
        ({ length }) => length === 12
      )
      for (const [run, ready] of [false, false, true].entries()) {
        assert.strictEqual(yield* ReadModel.runOnce(model()), run < 2 ? 5 : 2)
        assert.strictEqual((yield* read) !== null, ready)
      }
      assert.deepStrictEqual(yield* read, yield* expected)
    })
  )

  it.effect("a model without anything to show is ready, and empty", () =>
    Effect.gen(function* () {
      const { model, read, start } = yield* makeModel
      yield* start(model())
      assert.deepStrictEqual(yield* pollUntil(read, (lines) => lines !== null), [])
    })
  )

  it.effect("INV-09: two runners of one model write every row once", () =>
    Effect.gen(function* () {
      const { append, expected, model, read, start } = yield* makeModel
      yield* start(model())
      yield* start(model())
      yield* Effect.forEach([1, 2, 3], (n) => append(n, 1, 40), { concurrency: 3 })
      yield* pollUntil(read, (lines) => shown(lines) >= 120)
      assert.deepStrictEqual(yield* read, yield* expected)
    })
  )

  it.effect("no reader sees a model that is half built, while it is built anew under writes", () =>
    Effect.gen(function* () {
      const { append, expected, generations, model, read, start } = yield* makeModel
      yield* append(1, 1, 60)
      yield* start(model({ batch: 7 }))
      yield* pollUntil(read, (lines) => shown(lines) === 60)
      const before = yield* generations
      const reading = { done: false }
      const seen: Array<number> = []
      const reader = yield* Effect.forkChild(
        Effect.gen(function* () {
          while (!reading.done) {
            const lines = yield* read
            assert.isNotNull(lines)
            seen.push(shown(lines))
          }
        })
      )
      const [rebuilt] = yield* Effect.all([rebuild(model({ batch: 3 })), append(2, 1, 40)], {
        concurrency: 2
      })
      reading.done = true
      yield* Fiber.join(reader)
      assert.isAtLeast(rebuilt.rows, 60)
      assert.isTrue(
        seen.every((count, i) => count >= (seen[i - 1] ?? 60)),
        `never less than before: ${seen.join(" ")}`
      )
      yield* pollUntil(read, (lines) => shown(lines) === 100)
      assert.deepStrictEqual(yield* read, yield* expected)
      // The one who was serving goes on with the new generation, and the old one is gone.
      yield* append(3, 1, 5)
      yield* pollUntil(read, (lines) => shown(lines) === 105)
      const after = yield* generations
      assert.lengthOf(after, 1)
      assert.notDeepEqual(after, before)
    })
  )

  for (const rows of [3, 12]) {
    it.effect(
      `what the old generation has just been given, ${rows} batches, the new one has before it serves`,
      () =>
        Effect.gen(function* () {
          const { append, expected, model, read } = yield* makeModel
          const database = yield* Effect.context<SqlClient.SqlClient>()
          yield* append(1, 1, 4)
          yield* pollUntil(Effect.andThen(ReadModel.runOnce(model()), read), (lines) => shown(lines) === 4)
          let [late, before] = [0, 0]
          yield* rebuild(model({ batch: 1 }), (built) => {
            // It has looked once more, and found nothing.
            const caughtUp = built === before
            before = built
            return !caughtUp || late > 0
              ? Effect.void
              : Effect.suspend(() => {
                  late = rows
                  return append(2, 1, rows)
                }).pipe(
                  // Nobody comes between this and the swap.
                  Effect.andThen(
                    pollUntil(
                      Effect.andThen(ReadModel.runOnce(model()), read),
                      (lines) => shown(lines) === 4 + rows
                    )
                  ),
                  Effect.provideContext(database),
                  Effect.orDie,
                  Effect.asVoid
                )
          })
          assert.strictEqual(late, rows)
          assert.deepStrictEqual(yield* read, yield* expected)
        })
    )
  }

  it.effect("of two rebuilds at once the second is refused", () =>
    Effect.gen(function* () {
      const { append, model, read, start } = yield* makeModel
      yield* append(1, 1, 8)
      yield* start(model())
      yield* pollUntil(read, (lines) => shown(lines) === 8)
      const [standing, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const first = yield* Effect.forkChild(
        rebuild(
          model({
            before: () => Effect.andThen(Deferred.succeed(standing, undefined), Deferred.await(go))
          })
        )
      )
      yield* Deferred.await(standing)
      assert.instanceOf(yield* Effect.flip(rebuild(model())), RebuildRunning)
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual((yield* Fiber.join(first)).rows, 8)
      assert.strictEqual((yield* rebuild(model())).rows, 8)
    })
  )

  it.effect("a table that is emptied is filled again, and not read before", () =>
    Effect.gen(function* () {
      const { append, empty, expected, model, read, start } = yield* makeModel
      yield* append(1, 1, 20)
      const stop = yield* start(model())
      yield* pollUntil(read, (lines) => shown(lines) === 20)
      yield* stop
      yield* empty
      assert.isNull(yield* read)
      yield* start(model())
      assert.deepStrictEqual(yield* pollUntil(read, (lines) => lines !== null), yield* expected)
    })
  )

  it.effect("a model that is emptied under its rebuild ends the rebuild, and nothing wrong serves", () =>
    Effect.gen(function* () {
      const { append, empty, expected, model, read, start } = yield* makeModel
      yield* append(1, 1, 20)
      yield* start(model())
      yield* pollUntil(read, (lines) => shown(lines) === 20)
      const database = yield* Effect.context<SqlClient.SqlClient>()
      const error = yield* Effect.flip(
        rebuild(model(), () => Effect.orDie(Effect.provideContext(empty, database)))
      )
      assert.instanceOf(error, RebuildLost)
      assert.deepStrictEqual(yield* pollUntil(read, (lines) => shown(lines) === 20), yield* expected)
    })
  )

  // Whatever happens, and wherever runner and rebuild are cut off: the same model as from the journal's beginning.
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it.effect(`INV-09: a rebuild gives what the live model has, with crashes anywhere (seed ${seed})`, () =>
      Effect.gen(function* () {
        const { append, expected, generations, model, read, start } = yield* makeModel
        const random = randomOf(seed)
        const streams = 1 + random(4)
        const versions = new Array<number>(streams).fill(0)
        const write = Effect.suspend(() => {
          const n = random(streams)
          const from = versions[n]! + 1
          versions[n] = from + random(6)
          return append(n + 1, from, versions[n]!)
        })
        const crashing = (oneIn: number) => {
          const crash = () =>
            random(oneIn) > 0
              ? Effect.void
              : random(2) === 0
                ? Effect.fail(new Error("cut off"))
                : Effect.die(new Error("a bug"))
          return model({ batch: 1 + random(6), before: crash, after: crash })
        }
        yield* start(crashing(12))
        yield* write
        yield* pollUntil(read, (lines) => lines !== null)
        let least = 0
        const look = Effect.map(read, (lines: Lines | null) => {
          assert.isNotNull(lines)
          assert.isAtLeast(shown(lines), least)
          least = shown(lines)
        })
        for (let round = 0; round < 12; round++) {
          yield* Effect.forEach(Array.from({ length: random(5) }), () => Effect.andThen(write, look), {
            discard: true
          })
          const attempt = rebuild(crashing(10 + random(30)))
          if (random(4) === 0) {
            // The process dies somewhere.
            const fiber = yield* Effect.forkChild(attempt)
            yield* Effect.repeat(look, { times: random(6) })
            yield* Fiber.interrupt(fiber)
          } else yield* Effect.exit(attempt)
          yield* look
        }
        yield* rebuild(model())
        const total = versions.reduce((sum, count) => sum + count, 0)
        yield* pollUntil(read, (lines) => shown(lines) === total)
        const live = yield* read
        assert.deepStrictEqual(live, yield* expected)
        yield* rebuild(model({ batch: 4 }))
        assert.deepStrictEqual(yield* read, live)
        assert.lengthOf(yield* generations, 1)
      })
    )
  }
})
