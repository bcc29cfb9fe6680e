/**
 * The cluster's runtime: alone in one process, as a runner that owns shards, or as a client that only sends.
 *
 * No message is stored: all of ours are volatile, and what must last is in a journal. Who owns a shard is agreed
 * in Postgres, by a lock of a session of the owner's; an owner that was wrong about it is stopped by the key of the
 * journal it writes to. Why the times are what they are: docs/adr/0018-failover.md.
 */
import { Config, Duration, Effect, Layer, Option } from "effect"
import {
  MessageStorage,
  RunnerAddress,
  RunnerHealth,
  Runners,
  RunnerStorage,
  Sharding,
  ShardingConfig,
  SocketRunner,
  SqlRunnerStorage
} from "effect/cluster"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { Socket, type SocketServer } from "effect/socket"
import type { SqlClient } from "effect/sql"
import { hostname } from "node:os"
import * as ClusterSocket from "./ClusterSocket.ts"
import * as OurRunnerHealth from "./RunnerHealth.ts"
import * as RunnerWatch from "./RunnerWatch.ts"
import * as ShardReleases from "./ShardReleases.ts"

export interface ClusterOptions {
  /** All groups of the cluster; the same in every process. */
  readonly shardGroups: ReadonlyArray<string>
  /** Entities in memory at once; the idle ones are put to sleep beyond it. 20,000 when left out. */
  readonly maxResidentEntities?: number
}

/** Changing it moves nearly every shard, and needs a stop of all runners. */
export const shardsPerGroup = 300

/** A runner that cannot reach the database for so long has lost its shards. */
const defaultLockExpiry = Duration.seconds(6)
/** A connection to a runner that says nothing for so long is given up, and with it what waits for answers there. */
const silenceLimit = Duration.seconds(2)
const pingEvery = Duration.millis(500)
/** The layout of the largest hall is one message of some 20 MB. */
const maxFrameBytes = 64 * 1024 * 1024

const shared = ({ maxResidentEntities, shardGroups }: ClusterOptions) => ({
  availableShardGroups: shardGroups,
  shardsPerGroup,
  maxResidentEntities: maxResidentEntities ?? 20_000,
  // Encoding every message to decode it in the same process is for tests.
  simulateRemoteSerialization: false,
  entityTerminationTimeout: Duration.seconds(15),
  refreshAssignmentsInterval: Duration.millis(500)
})

