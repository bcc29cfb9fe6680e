/** Answers of those who stand in front of the routes, where they are made by an effect: problems, mostly. */
import { Clock, Effect, FiberSet } from "effect"
import { HttpServerRespondable, type HttpServerResponse } from "effect/http"
import type { IncomingMessage, ServerResponse } from "node:http"
import { answerHeaders, correlationOf } from "./Correlation.ts"
import * as FailedRequest from "./FailedRequest.ts"

/** Runs the effect and writes what comes of it; a failure that is not an answer itself is logged. */
export const make = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const run = yield* FiberSet.makeRuntime<never, void, never>()

  return (
    request: IncomingMessage,
    response: ServerResponse,
    effect: Effect.Effect<HttpServerResponse.HttpServerResponse, HttpServerRespondable.Respondable>
  ): void => {
    const correlation = correlationOf(request.headers, clock.currentTimeMillisUnsafe())
    run(
      effect.pipe(
        Effect.catch(HttpServerRespondable.toResponse),
        Effect.catchCause((cause) =>
          FailedRequest.render(cause, { method: request.method ?? "", url: request.url ?? "" })
        ),
        Effect.annotateLogs("correlationId", correlation),
        Effect.matchCause({
          // Interrupted only: we are shutting down, and the time for it is over.
          onFailure: () => {
            response.destroy()
          },
          onSuccess: ({ body, headers, status }) => {
            response.writeHead(status, { ...headers, ...answerHeaders(request.headers, correlation) })
            response.end(body._tag === "Uint8Array" ? body.body : undefined)
          }
        })
      )
    )
  }
})
