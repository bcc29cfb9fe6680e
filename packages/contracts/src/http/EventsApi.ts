/** Events, their seat maps and what is free. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { EventDetail, EventPage, EventQuery, EventSeatMap } from "../catalog/Event.ts"
import { AreaId, EventId, SeatId, TierId } from "../Ids.ts"
import { CursorInvalid, EventNotFound, OverloadedProblem, SeatMapNotFound } from "./Problems.ts"

/** What is not free, and how many there are. */
export const Availability = Schema.Struct({
  /** Rises with every change; the ETag is made of it. */
  version: Schema.Int,
  seats: Schema.Struct({ total: Schema.Int, available: Schema.Int, held: Schema.Int, sold: Schema.Int }),
  /** Only the seats that cannot be had now. */
  unavailable: Schema.Record(SeatId, Schema.Literals(["held", "sold"])),
  areas: Schema.Record(AreaId, Schema.Struct({ capacity: Schema.Int, available: Schema.Int })),
  /** Tiers that share a capacity with others: so many tickets can be had at most, whatever seats are free. */
  tiers: Schema.Record(TierId, Schema.Struct({ available: Schema.Int })),
  /**
   * A UTC instant, only where whoever sells the event could not be asked in time: all that was answered until then is
   * shown, and what came later may not be.
   */
  asOf: Schema.optionalKey(Schema.String)
})
export type Availability = typeof Availability.Type

/** The same resource for search engines: as it is no schema of ours, typed clients do not see it. */
const linkedData = OpenApi.annotations({
  description: "With `Accept: application/ld+json` a schema.org Event, for search engines.",
  transform: (operation) => {
    const ok = operation["responses"]["200"]
    const content = { ...ok.content, "application/ld+json": { schema: { type: "object" } } }
    return { ...operation, responses: { ...operation["responses"], "200": { ...ok, content } } }
  }
})
/** The map of this version can be kept for ever; without it the newest is given, to be asked for again. */
export const SeatMapQuery = Schema.Struct({ version: Schema.optionalKey(Schema.Int) })

const eventId = { eventId: EventId }

export class EventsApi extends HttpApiGroup.make("events")
  .add(
    HttpApiEndpoint.get("list", "/events", {
      query: EventQuery,
      success: EventPage,
      error: [CursorInvalid, OverloadedProblem]
    }),
    HttpApiEndpoint.get("get", "/events/:eventId", {
      params: eventId,
      success: EventDetail,
      error: [EventNotFound, OverloadedProblem]
    }).annotateMerge(linkedData),
    HttpApiEndpoint.get("seatmap", "/events/:eventId/seatmap", {
      params: eventId,
      query: SeatMapQuery,
      success: EventSeatMap,
      error: [EventNotFound, SeatMapNotFound, OverloadedProblem]
    }),
    HttpApiEndpoint.get("availability", "/events/:eventId/availability", {
      params: eventId,
      success: Availability,
      error: [EventNotFound, OverloadedProblem]
    })
  )
  .prefix("/api/v1") {}
