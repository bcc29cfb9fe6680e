/** Events, seat maps and availability over HTTP. */
import { Catalog } from "@onsale/catalog/Catalog"
import type * as Errors from "@onsale/contracts/catalog/CatalogErrors"
import { Api } from "@onsale/contracts/http/Api"
import { EventSeatMap } from "@onsale/contracts/catalog/Event"
import { CursorInvalid, EventNotFound } from "@onsale/contracts/http/Problems"
import type { EventId } from "@onsale/contracts/Ids"
import { Effect, Schema } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import * as EncodedSeatMaps from "./EncodedSeatMaps.ts"
import { overloaded } from "./InventoryProblems.ts"

/** Of the encoded seat maps that are kept: six of the largest, hundreds of the usual. */
const seatMapBytes = 128 * 1024 * 1024

const notFound = <A, R>(effect: Effect.Effect<A, Errors.EventNotFound, R>) =>
  Effect.mapError(effect, () => new EventNotFound({}))

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
    const catalog = yield* Catalog
    const boards = yield* AvailabilityBoard
    const encodeSeatMap = Schema.encodeEffect(Schema.fromJsonString(EventSeatMap))

    const seatMap = yield* EncodedSeatMaps.make({
      maxBytes: seatMapBytes,
      encode: Effect.fnUntraced(function* (eventId: EventId) {
        const map = yield* catalog.seatMap(eventId)
        const json = Buffer.from(yield* Effect.orDie(encodeSeatMap(map)))
        return { json, etag: `"${map.version}"` }
      })
    })

    return handlers.handleAll({
      list: ({ query }) =>
        catalog.list(query).pipe(Effect.catchTag("CursorInvalid", () => Effect.fail(new CursorInvalid({})))),
      get: ({ params }) => notFound(catalog.get(params.eventId)),
      seatmap: ({ params, request }) =>
        seatMap(params.eventId).pipe(
          notFound,
          Effect.map((map) => validated(request, map, "public, max-age=3600"))
        ),
      availability: Effect.fnUntraced(function* ({ params, request }) {
        yield* notFound(catalog.eventNumber(params.eventId))
        const board = yield* boards.get(params.eventId).pipe(Effect.mapError(overloaded))
        if (board === null) return yield* new EventNotFound({})
        return validated(request, board, "no-cache")
      })
    })
  })
)
