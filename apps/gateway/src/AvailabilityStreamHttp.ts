/**
 * The typed route of an event's availability as server-sent events: a stream of its own for each viewer. What asks in
 * the usual form never comes here, `AvailabilityStreams` stands in front and writes the same bytes.
 */
import { Api } from "@onsale/contracts/http/Api"
import { Effect, Random, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import * as AvailabilityEvents from "./AvailabilityEvents.ts"
import { AvailabilityFeed } from "./AvailabilityFeed.ts"
import * as Pace from "./AvailabilityPace.ts"
import * as EventOperations from "./EventOperations.ts"

/** Nothing on the way keeps it, or waits for its end. */
export const headers = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  vary: "accept-encoding",
  "x-accel-buffering": "no"
}

export const layer = HttpApiBuilder.group(
  Api,
  "availabilityStream",
  Effect.fn(function* (handlers) {
    const events = yield* EventOperations.make
    const feed = yield* AvailabilityFeed

    return handlers.handleAll({
      watch: Effect.fnUntraced(function* ({ headers: { "last-event-id": id }, params: { eventId } }) {
        yield* events.exists(eventId)
        const messages = yield* feed.join(eventId, id === undefined ? undefined : { id })
        const retry = Effect.map(Random.next, (draw) =>
          AvailabilityEvents.retry(Pace.returnMs(feed.viewers(), draw))
        )
        return HttpServerResponse.stream(
          Stream.concat(
            Stream.fromEffect(retry),
            // The end of a stream says as much as a failure would: come back.
            messages.pipe(
              Stream.map(AvailabilityEvents.encode),
              Stream.catch(() => Stream.fromEffect(retry))
            )
          ).pipe(Stream.encodeText),
          { headers }
        )
      })
    })
  })
)
