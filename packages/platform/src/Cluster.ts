/**
 * The cluster's runtime. In one process a single runner owns every shard; nothing is sent over a
 * network, and nothing is stored: every message of ours is volatile, what must last is in a journal.
 */
import { Duration, Layer } from "effect"
import {
  MessageStorage,
  RunnerHealth,
  Runners,
  RunnerStorage,
  Sharding,
  ShardingConfig
} from "effect/cluster"

/** A cluster of one, that runs the shard groups named. */
export const layerSingle = (options: {
  readonly shardGroups: ReadonlyArray<string>
  /** Entities in memory at once; the idle ones are put to sleep beyond it. 20,000 when left out. */
  readonly maxResidentEntities?: number
}): Layer.Layer<Sharding.Sharding> =>
  Sharding.layer.pipe(
    Layer.provide([Runners.layerNoop, RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
    Layer.provide(MessageStorage.layerNoop),
    Layer.provide(
      ShardingConfig.layer({
        availableShardGroups: options.shardGroups,
        assignedShardGroups: options.shardGroups,
        maxResidentEntities: options.maxResidentEntities ?? 20_000,
        // Encoding every message to decode it in the same process is for tests.
        simulateRemoteSerialization: false,
        entityTerminationTimeout: Duration.seconds(15),
        refreshAssignmentsInterval: Duration.millis(500)
      })
    )
  )
