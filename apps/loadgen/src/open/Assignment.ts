/** What a worker of the open loop is told, and what it tells. Plain data, as threads pass it. */
import type { EventId } from "@onsale/contracts/Ids"
import type { MixName } from "./Mix.ts"
import type { Told } from "./SeatLedger.ts"

/** What latencies are counted by. */
export const requestKinds = ["read", "search", "hold", "order"] as const
export type RequestKind = (typeof requestKinds)[number]

export interface Assignment {
  readonly host: string
  readonly ports: ReadonlyArray<number>
  readonly connections: number
  readonly seed: number
  /** The most wanted first. */
  readonly events: ReadonlyArray<{ readonly id: EventId; readonly seats: number }>
  /** Of the Unix epoch: all workers begin at once. */
  readonly beginMs: number
  /** Sent and not counted. */
  readonly warmUpSeconds: number
  readonly seconds: number
  readonly load:
    | { readonly type: "mix"; readonly mix: MixName; readonly requestsPerSecond: number }
    /** All within one second; each wants one seat of the first event. */
    | { readonly type: "flash"; readonly buyers: number }
    /** As many as come back, over a few connections: what this side itself can do. */
    | { readonly type: "ceiling" }
}

export interface Second {
  readonly type: "second"
  /** From the beginning, of the answer. */
  readonly second: number
  readonly answered: number
  readonly errors: number
  readonly latencies: string
}

export interface WorkerReport {
  readonly type: "report"
  /** Requests that were due in the time that counts. */
  readonly due: number
  /** Answered within it, rightly. */
  readonly answered: number
  readonly errors: number
  readonly reads: number
  /** Sent later than `lateMs` after they were due because this thread was busy. */
  readonly late: number
  readonly worstLagMs: number
  readonly statuses: Readonly<Record<string, number>>
  /** Answers that cannot be right, with the first of them. */
  readonly wrong: number
  readonly examples: ReadonlyArray<string>
  readonly latencies: Readonly<Record<RequestKind, string>>
  readonly orders: Readonly<Record<string, number>>
  readonly told: ReadonlyArray<Told>
  readonly flash: FlashReport
}

export interface FlashReport {
  /** Milliseconds from when a buyer came: until he knew that he has a seat, that his order stands, that there is none. */
  readonly held: string
  readonly bought: string
  readonly refused: string
  readonly refusedCount: number
  readonly boughtCount: number
  /** Who was told neither. */
  readonly unanswered: number
}

/** A timer of Node is up to a millisecond late, and on a shared core the thread some more. */
export const lateMs = 10
