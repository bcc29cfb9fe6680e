/** What a process of viewers is told, and what it answers. */
import { Schema } from "effect"

export const OpenViewers = Schema.TaggedStruct("Open", {
  host: Schema.String,
  port: Schema.Int,
  path: Schema.String,
  viewers: Schema.Int,
  /** As browsers ask for it. */
  gzip: Schema.Boolean,
  /** Whose messages are timed; the others are only followed. */
  sampled: Schema.Int
})

/** A change that was answered: of which seat, to what, and when (milliseconds of the Unix epoch). */
export const Answered = Schema.Struct({
  seats: Schema.Array(Schema.String),
  status: Schema.String,
  atMs: Schema.Finite
})
export type Answered = typeof Answered.Type

export const ReportViewers = Schema.TaggedStruct("Report", { answered: Schema.Array(Answered) })
export const ViewersJob = Schema.Union([OpenViewers, ReportViewers])

export const ViewersReady = Schema.TaggedStruct("Ready", {})
export const ViewersOpen = Schema.TaggedStruct("Opened", { opened: Schema.Int })

export const ViewersReport = Schema.TaggedStruct("Report", {
  /** Milliseconds from a change's answer to its arrival at each of the sampled viewers. */
  latencies: Schema.instanceOf(Float64Array),
  /** Changes that a sampled viewer was never told of by itself. */
  unseen: Schema.Int,
  messages: Schema.Int,
  bytes: Schema.Finite,
  /** Snapshots after the first. */
  dropped: Schema.Int,
  /** Connections that have ended. */
  ended: Schema.Int,
  /** How many viewers know what, by its digest. */
  states: Schema.Array(Schema.Struct({ digest: Schema.String, viewers: Schema.Int })),
  /** Cores that the viewers took. */
  cores: Schema.Finite
})
export type ViewersReport = typeof ViewersReport.Type
