/** Events, seat maps and availability over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import type { EventDetail } from "@onsale/contracts/catalog/Event"
import type { EventId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import * as EventLinkedData from "./EventLinkedData.ts"
import * as EventOperations from "./EventOperations.ts"
import { EventReads } from "./EventReads.ts"
import { PublicUrl } from "./PublicUrl.ts"
import * as ReadAnswer from "./ReadAnswer.ts"
import * as TierStock from "./TierStock.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "events",
  Effect.fn(function* (handlers) {
    const events = yield* EventOperations.make
    const publicUrl = yield* PublicUrl
    const reads = yield* EventReads
    const answer = yield* ReadAnswer.make

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
