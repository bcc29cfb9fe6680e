/** What is wrong at the routes for house seats, vouchers and the accessible pool. */
import { areaId, makeEventId, makeUuidV7, rowId, seatId } from "@onsale/contracts/Ids"
import { type Case, organiser, type World } from "./WrongWorld.ts"

const unknownId = makeUuidV7(0)
const nowhere = makeEventId(1)
const at = (eventId: string, path: string) => `/api/v1/organiser/events/${eventId}${path}`

/** Method, path behind the event, and a body that would be right. */
const routes: ReadonlyArray<readonly [method: string, path: string, body?: (world: World) => unknown]> = [
  ["POST", "/blocks", ({ seats }) => ({ name: "House", seats: [seats[790]] })],
  ["GET", "/blocks"],
  ["POST", `/blocks/${unknownId}/release`, () => ({})],
  ["POST", "/vouchers", ({ event }) => ({ count: 1, tiers: [event.tiers[0]?.id], maxTickets: 1 })],
  ["GET", "/vouchers"],
  ["DELETE", `/vouchers/${unknownId}`],
  ["POST", "/accessible/release", () => ({})]
]

const post = (
  name: string,
  path: string,
  body: (world: World) => unknown,
  status: number,
  type: string
): Case => ({
  name,
  call: (world) => ({ path: at(world.event.id, path), headers: organiser, body: body(world) }),
  status,
  type
})

const block = (name: string, more: (world: World) => object, status = 400, type = "request-invalid"): Case =>
  post(`a block ${name}`, "/blocks", (world) => ({ name: "House", ...more(world) }), status, type)

const vouchers = (
  name: string,
  more: (world: World) => object,
  status = 400,
  type = "request-invalid"
): Case =>
  post(
    `vouchers ${name}`,
    "/vouchers",
    (world) => ({ count: 1, tiers: [world.event.tiers[0]?.id], maxTickets: 1, ...more(world) }),
    status,
    type
  )

const event = (name: string, more: (world: World) => object, status: number, type: string): Case => ({
  name: `an event with ${name}`,
  call: (world) => ({
    path: "/api/v1/organiser/events",
    headers: organiser,
    body: {
      venueId: world.event.venue.id,
      name: "x",
      startsAt: "2027-01-01T20:00:00Z",
      currency: "EUR",
      ...more(world)
    }
  }),
  status,
  type
})

const tier = (rules: object) => ({
  tiers: [{ name: "T", price: { amount: 100, currency: "EUR" }, categories: ["45.00"], ...rules }]
})

