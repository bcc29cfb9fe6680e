/** Events, seat maps and availability over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { EventDetail, EventSeatMap } from "@onsale/contracts/catalog/Event"
import type { EventId } from "@onsale/contracts/Ids"
import { Effect, Schema } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import * as EncodedSeatMaps from "./EncodedSeatMaps.ts"
import * as EventLinkedData from "./EventLinkedData.ts"
import * as EventOperations from "./EventOperations.ts"
import { PublicUrl } from "./PublicUrl.ts"
import * as TierStock from "./TierStock.ts"
import { matches } from "./Validator.ts"

/** Of the encoded seat maps that are kept: six of the largest, hundreds of the usual. */
const seatMapBytes = 128 * 1024 * 1024

/** A cache has to tell an event's JSON from its linked data. */
const vary = "accept"

const validated = (
  request: HttpServerRequest.HttpServerRequest,
  body: { readonly json: string | Uint8Array; readonly etag: string },
  cacheControl: string
) => {
  const headers = { etag: body.etag, "cache-control": cacheControl }
  if (matches(request.headers, body.etag)) return HttpServerResponse.empty({ status: 304, headers })
  const options = { contentType: "application/json", headers }
  return typeof body.json === "string"
    ? HttpServerResponse.text(body.json, options)
    : HttpServerResponse.uint8Array(body.json, options)
}

export const layer = HttpApiBuilder.group(
  Api,
  "events",
  Effect.fn(function* (handlers) {
    const events = yield* EventOperations.make
    const publicUrl = yield* PublicUrl
    const encodeEvent = Schema.encodeEffect(EventDetail)
    const encodeSeatMap = Schema.encodeEffect(Schema.fromJsonString(EventSeatMap))

    const seatMap = yield* EncodedSeatMaps.make({
      maxBytes: seatMapBytes,
      encode: Effect.fnUntraced(function* (eventId: EventId) {
        const map = yield* events.seatMap(eventId)
        const json = Buffer.from(yield* Effect.orDie(encodeSeatMap(map)))
        return { json, etag: `"${map.version}"` }
      })
    })

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
        { contentType: EventLinkedData.mediaType, headers: { "cache-control": "public, max-age=60", vary } }
      )
    })

    return handlers.handleAll({
      list: ({ query }) => events.list(query),
      get: Effect.fnUntraced(function* ({ params, request }) {
        const event = yield* events.get(params.eventId)
        if (EventLinkedData.isWanted(request.headers["accept"])) return yield* linkedData(event)
        return HttpServerResponse.jsonUnsafe(yield* Effect.orDie(encodeEvent(event)), { headers: { vary } })
      }),
      seatmap: ({ params, request }) =>
        Effect.map(seatMap(params.eventId), (map) => validated(request, map, "public, max-age=3600")),
      availability: ({ params, request }) =>
        Effect.map(events.board(params.eventId), (board) => validated(request, board, "no-cache"))
    })
  })
)
