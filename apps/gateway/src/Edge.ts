/**
 * What every request passes: a bound on its body, a correlation id, and an answer where there was none.
 */
import * as TimedResponse from "@onsale/platform/TimedResponse"
import { ByteSize, Clock, Effect, identity, Layer } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import * as AdmissionPlace from "./AdmissionPlace.ts"
import { answerHeaders, Correlation, correlationOf } from "./Correlation.ts"
import { limitOf, problem, render, tooLarge } from "./FailedRequest.ts"
import * as HotRoutes from "./HotRoutes.ts"
import * as HttpMetrics from "./HttpMetrics.ts"
import * as ObjectiveMetrics from "./ObjectiveMetrics.ts"
import * as Patience from "./Patience.ts"
import * as RequestTrace from "./RequestTrace.ts"

/** The API's builder answers it in plain text. */
const unsupportedMediaType = problem(
  415,
  "unsupported-media-type",
  "The body is of a type that is not taken here",
  "application/json is"
)

const edge = <E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest> =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const limit = limitOf(request.url)
    const clock = yield* Clock.Clock
    const correlation = correlationOf(request.headers, clock)
    const untilMs = Patience.ofRequest(request, clock)
    const place = AdmissionPlace.ofRequest(request)
    const answer =
      Number(request.headers["content-length"] ?? 0) > ByteSize.toNumberUnsafe(limit)
        ? Effect.succeed(tooLarge(limit))
        : app
    const response = yield* answer.pipe(
      untilMs === undefined ? identity : Effect.provideService(Patience.Until, untilMs),
      place === undefined ? identity : Effect.provideService(AdmissionPlace.Current, place),
      Effect.provideService(HttpIncomingMessage.MaxBodySize, limit),
      Effect.provideService(Correlation, correlation),
      Effect.map((response) => (response.status === 415 ? unsupportedMediaType : response)),
      Effect.catchCause((cause) => render(cause, request)),
      RequestTrace.traced(request, correlation, (traceId) => TimedResponse.traced(request, traceId)),
      Effect.annotateLogs("correlationId", correlation)
    )
    return HttpServerResponse.setHeaders(response, {
      ...answerHeaders(request.headers, correlation),
      ...Patience.applied(request),
      // Where it is traced, of our span.
      ...(response.headers["traceparent"] === undefined
        ? {}
        : { traceparent: response.headers["traceparent"] }),
      // RFC 9110 §11.6.1
      ...(response.status === 401 ? { "www-authenticate": "Bearer" } : {})
    })
  })

/** In front of all this stand the lean paths, and need what they need. */
export const layer = Layer.mergeAll(
  HttpRouter.middleware(edge, { global: true }),
  HotRoutes.layer,
  HttpMetrics.layer,
  ObjectiveMetrics.layer
)
