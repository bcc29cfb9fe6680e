/** The levels of a service, and what is asked of each: of a load run, and of a service in operation. */

export const levels = ["L0", "L1", "L2", "L3"] as const
export type Level = (typeof levels)[number]

export interface Asked {
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p95: number
  readonly p99: number
  /** From 0 to 1. */
  readonly errors: number
}

export const asked: Readonly<Record<Level, Asked>> = {
  L0: { requestsPerSecond: 100, p95: 500, p99: 900, errors: 0.005 },
  L1: { requestsPerSecond: 1_000, p95: 350, p99: 700, errors: 0.007 },
  L2: { requestsPerSecond: 10_000, p95: 300, p99: 600, errors: 0.01 },
  L3: { requestsPerSecond: 100_000, p95: 250, p99: 380, errors: 0.015 }
}

/** What a level has of what the one below has not. */
export const atLeast = (level: Level, other: Level): boolean => levels.indexOf(level) >= levels.indexOf(other)

/** What is asked of every level that has the part in question. */
export const askedOfParts = {
  authorisedShare: 0.95,
  capturedShare: 0.98,
  providerTimeoutShare: 0.01,
  breakerOpenShare: 0.05,
  cacheHitShare: 0.9,
  redisP95Ms: 5,
  projectionLagMs: 5_000,
  relayLagMs: 5_000,
  consumerLagMs: 5_000,
  readModelLagMs: 2_000,
  searchP95Ms: 150,
  shardBalance: 1.3,
  deliveredShare: 0.99,
  deadLetterSeconds: 600
} as const
