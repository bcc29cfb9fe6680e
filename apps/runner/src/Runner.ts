/** A runner's process: its part of the work, and its place in the cluster. */
import { shardGroups } from "@onsale/contracts/ShardGroups"
import * as Cluster from "@onsale/platform/Cluster"
import * as RoleProcess from "@onsale/platform/RoleProcess"
import { Layer } from "effect"
import type { Sharding } from "effect/cluster"

export interface Role<A, E> {
  readonly name: "booking" | "payment"
  /** The group whose shards it takes. */
  readonly shardGroup: string
  readonly layer: Layer.Layer<A, E, Sharding.Sharding | RoleProcess.Provided>
}

export const run = <A, E>({ layer, name, shardGroup }: Role<A, E>): void =>
  RoleProcess.run({
    name,
    sessionName: Cluster.sessionName,
    layer: layer.pipe(Layer.provide(Cluster.layerRunner({ shardGroups, assigned: [shardGroup] })))
  })
