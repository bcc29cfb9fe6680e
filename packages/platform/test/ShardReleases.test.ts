import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { RunnerAddress, RunnerStorage, ShardId } from "effect/cluster"
import * as ShardReleases from "../src/ShardReleases.ts"

const address = RunnerAddress.RunnerAddress.make({ host: "booking-1", port: 34_431 })

describe("shards that are given back", () => {
  it.effect("wait for their turn, and all have one", () =>
    Effect.gen(function* () {
      const released: Array<string> = []
      let now = 0
      let most = 0
      const below = Layer.effect(
        RunnerStorage.RunnerStorage,
        Effect.map(RunnerStorage.makeMemory, (storage) =>
          RunnerStorage.RunnerStorage.of({
            ...storage,
            release: (_address, shard) =>
              Effect.gen(function* () {
                now++
                most = Math.max(most, now)
                yield* Effect.yieldNow
                released.push(shard.toString())
                now--
              })
          })
        )
      )
      const shards = Array.from({ length: 100 }, (_, i) => ShardId.make("booking", i + 1))
      yield* Effect.gen(function* () {
        const storage = yield* RunnerStorage.RunnerStorage
        yield* Effect.forEach(shards, (shard) => storage.release(address, shard), {
          concurrency: "unbounded"
        })
      }).pipe(Effect.provide(ShardReleases.layer.pipe(Layer.provide(below))))
      assert.sameMembers(released, shards.map(String))
      assert.isAtMost(most, 2)
      assert.isAtLeast(most, 1)
    })
  )
})
