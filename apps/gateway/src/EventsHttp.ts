/** Events, seat maps and availability over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { Effect } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { EncodedBody, Representation } from "./EncodedBody.ts"
import * as EventOperations from "./EventOperations.ts"
import { EventReads, type ReadProblem, type Source } from "./EventReads.ts"
import { ReadAddresses } from "./ReadAddresses.ts"

/** The body has a type and a length of its own. */
const ofTheBody = new Set(["content-type", "content-length"])

const responseOf = (
  { bytes, headers, validators }: Representation,
  notModified: boolean
): HttpServerResponse.HttpServerResponse => {
  const pairs = notModified ? validators : headers
  const named: Record<string, string> = {}
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i]!
    if (!ofTheBody.has(name)) named[name] = pairs[i + 1]!
  }
  return notModified
    ? HttpServerResponse.empty({ status: 304, headers: named })
    : HttpServerResponse.uint8Array(bytes, { contentType: "application/json", headers: named })
}

export const layer = HttpApiBuilder.group(
  Api,
  "events",
  Effect.fn(function* (handlers) {
    const events = yield* EventOperations.make
    const reads = yield* EventReads
    const addresses = yield* ReadAddresses

    const answer = <E extends ReadProblem>(request: HttpServerRequest.HttpServerRequest, source: Source<E>) =>
      Effect.callback<EncodedBody, E>((resume) => source(resume)).pipe(
        Effect.flatMap((body) =>
          Effect.callback<HttpServerResponse.HttpServerResponse>((resume) => {
            addresses.learn(request.url, source)
            body.answer(request.headers, (representation, notModified) =>
              resume(Effect.succeed(responseOf(representation, notModified)))
            )
          })
        )
      )

    return handlers.handleAll({
      list: ({ query, request }) => answer(request, reads.list(query)),
      get: ({ params, request }) => answer(request, reads.detail(params.eventId)),
      seatmap: ({ params, query, request }) => answer(request, reads.seatMap(params.eventId, query.version)),
      availability: ({ params, request }) =>
        Effect.andThen(events.exists(params.eventId), answer(request, reads.availability(params.eventId)))
    })
  })
)
