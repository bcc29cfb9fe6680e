/** What the process that makes the load is told, and what it answers. */
import { Schema } from "effect"
import { Plan } from "./Traffic.ts"

export const Job = Schema.Struct({
  host: Schema.String,
  port: Schema.Int,
  connections: Schema.Int,
  /** At the most. */
  seconds: Schema.Finite,
  plan: Plan
})
export type Job = typeof Job.Type

export const LoadReady = Schema.TaggedStruct("LoadReady", {})

/** Milliseconds. */
const Quantiles = Schema.Struct({ p50: Schema.Number, p95: Schema.Number, p99: Schema.Number })

export const LoadReport = Schema.Struct({
  /** From the first request to the last answer. */
  seconds: Schema.Finite,
  won: Schema.Int,
  refused: Schema.Int,
  released: Schema.Int,
  /** Answers of any other kind, and connections that broke. */
  other: Schema.Int,
  /** Of answers that were won. */
  latency: Quantiles,
  ranDry: Schema.Boolean,
  /** Cores that the load itself took. */
  clientCores: Schema.Finite,
  wins: Schema.Struct({ holds: Schema.Array(Schema.String), seats: Schema.instanceOf(Int32Array) })
})
export type LoadReport = typeof LoadReport.Type
