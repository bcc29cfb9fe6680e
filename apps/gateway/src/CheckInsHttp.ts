/** The door over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import * as DoorOperations from "./DoorOperations.ts"
import { matches } from "./Validator.ts"

/** What a gate asks. */
export const layer = HttpApiBuilder.group(
  Api,
  "checkIns",
  Effect.fn(function* (handlers) {
    const door = yield* DoorOperations.make
    return handlers.handleAll({ create: ({ payload }) => door.checkIn(payload) })
  })
)

/** What it takes with it and tells later, and what organisers see of it. */
export const doorLayer = HttpApiBuilder.group(
  Api,
  "door",
  Effect.fn(function* (handlers) {
    const door = yield* DoorOperations.make

    return handlers.handleAll({
      bundle: Effect.fnUntraced(function* ({ params, request }) {
        const isKnown = (etag: string) => matches(request.headers, etag)
        const { bundle, etag } = yield* door.bundle(params.eventId, isKnown)
        const headers = { etag, "cache-control": "private, no-cache" }
        return isKnown(etag)
          ? HttpServerResponse.empty({ status: 304, headers })
          : HttpServerResponse.text(bundle, { contentType: "application/jose", headers })
      }),
      keys: () => door.keys,
      uploadScans: ({ params, payload }) => door.upload(params.eventId, payload),
      conflicts: ({ params, query }) => door.conflicts(params.eventId, query),
      counts: ({ params }) => door.counts(params.eventId)
    })
  })
)
