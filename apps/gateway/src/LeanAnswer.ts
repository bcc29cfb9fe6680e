/** What the lean paths answer that is rare, or went wrong: with the bytes and the log lines of the typed routes. */
import type { Overloaded } from "@onsale/contracts/http/Problems"
import { Effect, FiberSet, type Scope } from "effect"
import { HttpServerRespondable, type HttpServerResponse } from "effect/http"
import type { IncomingMessage, ServerResponse } from "node:http"
import { answerHeaders } from "./Correlation.ts"
import * as FailedRequest from "./FailedRequest.ts"
import * as Patience from "./Patience.ts"

type Respondable = Parameters<typeof HttpServerRespondable.toResponse>[0]

/** A problem as its typed route answers it. */
export const ofProblem = <P extends Respondable & { readonly _tag: string }>(
  problem: P | Overloaded
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  problem._tag === "Overloaded"
    ? Effect.succeed(FailedRequest.unanswered(problem as Overloaded))
    : HttpServerRespondable.toResponse(problem as P)

export type Write = (
  request: IncomingMessage,
  response: ServerResponse,
  correlation: string,
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse>
) => void

/** Writes answers from fibers that end with the scope. */
export const makeWrite: Effect.Effect<Write, never, Scope.Scope> = Effect.map(
  FiberSet.makeRuntime<never, void, never>(),
  (run) => (request, response, correlation, answer) => {
    run(
      answer.pipe(
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
            // It broke in the middle of an answer: what the client has of it must not look whole.
            if (response.headersSent) return void response.destroy()
            response.writeHead(status, {
              ...headers,
              ...answerHeaders(request.headers, correlation),
              ...Patience.applied(request)
            })
            response.end(body._tag === "Uint8Array" ? body.body : undefined)
          }
        })
      )
    )
  }
)
