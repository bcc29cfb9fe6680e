/** How calendars and search engines find events. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { OrderId, VenueId } from "../Ids.ts"
import { EventNotFound, OrderNotFound, OverloadedProblem, VenueNotFound } from "./Problems.ts"

const Calendar = Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/calendar; charset=utf-8" }))
const Sitemap = Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/xml; charset=utf-8" }))

/** iCalendar (RFC 5545), to subscribe to: an ETag, UTC instants, an event's id as its UID. */
export class CalendarsApi extends HttpApiGroup.make("calendars")
  .add(
    HttpApiEndpoint.get("venue", "/venues/:venueId/calendar.ics", {
      params: { venueId: VenueId },
      success: Calendar,
      error: VenueNotFound
    }).annotate(
      OpenApi.Description,
      "The next 1,000 events of the venue. An event that does not take place stays, as cancelled."
    ),
    HttpApiEndpoint.get("order", "/orders/:orderId/calendar.ics", {
      params: { orderId: OrderId },
      success: Calendar,
      error: [OrderNotFound, EventNotFound, OverloadedProblem]
    }).annotate(
      OpenApi.Description,
      "The event of the order; cancelled once no ticket of it is valid any more."
    )
  )
  .prefix("/api/v1") {}

/** sitemaps.org; `robots.txt` names it. */
export class SitemapApi extends HttpApiGroup.make("sitemap").add(
  HttpApiEndpoint.get("sitemap", "/sitemap.xml", {
    query: {
      page: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 })))
    },
    success: Sitemap,
    error: OverloadedProblem
  }).annotate(
    OpenApi.Description,
    "Without `page` the index of the pages; a page has the addresses of at most 50,000 events to come."
  ),
  HttpApiEndpoint.get("robots", "/robots.txt", {
    success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; charset=utf-8" }))
  })
) {}