export const sale: ReadonlyArray<Case> = [
  ...routes.flatMap(([method, path, body]): ReadonlyArray<Case> => {
    const sent = (world: World) => (body === undefined ? {} : { body: body(world) })
    return [
      {
        name: `${method} ${path} without a key`,
        call: (world) => ({ method, path: at(world.event.id, path), ...sent(world) }),
        status: 401,
        type: "unauthorized"
      },
      {
        name: `${method} ${path} of an unknown event`,
        call: (world) => ({ method, path: at(nowhere, path), headers: organiser, ...sent(world) }),
        status: 404,
        type: "event-not-found"
      },
      {
        name: `${method} ${path} of a garbage event`,
        call: (world) => ({ method, path: at("17", path), headers: organiser, ...sent(world) }),
        status: 400,
        type: "request-invalid"
      }
    ]
  }),
  post("a release of an unknown block", `/blocks/${unknownId}/release`, () => ({}), 404, "block-not-found"),
  {
    name: "an unknown voucher",
    call: (world) => ({
      method: "DELETE",
      path: at(world.event.id, `/vouchers/${unknownId}`),
      headers: organiser
    }),
    status: 404,
    type: "voucher-not-found"
  },
  ...["limit=0", "limit=1001", "limit=x"].map(
    (query): Case => ({
      name: `the vouchers of ${query}`,
      call: (world) => ({ path: at(world.event.id, `/vouchers?${query}`), headers: organiser }),
      status: 400,
      type: "request-invalid"
    })
  ),
  {
    name: "the vouchers behind a garbage cursor",
    call: (world) => ({ path: at(world.event.id, "/vouchers?cursor=x"), headers: organiser }),
    status: 400,
    type: "cursor-invalid"
  },
  block("of nothing", () => ({})),
  block("of empty lists", () => ({ seats: [], rows: [], sections: [], areas: [] })),
  block("without a name", ({ seats }) => ({ name: " ", seats: [seats[790]] })),
  block("of no ids", () => ({ seats: ["A1"] })),
  block("of too many seats", () => ({ seats: Array.from({ length: 1001 }, () => seatId(nowhere, 0)) })),
  block("of an area twice", ({ area }) => ({
    areas: [1, 2].map((quantity) => ({ areaId: area, quantity }))
  })),
  block("of no places", ({ area }) => ({ areas: [{ areaId: area, quantity: 0 }] })),
  block("of another event's seats", ({ otherSeats }) => ({ seats: [otherSeats[0]] }), 404, "seats-unknown"),
  block(
    "of seats that are not there",
    ({ event }) => ({ seats: [seatId(event.id, 800)] }),
    404,
    "seats-unknown"
  ),
  block(
    "of an area that is not there",
    ({ event }) => ({ areas: [{ areaId: areaId(event.id, 1), quantity: 1 }] }),
    404,
    "seats-unknown"
  ),
  block("of a row that is not there", ({ event }) => ({ rows: [rowId(event.id, 20)] }), 422, "event-invalid"),
  block(
    "of more places than there are",
    ({ area }) => ({ areas: [{ areaId: area, quantity: 501 }] }),
    422,
    "event-invalid"
  ),
  vouchers("of codes and a count", () => ({ codes: ["A"] })),
  vouchers("that unlock nothing", () => ({ tiers: [] })),
  vouchers("for no ticket", () => ({ maxTickets: 0 })),
  vouchers("too many at once", () => ({ count: 5001 })),
  vouchers("of a long code", () => ({ count: undefined, codes: ["x".repeat(65)] })),
  vouchers("of a blank code", () => ({ count: undefined, codes: ["  "] })),
  vouchers("of a code with a zero", () => ({ count: undefined, codes: ["a\u0000"] })),
  vouchers("until tomorrow", () => ({ until: "tomorrow" })),
  vouchers("of the same code twice", () => ({ count: undefined, codes: ["a", "A "] }), 422, "event-invalid"),
  vouchers("of an unknown tier", () => ({ tiers: [unknownId] }), 422, "event-invalid"),
  vouchers("of an unknown block", () => ({ blocks: [unknownId] }), 422, "event-invalid"),
  vouchers("of the past", () => ({ until: "2001-01-01T00:00:00Z" }), 422, "event-invalid"),
  event(
    "a quota of nothing",
    () => ({ quotas: [{ name: "Q", capacity: 0, tiers: ["T"] }] }),
    400,
    "request-invalid"
  ),
  event(
    "a quota of an unknown tier",
    () => ({ quotas: [{ name: "Q", capacity: 1, tiers: ["Nobody"] }] }),
    422,
    "event-invalid"
  ),
  event("a limit of no tickets", () => ({ maxPerCustomer: 0 }), 400, "request-invalid"),
  event("a least above the most", () => tier({ minPerOrder: 3, maxPerOrder: 2 }), 422, "event-invalid"),
  event(
    "a window inside out",
    () => tier({ sale: { from: "2026-12-31T00:00:00Z", until: "2026-12-30T00:00:00Z" } }),
    422,
    "event-invalid"
  ),
  event(
    "seats on two tiers",
    () => ({
      tiers: ["A", "B"].map((name) => ({
        name,
        price: { amount: 100, currency: "EUR" },
        categories: ["45.00"]
      }))
    }),
    422,
    "event-invalid"
  )
]
