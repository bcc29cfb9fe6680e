/** Events, seat maps and availability over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import type { EventDetail } from "@onsale/contracts/catalog/Event"
import type { EventId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { EncodedBody, Representation } from "./EncodedBody.ts"
import * as EventLinkedData from "./EventLinkedData.ts"
import * as EventOperations from "./EventOperations.ts"
import { EventReads, type ReadProblem, type Source } from "./EventReads.ts"
import { PublicUrl } from "./PublicUrl.ts"
import { ReadAddresses } from "./ReadAddresses.ts"
import * as TierStock from "./TierStock.ts"

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
    const publicUrl = yield* PublicUrl
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

    const inStock = yield* TierStock.make(events.seatMap)

    /** What is left is good to know; that the event is there is what matters. */
    const stockOf = (eventId: EventId) =>
      events.board(eventId).pipe(
        Effect.flatMap(({ view }) => inStock(eventId, view)),
        Effect.catchTag(["EventNotFound", "Overloaded"], () => Effect.succeed(null))
      )

    const linkedData = Effect.fnUntraced(function* (event: EventDetail) {
      const stock = yield* stockOf(event.id)
      return HttpServerResponse.text(
        JSON.stringify(EventLinkedData.make(event, publicUrl.event(event.id), stock)),
        {
          contentType: EventLinkedData.mediaType,
          headers: { "cache-control": "public, max-age=60", vary: "accept" }
        }
      )
    })

    return handlers.handleAll({
      list: ({ query, request }) => answer(request, reads.list(query)),
      get: ({ params, request }) =>
        EventLinkedData.isWanted(request.headers["accept"])
          ? Effect.flatMap(events.get(params.eventId), linkedData)
          : answer(request, reads.detail(params.eventId)),
      seatmap: ({ params, query, request }) => answer(request, reads.seatMap(params.eventId, query.version)),
      availability: ({ params, request }) =>
        Effect.andThen(events.exists(params.eventId), answer(request, reads.availability(params.eventId)))
    })
  })
)
