/** The roles of a cluster as its shards know them: a runner takes shards of its role's group, and of `default`. */
import { bookingShardGroup } from "./inventory/InventoryEntity.ts"
import { paymentShardGroup } from "./payments/PaymentEntity.ts"

/** What the cluster itself runs, such as the checks of its health: on whichever runner. */
export const defaultShardGroup = "default"

/** Of all runners and clients; the same list in every process of a cluster. */
export const shardGroups: ReadonlyArray<string> = [defaultShardGroup, bookingShardGroup, paymentShardGroup]
