import { assert, describe, it } from "@effect/vitest"
import { OnsaleRpc } from "@onsale/contracts/rpc/OnsaleRpc"
import * as RequestClass from "../src/RequestClass.ts"

const event = "/api/v1/events/018f6a3e-0000-7000-8000-000000000000"

describe("what is refused first", () => {
  const expected: Readonly<Record<string, ReadonlyArray<string>>> = {
    cold: [
      "GET /",
      "GET /docs",
      "GET /sitemap.xml",
      "GET /api/v1/search/events?q=a",
      "GET /api/v1/events?limit=20",
      `GET ${event}/seatmap`,
      "GET /api/v1/venues/1/calendar.ics",
      "GET /api/v1/orders/1/tickets.pdf",
      "GET /api/v1/orders/1/calendar.ics",
      "GET /api/v1/organiser/events/1/sales",
      "POST /api/v1/organiser/venues",
      "GET /compat/api/v1/search/events"
    ],
    reads: [
      `GET ${event}`,
      `GET ${event}/availability?a=b`,
      "GET /api/v1/orders/1",
      "GET /api/v1/holds/1",
      "GET /api/v1/tickets/1",
      "PUT /api/v1/preferences"
    ],
    holds: [`POST ${event}/holds`, "POST /compat/api/v1/booking/tickets/reserve"],
    orders: [
      "POST /api/v1/orders",
      "POST /api/v1/orders/1/refunds",
      "POST /compat/api/bookings",
      "POST /compat/api/v1/booking/tickets/confirm",
      "POST /compat/api/v1/seats/lock"
    ],
    never: [
      "GET /healthz",
      "GET /readyz",
      "GET /metrics",
      "POST /api/v1/webhooks/stripe",
      "POST /api/v1/checkins",
      "DELETE /api/v1/holds/1",
      "POST /api/v1/holds/1/extend",
      "POST /api/v1/organiser/events/1/cancel",
      "POST /rpc",
      "GET /rpc"
    ]
  }

  for (const [name, requests] of Object.entries(expected)) {
    it(`${name}: ${requests.length} kinds of requests`, () => {
      for (const request of requests) {
        const [method, url] = request.split(" ")
        assert.strictEqual(RequestClass.of(method, url!) ?? "never", name, request)
      }
    })
  }

  it("a path in another form that the routes take is of the same class", () => {
    const others = [
      "POST /API/v1//orders/",
      "POST //api/v1/orders",
      "POST /api/v1/%6Frders",
      "POST /api/v1/orders/?a=b",
      "POST http://x/api/v1/orders",
      "POST HTTPS://x:3000/API/v1/orders?a=b",
      "POST /api/v1/orders;a=b",
      "POST /compat/api/bookings#a",
      "POST /compat/api/bookings/",
      "POST /Compat/API/v1/seats//lock"
    ]
    for (const request of others) {
      const [method, url] = request.split(" ")
      assert.strictEqual(RequestClass.of(method, url!), "orders", request)
    }
    assert.isUndefined(RequestClass.of("GET", "/HealthZ/"))
    assert.strictEqual(RequestClass.of("GET", "/api/v1/%zz"), "cold")
  })

  it("a call over RPC is of the class of its request over HTTP", () => {
    const classes = Array.from(OnsaleRpc.requests.keys(), (name) => [name, RequestClass.ofCall(name)])
    const of = Object.fromEntries(classes) as Record<string, string | undefined>
    assert.deepInclude(of, {
      CreateOrder: "orders",
      RefundOrder: "orders",
      CreateHold: "holds",
      GetAvailability: "reads",
      GetSeatMap: "cold",
      ListEvents: "cold",
      SearchEvents: "cold",
      GetSales: "cold",
      CheckIn: undefined,
      ReleaseHold: undefined,
      ExtendHold: undefined,
      CancelEvent: undefined
    })
  })
})
