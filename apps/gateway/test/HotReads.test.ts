import { pollUntil } from "@onsale/testing/Poll"
import { assert, describe, it } from "@effect/vitest"
import { CheckIns } from "@onsale/booking/CheckIns"
import { Orders } from "@onsale/booking/Orders"
import { Blocks } from "@onsale/catalog/Blocks"
import { Catalog } from "@onsale/catalog/Catalog"
import { PublicEvents } from "@onsale/catalog/PublicEvents"
import { EventSearches } from "@onsale/catalog/search/EventSearches"
import { SearchUnavailable } from "@onsale/catalog/search/SearchIndex"
import { Vouchers } from "@onsale/catalog/Vouchers"
import type { EventDetail, EventPage, EventSeatMap } from "@onsale/contracts/catalog/Event"
import { EventNotFound } from "@onsale/contracts/catalog/CatalogErrors"
import { areaId, makeEventId, makeUuidV7, TierId, VenueId } from "@onsale/contracts/Ids"
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { MailWebhooks } from "@onsale/notifications/MailWebhooks"
import { MessageLog } from "@onsale/notifications/MessageLog"
import { Notifications } from "@onsale/notifications/Notifications"
import { Suppressions } from "@onsale/notifications/Suppressions"
import { Preferences } from "@onsale/notifications/Preferences"
import { PushSubscriptions } from "@onsale/notifications/push/PushSubscriptions"
import { VapidKeys } from "@onsale/notifications/push/VapidKeys"
import { SmsCallbacks } from "@onsale/notifications/sms/SmsCallbacks"
import { UnsubscribeLinks } from "@onsale/notifications/UnsubscribeLinks"
import { WebhookDeliveries } from "@onsale/notifications/webhooks/WebhookDeliveries"
import { WebhookSubscriptions } from "@onsale/notifications/webhooks/WebhookSubscriptions"
import { Webhooks } from "@onsale/payments/Webhooks"
import * as HttpServer from "@onsale/platform/HttpServer"
import { ConfigProvider, Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { HttpServer as Server } from "effect/http"
import { Reactivity } from "effect/reactivity"
import { SqlClient, Statement } from "effect/sql"
import * as Gateway from "../src/Gateway.ts"
import * as RawClient from "./RawClient.ts"

const eventId = makeEventId(1_700_000_000_000)
const unknown = makeEventId(1_700_000_000_001)

const detail: EventDetail = {
  id: eventId,
  name: "Größe",
  description: "x".repeat(2_000),
  startsAt: "2030-01-01T20:00:00.000Z",
  timeZone: "UTC",
  venue: { id: VenueId.make(makeUuidV7(0)), name: "Hall", location: "" },
  performers: [],
  tiers: [],
  onSaleAt: "2026-01-01T20:00:00.000Z",
  saleEndsAt: "2030-01-01T20:00:00.000Z",
  maxPerOrder: 10,
  status: "on_sale"
}
const page: EventPage = { events: [], nextCursor: null }
const map: EventSeatMap = { version: 3, sections: [], areas: [] }

/** The whole edge on a free port, over a catalog and an inventory that answer as told, until the scope closes. */
const serve = Effect.gen(function* () {
  const world = {
    view: {
      version: 7,
      total: 1_000,
      held: Array.from({ length: 100 }, (_, seat) => seat),
      sold: [],
      areas: [],
      tiers: []
    } as AvailabilityView,
    away: false,
    /** By whoever may write to the tables. */
    deleted: false,
    map,
    details: 0,
    searches: 0,
    overloaded: false,
    /** How often a typed route has looked whether there is the event. */
    lookups: 0
  }
  const known = <A>(id: string, value: A) =>
    id === eventId && !world.deleted
      ? Effect.succeed(value)
      : Effect.fail(new EventNotFound({ eventId: unknown }))
  const contexts = Layer.mergeAll(
    Layer.mock(Catalog, {
      eventNumber: (id) =>
        Effect.suspend(() => {
          world.lookups++
          return known(id, 1)
        }),
      get: (id) =>
        Effect.suspend(() => {
          world.details++
          return known(id, detail)
        }),
      list: () => Effect.succeed(page),
      seatMap: (id) => Effect.suspend(() => known(id, world.map)),
      seatMapVersion: (id) => Effect.suspend(() => known(id, world.map.version))
    }),
    Layer.mock(PublicEvents, {}),
    Layer.mock(EventSearches, {
      search: ({ page = 1, size = 10 }) =>
        Effect.suspend(() => {
          world.searches++
          return world.overloaded
            ? Effect.fail(new SearchUnavailable({ retryAfterMs: 1_500 }))
            : Effect.succeed({ events: [], total: 0, totalIsExact: true, page, size })
        })
    }),
    Layer.mock(Orders, {}),
    Layer.mock(Blocks, {}),
    Layer.mock(Vouchers, {}),
    Layer.mock(CheckIns, {}),
    Layer.mock(Notifications, {}),
    Layer.mock(MailWebhooks, {}),
    Layer.mock(MessageLog, {}),
    Layer.mock(Suppressions, {}),
    Layer.mock(Preferences, {}),
    Layer.mock(UnsubscribeLinks, {}),
    Layer.mock(WebhookDeliveries, {}),
    Layer.mock(WebhookSubscriptions, {}),
    Layer.mock(PushSubscriptions, {}),
    Layer.mock(SmsCallbacks, {}),
    Layer.mock(VapidKeys, { publicKey: "", privateKey: Redacted.make(""), subject: "" }),
    Layer.mock(Webhooks, {}),
    Layer.mock(InventoryClient, {
      availability: () =>
        Effect.suspend(() =>
          world.away
            ? Effect.fail(new InventoryUnavailable({ reason: "overloaded", retryAfterMs: 1_500 }))
            : Effect.succeed(world.view)
        )
    }),
    // Only asked for whether it answers.
    Layer.effect(
      SqlClient.SqlClient,
      SqlClient.make({
        acquirer: Effect.never,
        compiler: Statement.makeCompilerSqlite(),
        driver: "none",
        spanAttributes: []
      })
    ).pipe(Layer.provide(Reactivity.layer))
  )
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const context = yield* HttpServer.serve(Gateway.layer({ organiserKey: Redacted.make("key") }), {
    port: 0,
    host: "127.0.0.1",
    shutdownLimit: 2_000
  }).pipe(Layer.provide(contexts), Layer.buildWithScope(scope))
  const { address } = Context.get(context, Server.HttpServer)
  const client = yield* RawClient.make(address._tag === "UnixPathAddress" ? 0 : address.port)
  const get = Effect.fnUntraced(function* (path: string, headers = "") {
    client.send(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`)
    return yield* client.answer
  })
  return { world, client, get }
})

/** Of a type that the lean path leaves to the routes. */
const typed = "accept: text/html, */*\r\n"
const event = `/api/v1/events/${eventId}`
const paths = {
  availability: `${event}/availability`,
  seatMap: `${event}/seatmap`,
  "seat map of a version": `${event}/seatmap?version=3`,
  event,
  events: "/api/v1/events",
  "a page of events": "/api/v1/events?limit=5&from=2026-01-01T00:00:00Z",
  "a search": "/api/v1/search/events?q=Gr%C3%B6%C3%9Fe&size=5"
}
const mine = `x-correlation-id: mine\r\ntraceparent: 00-${"a".repeat(32)}-${"b".repeat(16)}-01\r\n`

describe("HotReads in front of the routes", () => {
  for (const [name, path] of Object.entries(paths)) {
    it.live(`answers ${name} with the bytes and headers of the typed route`, () =>
      Effect.gen(function* () {
        const { get } = yield* serve
        const first = yield* get(path)
        assert.strictEqual(first.status, 200)
        const etag = first.headers["etag"] ?? assert.fail("no ETag")
        for (const headers of [
          mine,
          `${mine}if-none-match: ${etag}\r\n`,
          `x-correlation-id: mine\r\nif-none-match: ${etag}\r\n`,
          `${mine}if-none-match: "x", W/${etag}\r\n`,
          `${mine}if-none-match: "other"\r\n`,
          `${mine}accept-encoding: gzip;q=0\r\n`
        ]) {
          const lean = yield* get(path, headers)
          assert.deepStrictEqual(lean, yield* get(path, headers + typed), headers)
          assert.strictEqual(lean.headers["x-correlation-id"], "mine")
          assert.strictEqual(lean.status, headers.includes(etag) ? 304 : 200)
          // There is linked data at the address of an event.
          assert.strictEqual(
            lean.headers["vary"],
            name === "event" ? "accept, accept-encoding" : "accept-encoding"
          )
        }
      })
    )
  }

  it.live("does not come to the typed route with what that has answered before", () =>
    Effect.gen(function* () {
      const { get, world } = yield* serve
      yield* get(paths.availability)
      const { lookups } = world
      for (const headers of ["", "accept: application/json\r\n", "accept: */*\r\n"]) {
        assert.strictEqual((yield* get(paths.availability, headers)).status, 200)
      }
      assert.strictEqual(world.lookups, lookups)
      yield* get(paths.availability, typed)
      assert.strictEqual(world.lookups, lookups + 1)
    })
  )

  it.live("gives both paths the compressed bytes, and none to who does not ask", () =>
    Effect.gen(function* () {
      const { get } = yield* serve
      for (const path of [paths.availability, paths.event]) {
        yield* get(path, "accept-encoding: gzip\r\n")
        const lean = yield* get(path, `${mine}accept-encoding: gzip\r\n`)
        assert.strictEqual(lean.headers["content-encoding"], "gzip")
        assert.deepStrictEqual(lean, yield* get(path, `${mine}accept-encoding: gzip\r\n${typed}`))
        const plain = yield* get(path)
        assert.isUndefined(plain.headers["content-encoding"])
        assert.notStrictEqual(plain.headers["etag"], lean.headers["etag"])
      }
    })
  )

  it.live("leaves HEAD and bodies to the typed routes, which answer as before", () =>
    Effect.gen(function* () {
      const { client, get } = yield* serve
      const { headers } = yield* get(event, mine)
      client.send(`GET ${event} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n${mine}\r\nhi`)
      assert.deepStrictEqual((yield* client.answer).headers, headers)
      client.send(`GET ${event} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 70000\r\n\r\n`)
      assert.strictEqual((yield* client.answer).status, 413)
    })
  )

  it.live("a changed version is never served under the old tag, to either", () =>
    Effect.gen(function* () {
      const { get, world } = yield* serve
      const before = yield* get(paths.availability)
      world.view = { ...world.view, version: 8, held: [1] }
      const tag = `if-none-match: ${before.headers["etag"]}\r\n`
      for (const headers of [tag, tag + typed]) {
        // What comes from elsewhere shows after a while.
        const after = yield* pollUntil(get(paths.availability, headers), ({ status }) => status === 200)
        assert.include(after.body, '"version":8')
        assert.notStrictEqual(after.headers["etag"], before.headers["etag"])
      }
    })
  )

  it.live("does not find an event that was deleted past the service, on any path", () =>
    Effect.gen(function* () {
      const { get, world } = yield* serve
      for (const path of [paths.availability, paths.event, paths.seatMap]) {
        assert.strictEqual((yield* get(path)).status, 200)
      }
      world.deleted = true
      for (const path of [paths.availability, paths.event, paths.seatMap]) {
        const lean = yield* pollUntil(get(path, mine), ({ status }) => status !== 200, { deadline: 30_000 })
        assert.strictEqual(lean.status, 404, path)
        assert.deepStrictEqual(lean, yield* get(path, mine + typed))
        assert.include(lean.body, "event-not-found")
      }
    })
  )

  it.live(
    "gives a client that has the seat map of another version the new one, and the old one to nobody",
    () =>
      Effect.gen(function* () {
        const { get, world } = yield* serve
        const before = yield* get(paths.seatMap)
        const tier = TierId.make(makeUuidV7(1))
        world.map = { ...map, version: 4, areas: [{ id: areaId(eventId, 0), name: "Floor", tier }] }
        const tag = `if-none-match: ${before.headers["etag"]}\r\n`
        for (const headers of [tag, tag + typed]) {
          const after = yield* pollUntil(get(paths.seatMap, headers), ({ status }) => status !== 304, {
            deadline: 30_000
          })
          assert.strictEqual(after.status, 200)
          assert.include(after.body, "Floor")
          assert.notStrictEqual(after.headers["etag"], before.headers["etag"])
        }
        assert.strictEqual((yield* get(paths["seat map of a version"])).status, 404)
      })
  )

  it.live("answers overload, unknown events and wrong ids as the typed route does", () =>
    Effect.gen(function* () {
      const { get, world } = yield* serve
      yield* get(paths.availability)
      world.away = true
      const lean = yield* pollUntil(get(paths.availability, mine), ({ status }) => status === 503)
      assert.strictEqual(lean.headers["retry-after"], "2")
      assert.deepStrictEqual(lean, yield* get(paths.availability, mine + typed))
      for (const [path, status, type] of [
        [`/api/v1/events/${unknown}`, 404, "event-not-found"],
        [`/api/v1/events/${unknown}/availability`, 404, "event-not-found"],
        [`/api/v1/events/${unknown}/seatmap`, 404, "event-not-found"],
        [`${event}/seatmap?version=4`, 404, "seat-map-not-found"],
        [`${event}/seatmap?version=x`, 400, "request-invalid"],
        ["/api/v1/events/nobody", 400, "request-invalid"],
        ["/api/v1/events/nobody/availability", 400, "request-invalid"]
      ] as const) {
        for (let i = 0; i < 2; i++) {
          const answer = yield* get(path)
          assert.strictEqual(answer.status, status, path)
          assert.strictEqual(answer.headers["content-type"], "application/problem+json")
          assert.include(answer.body, type)
        }
      }
    })
  )

  it.live("caches a version of a seat map for ever, and what changes for a second at the edge only", () =>
    Effect.gen(function* () {
      const { get } = yield* serve
      const policy = (path: string) => Effect.map(get(path), ({ headers }) => headers["cache-control"])
      assert.strictEqual(yield* policy(paths["seat map of a version"]), "public, max-age=31536000, immutable")
      assert.strictEqual(yield* policy(paths.seatMap), "public, max-age=60")
      assert.strictEqual(
        (yield* get(paths.seatMap)).headers["content-location"],
        paths["seat map of a version"]
      )
      for (const path of [paths.availability, paths.event, paths.events]) {
        assert.strictEqual(yield* policy(path), "public, max-age=0, s-maxage=1")
      }
    })
  )

  it.live("reads an event once a second, however many ask", () =>
    Effect.gen(function* () {
      const { get, world } = yield* serve
      for (let i = 0; i < 50; i++) yield* get(event)
      assert.isBelow(world.details, 5)
    })
  )

  it.live("searches once a second, however many type the same, and for each who types something else", () =>
    Effect.gen(function* () {
      const { get, world } = yield* serve
      for (let i = 0; i < 50; i++) yield* get("/api/v1/search/events?q=bench&size=5")
      // In another order it is the same search.
      yield* get("/api/v1/search/events?size=5&q=bench")
      assert.isBelow(world.searches, 5)
      const before = world.searches
      const answer = yield* get("/api/v1/search/events?q=bench&size=6")
      assert.strictEqual(world.searches, before + 1)
      assert.include(answer.body, '"size":6')
    })
  )

  it.live("says to all who wait that a search was too much, and keeps nothing of it", () =>
    Effect.gen(function* () {
      const { get, world } = yield* serve
      world.overloaded = true
      const refused = yield* get(paths["a search"])
      assert.strictEqual(refused.status, 503)
      assert.strictEqual(refused.headers["retry-after"], "2")
      world.overloaded = false
      assert.strictEqual((yield* get(paths["a search"])).status, 200)
    })
  )

  it.live("is not reached by a client that asks for too much", () =>
    Effect.gen(function* () {
      const { get } = yield* serve
      const statuses: Array<number> = []
      for (let i = 0; i < 4; i++) statuses.push((yield* get(event)).status)
      assert.deepStrictEqual(statuses, [200, 200, 429, 429])
    }).pipe(
      Effect.provideService(
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromUnknown({
          ONSALE_RATE_LIMIT_READS: "2",
          ONSALE_RATE_LIMIT_WINDOW: "100 seconds",
          ONSALE_RATE_LIMIT_LOOPBACK: "limited"
        })
      )
    )
  )
})
