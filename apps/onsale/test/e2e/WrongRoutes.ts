/** Wrong paths and methods, and what is wrong at the routes of organisers and providers. */
import { makeUuidV7 } from "@onsale/contracts/Ids"
import * as Service from "./Service.ts"
import { type Case, organiser, type World } from "./WrongWorld.ts"

const unknownId = makeUuidV7(0)
const orders = "/api/v1/orders"

const badPlan = (
  name: string,
  format: string,
  content: unknown,
  status = 422,
  type = "plan-refused"
): Case => ({
  name: `a plan that is ${name}`,
  call: () => ({
    path: "/api/v1/organiser/venues",
    headers: organiser,
    body: { name: "Hall", timeZone: "UTC", seatMap: { format, content } }
  }),
  status,
  type
})

const get = (
  name: string,
  path: string | ((world: World) => string),
  status: number,
  type: string
): Case => ({
  name,
  call: (world) => ({ path: typeof path === "string" ? path : path(world) }),
  status,
  type
})

export const routes: ReadonlyArray<Case> = [
  // --- paths
  get("an unknown event", `/api/v1/events/${unknownId}`, 404, "event-not-found"),
  get("a garbage event", "/api/v1/events/17", 400, "request-invalid"),
  get("the seat map of an unknown event", `/api/v1/events/${unknownId}/seatmap`, 404, "event-not-found"),
  get(
    "the availability of an unknown event",
    `/api/v1/events/${unknownId}/availability`,
    404,
    "event-not-found"
  ),
  get("an unknown hold", `/api/v1/holds/${unknownId}`, 404, "hold-not-found"),
  get("an unknown order", `${orders}/${unknownId}`, 404, "order-not-found"),
  get("the PDF of an unknown order", `${orders}/${unknownId}/tickets.pdf`, 404, "order-not-found"),
  get("an unknown ticket", `/api/v1/tickets/${unknownId}`, 404, "ticket-not-found"),
  get("the page of an unknown ticket", `/api/v1/tickets/${unknownId}/ticket.pdf`, 404, "ticket-not-found"),
  get("a pass of an unknown ticket", `/api/v1/tickets/${unknownId}/pass.pkpass`, 404, "ticket-not-found"),
  get("a link of an unknown ticket", `/api/v1/tickets/${unknownId}/google-wallet`, 404, "ticket-not-found"),
  get("an id of version 4", "/api/v1/events/9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d", 400, "request-invalid"),
  get("a path that is not encoded", "/api/v1/events/%zz", 404, "not-found"),
  get("a path that is no UTF-8", "/api/v1/events/%ff%fe", 404, "not-found"),
  get("a path with a zero", "/api/v1/events/%00", 400, "request-invalid"),
  get("a path upwards", "/api/v1/../../etc/passwd", 404, "not-found"),
  get("a very long path", `/api/v1/events/${"x".repeat(8_000)}`, 404, "not-found"),
  get("nowhere", "/nowhere", 404, "not-found"),
  ...[
    "limit=-1",
    "limit=0",
    "limit=1.5",
    "limit=1e9",
    "limit=x",
    "limit=1&limit=2",
    "from=yesterday",
    "from=2026-13-45T00:00:00Z",
    "venue=x"
  ].map((query) => get(`the events of ${query}`, `/api/v1/events?${query}`, 400, "request-invalid")),
  ...["cursor=x", "cursor=%00", "cursor=", "cursor=%zz"].map((query) =>
    get(`the events of ${query}`, `/api/v1/events?${query}`, 400, "cursor-invalid")
  ),
  // --- methods
  ...["OPTIONS", "DELETE", "PATCH", "PUT", "TRACE", "PROPFIND", "QUERY"].map(
    (method): Case => ({
      name: `the method ${method}`,
      call: () => ({ method, path: "/api/v1/events" }),
      status: 404,
      type: "not-found"
    })
  ),
  // --- organisers
  ...[
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Basic eDp5",
    `bearer${Service.organiserKey}`,
    `Bearer ${"x".repeat(8_000)}`
  ].map(
    (authorization): Case => ({
      name: `an organiser's route with ${authorization?.slice(0, 20) ?? "nothing"}`,
      call: () => ({
        path: "/api/v1/organiser/venues",
        headers: authorization === undefined ? {} : { authorization },
        body: "{"
      }),
      status: 401,
      type: "unauthorized"
    })
  ),
  badPlan("no JSON", "seatsio", "{"),
  badPlan("a number", "seatsio", 17),
  badPlan("empty", "seatsio", {}),
  badPlan("null", "pretix", null),
  badPlan("an array", "pretix", []),
  badPlan("nested too deep", "seatsio", "[".repeat(100_000)),
  badPlan("no CSV of ours", "csv", "a,b\n1,2"),
  badPlan("bytes", "csv", "\u0000\u0001\u0002"),
  badPlan("of an unknown format", "dwg", "x", 400, "request-invalid"),
  {
    name: "a plan that is too large",
    call: () => ({
      path: "/api/v1/organiser/venues",
      headers: { ...organiser, "content-length": String(41 * 1024 * 1024), connection: "close" },
      body: "{"
    }),
    status: 413,
    type: "body-too-large"
  },
  {
    name: "an event of an unknown venue",
    call: () => ({
      path: "/api/v1/organiser/events",
      headers: organiser,
      body: { venueId: unknownId, name: "x", startsAt: "2027-01-01T20:00:00Z" }
    }),
    status: 404,
    type: "venue-not-found"
  },
  {
    name: "a change of an event that is published",
    call: ({ event }) => ({
      method: "PUT",
      path: `/api/v1/organiser/events/${event.id}`,
      headers: organiser,
      body: { venueId: event.venue.id, name: "x", startsAt: "2027-01-01T20:00:00Z", currency: "EUR" }
    }),
    status: 409,
    type: "event-not-draft"
  },
  {
    name: "a change of an unknown event",
    call: () => ({
      method: "PATCH",
      path: `/api/v1/organiser/events/${unknownId}`,
      headers: organiser,
      body: { name: "x" }
    }),
    status: 404,
    type: "event-not-found"
  },
  {
    name: "a change of what is sold of a published event",
    call: ({ event }) => ({
      method: "PATCH",
      path: `/api/v1/organiser/events/${event.id}`,
      headers: organiser,
      body: { name: "x", tiers: [] }
    }),
    status: 400,
    type: "request-invalid"
  },
  {
    name: "a cancellation without a reason",
    call: ({ event }) => ({
      path: `/api/v1/organiser/events/${event.id}/cancel`,
      headers: organiser,
      body: { reason: "" }
    }),
    status: 400,
    type: "request-invalid"
  },
  {
    name: "the cancellation of an unknown event",
    call: () => ({
      path: `/api/v1/organiser/events/${unknownId}/cancel`,
      headers: organiser,
      body: { reason: "x" }
    }),
    status: 404,
    type: "event-not-found"
  },
  {
    name: "the refunds of an event that takes place",
    call: ({ event }) => ({ path: `/api/v1/organiser/events/${event.id}/refunds`, headers: organiser }),
    status: 404,
    type: "event-not-cancelled"
  },
  // --- webhooks
  {
    name: "a webhook without a signature",
    call: () => ({ path: "/api/v1/webhooks/sandbox", body: "{}" }),
    status: 400,
    type: "webhook-rejected"
  },
  {
    name: "a webhook with a wrong signature",
    call: () => ({
      path: "/api/v1/webhooks/sandbox",
      headers: { "sandbox-signature": `t=1,v1=${"0".repeat(64)}` },
      body: "{}"
    }),
    status: 400,
    type: "webhook-rejected"
  },
  {
    name: "a webhook of nobody",
    call: () => ({ path: "/api/v1/webhooks/nobody", body: "{}" }),
    status: 404,
    type: "provider-not-found"
  }
]
