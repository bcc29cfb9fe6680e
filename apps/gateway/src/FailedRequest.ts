/** Requests that nothing has answered, as RFC 9457 problems. */
import type { Overloaded } from "@onsale/contracts/http/Problems"
import { bodyOf } from "@onsale/contracts/http/Unanswered"
import { ByteSize, Cause, Effect } from "effect"
import { HttpServerError, HttpServerResponse, ProblemDetails } from "effect/http"
import { SqlError } from "effect/sql"
import * as Sql from "@onsale/platform/Sql"

/** No body of ours comes near it, but for seat maps. */
const bodyLimit = ByteSize.kibibytes(64)
const planLimit = ByteSize.mebibytes(40)
/** A thousand scans of the longest codes. */
const scansLimit = ByteSize.kibibytes(512)

/** Of the body of a request to this URL. */
export const limitOf = (url: string): ByteSize.ByteSize =>
  /^\/api\/v1\/organiser\/venues(\?|$)/.test(url)
    ? planLimit
    : /^\/api\/v1\/organiser\/events\/[^/]+\/scans(\?|$)/.test(url)
      ? scansLimit
      : bodyLimit

export const problem = (status: number, name: string, title: string, detail?: string) =>
  ProblemDetails.toResponse({
    type: `urn:onsale:problem:${name}`,
    status,
    title,
    ...(detail === undefined ? {} : { detail })
  })

export const tooLarge = (limit: ByteSize.ByteSize) =>
  // The rest of the body is not read, so the connection cannot be used again.
  HttpServerResponse.setHeader(
    problem(
      413,
      "body-too-large",
      "The body is too large",
      `at most ${ByteSize.toNumberUnsafe(limit)} bytes`
    ),
    "connection",
    "close"
  )

/** A 503; without a reason there is too much to do. */
export const unanswered = ({ reason, retryAfterSeconds }: Pick<Overloaded, "reason" | "retryAfterSeconds">) =>
  HttpServerResponse.setHeader(
    ProblemDetails.toResponse(bodyOf(reason)),
    "retry-after",
    String(retryAfterSeconds)
  )

const errorsOf = (cause: Cause.Cause<unknown>): ReadonlyArray<unknown> =>
  cause.reasons.map((reason) =>
    Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined
  )

const serverErrorOf = (cause: Cause.Cause<unknown>): HttpServerError.HttpServerError | undefined =>
  errorsOf(cause).find(HttpServerError.isHttpServerError)

/** The database is away, and has been for longer than was waited for: it comes back, and nothing of ours is broken. */
const isDatabaseAway = (cause: Cause.Cause<unknown>): boolean =>
  errorsOf(cause).some((error) => SqlError.isSqlError(error) && Sql.passes(error))

const isRead = ({ method }: { readonly method: string }): boolean => method === "GET" || method === "HEAD"

/** The answer to a request that failed; what is not the client's doing is logged. */
export const render = (
  cause: Cause.Cause<unknown>,
  request: { readonly method: string; readonly url: string }
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  // The client went away, or we are shutting down: nobody reads an answer.
  if (Cause.hasInterruptsOnly(cause))
    return Effect.failCause(Cause.fromReasons(cause.reasons.filter(Cause.isInterruptReason)))
  const error = serverErrorOf(cause)
  if (error !== undefined) {
    switch (error.reason._tag) {
      case "RouteNotFound":
        return Effect.succeed(
          problem(404, "not-found", "There is nothing here", `${request.method} is not served at this path`)
        )
      case "RequestParseError":
        return Effect.succeed(
          error.reason.reason === "BodyTooLarge"
            ? tooLarge(limitOf(request.url))
            : problem(400, "bad-request", "The request could not be read")
        )
      default:
        break
    }
  }
  if (isDatabaseAway(cause)) {
    return Effect.as(
      Effect.logWarning("a request failed, as the database is away", cause),
      unanswered({ reason: isRead(request) ? "unavailable" : "outcome_unknown", retryAfterSeconds: 1 })
    )
  }
  return Effect.as(
    Effect.logError("a request failed", cause),
    problem(500, "internal", "Something broke on our side; it is logged under this correlation id")
  )
}
