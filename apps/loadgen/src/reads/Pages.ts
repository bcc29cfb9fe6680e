/** What raw `node:http` is told to serve: the answers of ours, header by header and byte by byte. */
import { Schema } from "effect"

export const Page = Schema.Struct({
  path: Schema.String,
  /** The `Accept-Encoding` that it is for; empty for none. */
  accepts: Schema.String,
  etag: Schema.String,
  headers: Schema.Record(Schema.String, Schema.String),
  /** Of the 304. */
  validators: Schema.Record(Schema.String, Schema.String),
  body: Schema.instanceOf(Uint8Array)
})
export type Page = typeof Page.Type

export const Serve = Schema.TaggedStruct("Serve", { pages: Schema.Array(Page) })
export const Ready = Schema.TaggedStruct("Ready", { port: Schema.Int })
export const Done = Schema.TaggedStruct("Done", {})
