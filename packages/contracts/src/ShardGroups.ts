/** The roles of a cluster as its shards know them: a runner takes shards of its role's group. */
import { bookingShardGroup } from "./inventory/InventoryEntity.ts"
import { paymentShardGroup } from "./payments/PaymentEntity.ts"

/** Of all runners and clients; the same list in every process of a cluster. */
export const shardGroups: ReadonlyArray<string> = [bookingShardGroup, paymentShardGroup]
