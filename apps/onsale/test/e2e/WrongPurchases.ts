/** Wrong bodies, holds, keys and orders. */
import { makeUuidV7 } from "@onsale/contracts/Ids"
import type { Case, World } from "./WrongWorld.ts"

const unknownId = makeUuidV7(0)
const key = { "idempotency-key": "of-the-wrong" }
const holds = ({ event, shop }: World) => shop.api(`/events/${event.id}/holds`)
const orders = "/api/v1/orders"
const megabyte = "x".repeat(1024 * 1024)

const badHold = (
  name: string,
  body: (world: World) => unknown,
  status = 400,
  type = "request-invalid"
): Case => ({
  name: `a hold of ${name}`,
  call: (world) => ({
    path: holds(world),
    headers: { "idempotency-key": `hold of ${name}` },
    body: body(world)
  }),
  status,
  type
})

const newOrder = (world: World, more: object = {}) => ({
  holdId: world.hold.id,
  customer: { name: "Ada", email: "ada@example.org" },
  payment: { method: "tok_ok" },
  ...more
})

const badOrder = (
  name: string,
  body: (world: World) => unknown,
  status = 400,
  type = "request-invalid"
): Case => ({
  name: `an order with ${name}`,
  call: (world) => ({
    path: orders,
    headers: { "idempotency-key": `order with ${name}` },
    body: body(world)
  }),
  status,
  type
})

const quantities = [-1, 0, 1.5, 10_001, 1e308, 2 ** 53, "2", null, [2]]

