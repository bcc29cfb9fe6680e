/** Why there is no answer, for once: the three kinds of 503. Each tells when to come back by `Retry-After`. */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"

/** Left out where there is too much to do. */
export const UnansweredReason = Schema.Literals([
  /** What is needed for it, such as the database, did not answer in time, or nobody waited any longer: nothing was done. */
  "unavailable",
  /** It may have been done, or may be yet. */
  "outcome_unknown"
])
export type UnansweredReason = typeof UnansweredReason.Type

/** The body of the 503. */
export const UnansweredBody = Schema.Struct({
  type: Schema.Literals([
    "urn:onsale:problem:overloaded",
    "urn:onsale:problem:unavailable",
    "urn:onsale:problem:outcome-unknown"
  ]),
  status: Schema.Literal(503),
  title: Schema.String,
  detail: Schema.optionalKey(Schema.String)
}).pipe(HttpApiSchema.asJson({ contentType: "application/problem+json" }), HttpApiSchema.status(503))
export type UnansweredBody = typeof UnansweredBody.Type

const overloaded: UnansweredBody = {
  type: "urn:onsale:problem:overloaded",
  status: 503,
  title: "Too much at once; try again shortly"
}
const unavailable: UnansweredBody = {
  type: "urn:onsale:problem:unavailable",
  status: 503,
  title: "This cannot be answered in time just now, and nothing was done for it; try again shortly"
}
const outcomeUnknown: UnansweredBody = {
  type: "urn:onsale:problem:outcome-unknown",
  status: 503,
  title: "It is not known yet whether this was done",
  detail:
    "The same request again is safe, with the same Idempotency-Key where it had one: nothing is done twice, and the answer tells what became of it. Another key would be another request."
}

export const bodyOf = (reason: UnansweredReason | undefined): UnansweredBody =>
  reason === undefined ? overloaded : reason === "unavailable" ? unavailable : outcomeUnknown

export const reasonOf = ({ type }: UnansweredBody): UnansweredReason | undefined =>
  type === unavailable.type ? "unavailable" : type === outcomeUnknown.type ? "outcome_unknown" : undefined
