/**
 * How many connections to the database a process can do with: those that parts of it keep as long as it lives, and one
 * for everybody else's transactions. With fewer it would begin and hang: who keeps one never gives it back.
 */
export const leastConnections = {
  /** Its place in the cluster, the relays of the catalog, the inventory and booking, and the read model of availability. */
  booking: 6,
  /** Its place in the cluster, and its relay. */
  payment: 3,
  /** None is kept; one for transactions, and one that statements share. */
  notification: 2,
  /** Its place in the cluster, though it owns no shards there. */
  gateway: 2,
  /** All roles at once: four relays and the read model; a cluster of one needs no connection. */
  onsale: 6,
  /** The lock of a rebuild, and what it writes. */
  command: 2
} as const

/** What a process is to its database: a role, all of them, or a command that may run beside them. */
export type PoolOwner = keyof typeof leastConnections

/** For people. */
export const ownerNames: { readonly [O in PoolOwner]: string } = {
  booking: "a booking runner",
  payment: "a payment runner",
  notification: "a notification runner",
  gateway: "a gateway",
  onsale: "all roles in one process",
  command: "a command"
}
