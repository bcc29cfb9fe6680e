/**
 * A runner gives its shards back a few at a time.
 *
 * The library lets go of all that have to move at once, each by two statements on the one connection that holds the
 * locks, and each with a deadline of its own. When a runner comes back, each of the others gives it a hundred: on a
 * busy machine the last ones wait past their deadline, the connection is taken for dead, and with it go the locks of
 * all the runner's shards. Here a shard waits for its turn first, and its deadline begins after that. What has to be
 * quick on that connection, the refreshing of locks, waits for a few releases only.
 */
import { Effect, Layer, Semaphore } from "effect"
import { RunnerStorage } from "effect/cluster"

/** So that the connection is never idle in between. */
const atOnce = 2

/** The storage below it, with releases in turn. */
export const layer: Layer.Layer<RunnerStorage.RunnerStorage, never, RunnerStorage.RunnerStorage> =
  Layer.effect(
    RunnerStorage.RunnerStorage,
    Effect.gen(function* () {
      const storage = yield* RunnerStorage.RunnerStorage
      const turns = yield* Semaphore.make(atOnce)
      return RunnerStorage.RunnerStorage.of({
        ...storage,
        release: (address, shard) => turns.withPermit(storage.release(address, shard))
      })
    })
  )