export const purchases: ReadonlyArray<Case> = [
  // --- bodies
  badHold("bad JSON", () => '{"seats": [', 400),
  badHold("an empty body", () => ""),
  badHold("null", () => "null"),
  badHold("an array", () => []),
  badHold("a number", () => "17"),
  badHold("nothing", () => ({})),
  badHold("no seats", () => ({ seats: [] })),
  badHold("a megabyte", () => ({ seats: [megabyte] }), 413, "body-too-large"),
  badHold("deep nesting", () => `${"[".repeat(30_000)}${"]".repeat(30_000)}`),
  badHold("broken deep nesting", () => "[".repeat(60_000)),
  badHold("prototype keys", () => '{"__proto__":{"seats":[]},"constructor":{"prototype":{"x":1}}}'),
  badHold("a prototype as its wish", () => '{"bestAvailable":{"__proto__":{"quantity":2}}}'),
  {
    name: "a megabyte without a length",
    call: (world) => ({
      path: holds(world),
      headers: key,
      body: Array.from({ length: 64 }, () => Buffer.alloc(16 * 1024, "x"))
    }),
    status: 413,
    type: "body-too-large"
  },
  {
    name: "a megabyte without a length to the webhooks",
    call: () => ({
      path: "/api/v1/webhooks/sandbox",
      body: Array.from({ length: 64 }, () => Buffer.alloc(16 * 1024, "x"))
    }),
    status: 413,
    type: "body-too-large"
  },
  ...[
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "nonsense"
  ].map(
    (type): Case => ({
      name: `a body of type ${type}`,
      call: (world) => ({
        path: holds(world),
        headers: { ...key, "content-type": type },
        body: '{"bestAvailable":{"quantity":1}}'
      }),
      status: 415,
      type: "unsupported-media-type"
    })
  ),
  // --- what is to be held
  ...quantities.map((quantity) =>
    badHold(`${JSON.stringify(quantity)} seats by best available`, () => ({ bestAvailable: { quantity } }))
  ),
  ...quantities.map((quantity) =>
    badHold(`${JSON.stringify(quantity)} places`, ({ area }) => ({ areas: [{ areaId: area, quantity }] }))
  ),
  badHold(
    "more than an order may have",
    () => ({ bestAvailable: { quantity: 10_000 } }),
    422,
    "limit-passed"
  ),
  badHold(
    "more places than an order may have",
    ({ area }) => ({ areas: [{ areaId: area, quantity: 11 }] }),
    422,
    "limit-passed"
  ),
  badHold(
    "more seats than an order may have",
    ({ seats }) => ({ seats: seats.slice(100, 111) }),
    422,
    "limit-passed"
  ),
  badHold("more seats than any event", ({ seats }) => ({ seats: [...seats, ...seats] })),
  badHold("a seat twice", ({ seats }) => ({ seats: [seats[50], seats[50]] })),
  badHold("an area twice", ({ area }) => ({ areas: [1, 2].map((quantity) => ({ areaId: area, quantity })) })),
  badHold("a seat of another event", ({ otherSeats }) => ({ seats: [otherSeats[5]] }), 404, "seats-unknown"),
  badHold(
    "one seat of each event",
    ({ otherSeats, seats }) => ({ seats: [seats[60], otherSeats[5]] }),
    404,
    "seats-unknown"
  ),
  badHold(
    "a seat beyond the last",
    ({ event }) => ({ seats: [`${event.id.slice(0, 30)}7fffff`] }),
    404,
    "seats-unknown"
  ),
  badHold("an unknown seat", () => ({ seats: [unknownId] }), 404, "seats-unknown"),
  badHold("an area as a seat", ({ area }) => ({ seats: [area] }), 404, "seats-unknown"),
  badHold(
    "a seat as an area",
    ({ seats }) => ({ areas: [{ areaId: seats[0], quantity: 1 }] }),
    404,
    "seats-unknown"
  ),
  badHold("a garbage seat", () => ({ seats: ["A-12"] })),
  badHold("a seat that is a number", () => ({ seats: [12] })),
  badHold(
    "an unknown section",
    () => ({ bestAvailable: { quantity: 1, section: "nowhere" } }),
    404,
    "seats-unknown"
  ),
  badHold(
    "an unknown tier",
    () => ({ bestAvailable: { quantity: 1, tier: "\u0000" } }),
    404,
    "seats-unknown"
  ),
  // --- keys
  {
    name: "a hold without a key",
    call: (world) => ({ path: holds(world), body: { bestAvailable: { quantity: 1 } } }),
    status: 400,
    type: "request-invalid"
  },
  ...["", "k".repeat(300)].map(
    (value): Case => ({
      name: `a hold with a key of ${value.length} characters`,
      call: (world) => ({
        path: holds(world),
        headers: { "idempotency-key": value },
        body: { bestAvailable: { quantity: 1 } }
      }),
      status: 400,
      type: "request-invalid"
    })
  ),
  {
    name: "an order without a key",
    call: (world) => ({ path: orders, body: newOrder(world) }),
    status: 400,
    type: "request-invalid"
  },
  {
    name: "a refund without a key",
    call: ({ order }) => ({ path: `${orders}/${order.id}/refunds`, body: { reason: "" } }),
    status: 400,
    type: "request-invalid"
  },
  // --- orders
  badOrder("an unknown hold", (world) => newOrder(world, { holdId: unknownId }), 404, "hold-not-found"),
  badOrder(
    "an unknown hold of the event",
    (world) =>
      newOrder(world, { holdId: `${world.hold.id.slice(0, 35)}${world.hold.id.endsWith("0") ? 1 : 0}` }),
    404,
    "hold-not-found"
  ),
  badOrder("a garbage hold", (world) => newOrder(world, { holdId: "hold" })),
  badOrder("no customer", (world) => newOrder(world, { customer: undefined })),
  badOrder("a long name", (world) =>
    newOrder(world, { customer: { name: "x".repeat(201), email: "a@example.org" } })
  ),
  badOrder("a bad address", (world) => newOrder(world, { customer: { name: "x", email: "nowhere" } })),
  badOrder("a header in the address", (world) =>
    newOrder(world, { customer: { name: "x", email: "a@example.org\r\nBcc: b@example.org" } })
  ),
  badOrder("a card number", (world) => newOrder(world, { payment: { method: "4242424242424242" } })),
  badOrder("a garbage provider", (world) =>
    newOrder(world, { payment: { method: "tok_ok", provider: "../x" } })
  ),
  badOrder(
    "an unknown provider",
    (world) => newOrder(world, { payment: { method: "tok_ok", provider: "nobody" } }),
    402,
    "payment-declined"
  ),
  badOrder(
    "an unknown method",
    (world) => newOrder(world, { payment: { method: "tok_none" } }),
    402,
    "payment-declined"
  ),
  badOrder("a megabyte", (world) => newOrder(world, { more: megabyte }), 413, "body-too-large"),
  ...[[], ["x"], [unknownId, unknownId]].map(
    (tickets): Case => ({
      name: `a refund of the tickets ${JSON.stringify(tickets)}`,
      call: ({ order }) => ({
        path: `${orders}/${order.id}/refunds`,
        headers: { "idempotency-key": `refund ${JSON.stringify(tickets)}` },
        body: { tickets, reason: "x" }
      }),
      status: 400,
      type: "request-invalid"
    })
  ),
  {
    name: "a refund of a ticket that is not of the order",
    call: ({ order }) => ({
      path: `${orders}/${order.id}/refunds`,
      headers: { "idempotency-key": "refund of another" },
      body: { tickets: [unknownId], reason: "x" }
    }),
    status: 422,
    type: "not-refundable"
  },
  {
    name: "a refund of an unknown order",
    call: () => ({ path: `${orders}/${unknownId}/refunds`, headers: key, body: { reason: "x" } }),
    status: 404,
    type: "order-not-found"
  }
]
