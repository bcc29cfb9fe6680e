/** Events, seat maps and availability over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { EventSeatMap } from "@onsale/contracts/catalog/Event"
import type { EventId } from "@onsale/contracts/Ids"
import { Effect, Schema } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import * as EncodedSeatMaps from "./EncodedSeatMaps.ts"
import * as EventOperations from "./EventOperations.ts"

/** Of the encoded seat maps that are kept: six of the largest, hundreds of the usual. */
const seatMapBytes = 128 * 1024 * 1024

/** True where the client has this version already (RFC 9110 §13.1.2). */
const matches = (request: HttpServerRequest.HttpServerRequest, etag: string): boolean =>
  request.headers["if-none-match"]
    ?.split(",")
    .some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === etag) ?? false

const validated = (
  request: HttpServerRequest.HttpServerRequest,
  body: { readonly json: string | Uint8Array; readonly etag: string },
  cacheControl: string
) => {
  const headers = { etag: body.etag, "cache-control": cacheControl }
  if (matches(request, body.etag)) return HttpServerResponse.empty({ status: 304, headers })
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
    const encodeSeatMap = Schema.encodeEffect(Schema.fromJsonString(EventSeatMap))

    const seatMap = yield* EncodedSeatMaps.make({
      maxBytes: seatMapBytes,
      encode: Effect.fnUntraced(function* (eventId: EventId) {
        const map = yield* events.seatMap(eventId)
        const json = Buffer.from(yield* Effect.orDie(encodeSeatMap(map)))
        return { json, etag: `"${map.version}"` }
      })
    })

    return handlers.handleAll({
      list: ({ query }) => events.list(query),
      get: ({ params }) => events.get(params.eventId),
      seatmap: ({ params, request }) =>
        Effect.map(seatMap(params.eventId), (map) => validated(request, map, "public, max-age=3600")),
      availability: ({ params, request }) =>
        Effect.map(events.board(params.eventId), (board) => validated(request, board, "no-cache"))
    })
  })
)