/** A cluster of one, that runs all shard groups. Nothing is sent over a network, and nothing is stored. */
export const layerSingle = (options: ClusterOptions): Layer.Layer<Sharding.Sharding> =>
  Sharding.layer.pipe(
    Layer.provide([Runners.layerNoop, RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
    Layer.provide(MessageStorage.layerNoop),
    Layer.provide(ShardingConfig.layer({ ...shared(options), assignedShardGroups: options.shardGroups }))
  )

// --- several processes --------------------------------------------------------------------------

/** The library's, but for the pings: its 5 seconds are longer than a frozen runner keeps its shards. */
const layerClientProtocol: Layer.Layer<Runners.RpcClientProtocol, never, RpcSerialization.RpcSerialization> =
  Layer.effect(
    Runners.RpcClientProtocol,
    Effect.gen(function* () {
      const serialization = yield* RpcSerialization.RpcSerialization
      return Runners.RpcClientProtocol.of({
        codecFor: serialization.codecFor,
        make: Effect.fnUntraced(function* (address) {
          const socket = yield* ClusterSocket.dial({
            openTimeout: "1 second",
            host: address.host,
            port: address.port
          })
          return yield* RpcClient.makeProtocolSocket({
            pingInterval: pingEvery,
            pingTimeout: silenceLimit
          }).pipe(
            Effect.provideService(Socket.Socket, socket),
            Effect.provideService(RpcSerialization.RpcSerialization, serialization)
          )
        })
      })
    })
  )

const layerSerialization = RpcSerialization.layerSchemaBinary({ maxFrameSize: maxFrameBytes })

const layerRunners = Runners.layerRpc.pipe(Layer.provide(layerClientProtocol))

/** How others reach this runner. */
const address = Config.all({
  /** A name or an address. */
  host: Config.NonEmptyString("ONSALE_RUNNER_HOST").pipe(Config.withDefault(hostname())),
  port: Config.Port("ONSALE_RUNNER_PORT").pipe(Config.withDefault(34_431))
})

/** What a runner has to call its sessions at the database, so that others can end them. */
export const sessionName: Config.Config<string> = Config.map(address, RunnerWatch.sessionName)

const settings = Config.all({
  /** The address of this machine that it listens on. */
  listen: Config.NonEmptyString("ONSALE_RUNNER_LISTEN").pipe(Config.withDefault("0.0.0.0")),
  /** Shards in proportion to those of the others. */
  weight: Config.Int("ONSALE_RUNNER_WEIGHT").pipe(Config.withDefault(1)),
  health: Config.Literals(["ping", "kubernetes"], "ONSALE_RUNNER_HEALTH").pipe(Config.withDefault("ping"))
})

/** The same in every process of a cluster. */
const lockExpiry = Config.Duration("ONSALE_CLUSTER_LOCK_EXPIRY").pipe(Config.withDefault(defaultLockExpiry))

const sharedOfSeveral = (options: ClusterOptions, expiry: Duration.Duration) => ({
  ...shared(options),
  shardLockExpiration: expiry,
  shardLockRefreshInterval: Duration.divideUnsafe(expiry, 3)
})

const storage = Layer.merge(
  MessageStorage.layerNoop,
  ShardReleases.layer.pipe(Layer.provide(SqlRunnerStorage.layerStorage({})))
)

/**
 * A runner: it owns shards of the groups `assigned`, and sends to those of all. Reads `ONSALE_RUNNER_HOST` (the
 * name of the machine), `ONSALE_RUNNER_PORT` (34431), `ONSALE_RUNNER_LISTEN` (0.0.0.0), `ONSALE_RUNNER_WEIGHT` (1),
 * `ONSALE_RUNNER_HEALTH` (`ping` or `kubernetes`) and `ONSALE_CLUSTER_LOCK_EXPIRY` (6 s, the same everywhere).
 *
 * The sessions of its `SqlClient` are to bear its {@link sessionName}.
 *
 * Its port believes whoever reaches it: it belongs in a network of the cluster's own.
 */
export const layerRunner = (
  options: ClusterOptions & { readonly assigned: ReadonlyArray<string> }
): Layer.Layer<Sharding.Sharding, Config.ConfigError | SocketServer.SocketServerError, SqlClient.SqlClient> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { host, port } = yield* address
      const { health, listen, weight } = yield* settings
      const expiry = yield* lockExpiry
      return Layer.merge(
        SocketRunner.layer,
        RunnerWatch.layer.pipe(
          Layer.provide(health === "ping" ? OurRunnerHealth.layerPing : OurRunnerHealth.layerKubernetes),
          Layer.provide(layerRunners)
        )
      ).pipe(
        Layer.provide([ClusterSocket.layerServer, layerClientProtocol]),
        // The library's own check is of one runner alone; see `RunnerWatch`.
        Layer.provide(RunnerHealth.layerNoop),
        Layer.provide(storage),
        Layer.provide([
          layerSerialization,
          ShardingConfig.layer({
            ...sharedOfSeveral(options, expiry),
            assignedShardGroups: options.assigned,
            runnerShardWeight: weight,
            runnerAddress: Option.some(RunnerAddress.RunnerAddress.make({ host, port })),
            runnerListenAddress: Option.some(RunnerAddress.RunnerAddress.make({ host: listen, port }))
          })
        ])
      )
    })
  )

/** A client of the cluster: it owns nothing, and nobody sends to it. Reads `ONSALE_CLUSTER_LOCK_EXPIRY`. */
export const layerClient = (
  options: ClusterOptions
): Layer.Layer<Sharding.Sharding, Config.ConfigError, SqlClient.SqlClient> =>
  Layer.unwrap(
    Effect.map(lockExpiry, (expiry) =>
      SocketRunner.layerClientOnly.pipe(
        Layer.provide(layerClientProtocol),
        Layer.provide(storage),
        Layer.provide([
          layerSerialization,
          ShardingConfig.layer({ ...sharedOfSeveral(options, expiry), assignedShardGroups: [] })
        ])
      )
    )
  )
