/** Calendars over HTTP. */
import { PublicEvents } from "@onsale/catalog/PublicEvents"
import { Api } from "@onsale/contracts/http/Api"
import { EventNotFound, VenueNotFound } from "@onsale/contracts/http/Problems"
import { Clock, Effect } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { createHash } from "node:crypto"
import * as CalendarText from "./CalendarText.ts"
import * as OrderOperations from "./OrderOperations.ts"
import { PublicUrl } from "./PublicUrl.ts"
import { matches } from "./Validator.ts"

/** About 400 bytes each. A venue with three performances a day has fewer in a year. */
const maxEvents = 1_000

const answer = (
  request: HttpServerRequest.HttpServerRequest,
  text: string,
  cacheControl: string,
  filename: string
) => {
  const etag = `"${createHash("sha1").update(text).digest("base64url")}"`
  const headers = { etag, "cache-control": cacheControl }
  if (matches(request.headers, etag)) return HttpServerResponse.empty({ status: 304, headers })
  return HttpServerResponse.text(text, {
    contentType: "text/calendar; charset=utf-8",
    headers: { ...headers, "content-disposition": `inline; filename="${filename}"` }
  })
}

export const layer = HttpApiBuilder.group(
  Api,
  "calendars",
  Effect.fn(function* (handlers) {
    const events = yield* PublicEvents
    const orders = yield* OrderOperations.make
    const publicUrl = yield* PublicUrl

    return handlers.handleAll({
      venue: Effect.fnUntraced(function* ({ params, request }) {
        const nowMs = yield* Clock.currentTimeMillis
        const found = yield* events.ofVenue(params.venueId, nowMs, maxEvents)
        if (found === null) return yield* new VenueNotFound({})
        const text = CalendarText.ofVenue(found, publicUrl.event)
        return answer(request, text, "public, max-age=300", "events.ics")
      }),
      order: Effect.fnUntraced(function* ({ params, request }) {
        const order = yield* orders.byId(params.orderId)
        const event = (yield* events.find(order.eventId)) ?? (yield* new EventNotFound({}))
        const text = CalendarText.ofOrder(order, event, publicUrl.event)
        // Its address is a secret: it stays with who asked for it.
        return answer(request, text, "private, no-cache", "event.ics")
      })
    })
  })
)
