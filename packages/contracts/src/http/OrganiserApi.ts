/** What organisers do: venues, events, publishing. All of it needs the organiser's bearer key. */
import { Schema } from "effect"
import {
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiMiddleware,
  HttpApiSchema,
  HttpApiSecurity
} from "effect/http-api"
import { EventDetail, NewEvent, NewVenue, VenueDetail, VenuePage, VenueQuery } from "../catalog/Event.ts"
import { EventId, VenueId } from "../Ids.ts"
import { Currency } from "../Money.ts"
import {
  CursorInvalid,
  EventInvalid,
  EventNotDraft,
  EventNotFound,
  OverloadedProblem,
  PlanRefused,
  Unauthorized,
  VenueNotFound
} from "./Problems.ts"

/** What an event has sold, by currency; amounts in minor units. */
export const EventSales = Schema.Struct({
  currency: Currency,
  orders: Schema.Int,
  tickets: Schema.Int,
  amount: Schema.Int,
  refunded: Schema.Int
})

/** Lets those with the organiser's key pass. */
export class OrganiserAuth extends HttpApiMiddleware.Service<OrganiserAuth>()(
  "@onsale/contracts/http/OrganiserAuth",
  {
    requiredForClient: true,
    security: { bearer: HttpApiSecurity.bearer },
    error: Unauthorized
  }
) {}

export class OrganiserApi extends HttpApiGroup.make("organiser")
  .add(
    HttpApiEndpoint.post("createVenue", "/organiser/venues", {
      payload: NewVenue,
      success: VenueDetail.pipe(HttpApiSchema.status(201)),
      error: PlanRefused
    }),
    HttpApiEndpoint.get("venues", "/organiser/venues", {
      query: VenueQuery,
      success: VenuePage,
      error: CursorInvalid
    }),
    HttpApiEndpoint.get("venue", "/organiser/venues/:venueId", {
      params: { venueId: VenueId },
      success: VenueDetail,
      error: VenueNotFound
    }),
    HttpApiEndpoint.get("exportVenue", "/organiser/venues/:venueId/pretix", {
      params: { venueId: VenueId },
      success: Schema.Json,
      error: VenueNotFound
    }),
    HttpApiEndpoint.post("createEvent", "/organiser/events", {
      payload: NewEvent,
      success: EventDetail.pipe(HttpApiSchema.status(201)),
      error: [VenueNotFound, EventInvalid]
    }),
    HttpApiEndpoint.put("updateEvent", "/organiser/events/:eventId", {
      params: { eventId: EventId },
      payload: NewEvent,
      success: EventDetail,
      error: [EventNotFound, EventNotDraft, VenueNotFound, EventInvalid]
    }),
    HttpApiEndpoint.get("event", "/organiser/events/:eventId", {
      params: { eventId: EventId },
      success: EventDetail,
      error: EventNotFound
    }),
    HttpApiEndpoint.post("publish", "/organiser/events/:eventId/publish", {
      params: { eventId: EventId },
      success: EventDetail,
      error: [EventNotFound, EventNotDraft, EventInvalid, OverloadedProblem]
    }),
    HttpApiEndpoint.get("sales", "/organiser/events/:eventId/sales", {
      params: { eventId: EventId },
      success: Schema.Struct({ sales: Schema.Array(EventSales) }),
      error: EventNotFound
    })
  )
  .middleware(OrganiserAuth)
  .prefix("/api/v1") {}
