/**
 * What changes of an event's availability, as server-sent events (the HTML standard's `EventSource` reads them).
 *
 * The gateway writes these bytes itself, once for all who watch the event; the schema is what they say.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { EventId } from "../Ids.ts"
import { AvailabilityDelta } from "./AvailabilityUpdate.ts"
import { Availability } from "./EventsApi.ts"
import { EventNotFound, OverloadedProblem } from "./Problems.ts"

const { areas, seats, tiers, totals, version } = AvailabilityDelta.fields

/** All of it, as GET availability shows it: replaces whatever the client knows. */
const SnapshotEvent = Schema.Struct({
  id: Schema.String,
  event: Schema.Literal("snapshot"),
  data: Schema.fromJsonString(Availability)
})

/** What is other than it was after the last event. */
const DeltaEvent = Schema.Struct({
  id: Schema.String,
  event: Schema.Literal("delta"),
  data: Schema.fromJsonString(Schema.Struct({ version, totals, seats, areas, tiers }))
})

/** Nothing is known of the event since then: what was told may have changed, until the next delta or snapshot. */
const StaleEvent = Schema.Struct({
  event: Schema.Literal("stale"),
  data: Schema.fromJsonString(Schema.Struct({ since: Schema.String }))
})

export const AvailabilityStreamEvent = Schema.Union([SnapshotEvent, DeltaEvent, StaleEvent])
export type AvailabilityStreamEvent = typeof AvailabilityStreamEvent.Type

export class AvailabilityStreamApi extends HttpApiGroup.make("availabilityStream")
  .add(
    HttpApiEndpoint.get("watch", "/events/:eventId/availability/stream", {
      params: { eventId: EventId },
      headers: { "last-event-id": Schema.optionalKey(Schema.String) },
      success: HttpApiSchema.StreamSse({ events: AvailabilityStreamEvent }),
      error: [EventNotFound, OverloadedProblem]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Watch availability",
        description: [
          "A `snapshot`, then a `delta` when something changes: at most ten a second, fewer the more viewers there are, each with all that has changed since the last event.",
          "A snapshot replaces what the client knows. Of a delta, `totals` become `seats`; of its `seats`, `held` and `sold` ones enter `unavailable` and `available` ones leave it; `areas` and `tiers` replace entries. `version` may lag behind that of GET availability where nothing that shows has changed.",
          "A connection that broke is resumed by the header `Last-Event-ID` (browsers send it by themselves): what has happened since comes as one delta, or, where that is no longer known, a snapshot. Any other value begins anew.",
          "`stale` says that nothing has been known of the event since its `since`: what the client shows may be old. It ends with the next `delta`, which has all that happened meanwhile and may be empty, or `snapshot`. Where it lasts for a minute, streams end with a `retry`.",
          "Who reads slowly gets fewer and larger events; who leaves what it was sent unread for a minute is cut off. A comment comes where there is nothing else to say for 15 seconds. `retry` says when to come back after the end; 404, 429 (with `Retry-After`, where too many streams are open from one address) and 503 (the same, of all addresses) end an `EventSource` for good: make a new one."
        ].join("\n\n")
      })
    )
  )
  .prefix("/api/v1") {}
