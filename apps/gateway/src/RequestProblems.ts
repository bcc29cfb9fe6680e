/** Says what was wrong with a request, with its place; nothing of ours is in it. */
import { Internal, RequestInvalid } from "@onsale/contracts/http/Problems"
import { RequestProblems } from "@onsale/contracts/http/RequestProblems"
import { Effect, SchemaIssue } from "effect"
import { type HttpApiError, HttpApiMiddleware } from "effect/http-api"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

type Segment = PropertyKey | { readonly key: PropertyKey }

const segmentOf = (segment: Segment): string | number => {
  const key = typeof segment === "object" ? segment.key : segment
  return typeof key === "number" ? key : String(key)
}

const errorsOf = ({ cause, kind }: HttpApiError.HttpApiSchemaError) =>
  format(cause.issue).issues.map(({ message, path = [] }) => ({
    path: [kind.toLowerCase(), ...path.map(segmentOf)],
    message
  }))

export const layer = HttpApiMiddleware.layerSchemaErrorTransform(RequestProblems, (error) =>
  error.kind === "Body" || error.kind === "ResponseHeaders"
    ? Effect.andThen(
        Effect.logError("an answer does not fit its schema", error.cause),
        Effect.fail(new Internal({}))
      )
    : Effect.fail(new RequestInvalid({ errors: errorsOf(error) }))
)
