/**
 * CloudEvents 1.0 in structured JSON, as far as the event bus needs them: a fact with its place in a stream.
 *
 * Besides the attributes of the standard: `sequence` (its extension of that name: text that sorts by place) is
 * the version within the stream, `correlationid` the correlation id of the request that the fact stems from.
 */
import { Schema, SchemaTransformation } from "effect"

/** Digits of the largest bigint, so that text sorts as the number does. */
const sequenceDigits = 19

const Sequence = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transform({
      decode: Number,
      encode: (version: number) => String(version).padStart(sequenceDigits, "0")
    })
  )
)

export const CloudEvent = Schema.Struct({
  specversion: Schema.Literal("1.0"),
  /** Unique within `source`, and the same however often the event is delivered: what a consumer knows repeats by. */
  id: Schema.NonEmptyString,
  /** Who says it: a context. */
  source: Schema.NonEmptyString,
  type: Schema.NonEmptyString,
  /** The stream; order is kept within it. */
  subject: Schema.NonEmptyString,
  /** RFC 3339, UTC. */
  time: Schema.String,
  datacontenttype: Schema.Literal("application/json"),
  /** The version within the stream; several events may share one. */
  sequence: Sequence,
  correlationid: Schema.optionalKey(Schema.String),
  /** The distributed tracing extension, of a fact whose trace is recorded. */
  traceparent: Schema.optionalKey(Schema.String),
  data: Schema.Json
})
export type CloudEvent = typeof CloudEvent.Type

const Text = Schema.fromJsonString(CloudEvent)

export const encode = Schema.encodeUnknownSync(Text)
export const decode = Schema.decodeUnknownEffect(Text)
