/** What those who run the service rely on: health, metrics, documents, caches, and that it stops and starts well. */
import { assert, describe, it } from "@effect/vitest"
import type { EventDetail } from "@onsale/contracts/catalog/Event"
import { Hold } from "@onsale/contracts/http/HoldsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { pollUntil } from "@onsale/testing/Poll"
import { layerEmptyDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { Clock, Context, Effect, Layer } from "effect"
import { existsSync } from "node:fs"
import * as Fuzz from "./Fuzz.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const plan = [
  "section,row,seat_from,seat_to,quantity,price",
  ...Array.from({ length: 10 }, (_, row) => `Stalls,${row + 1},1,50,,45.00`)
].join("\n")

class Running extends Context.Service<
  Running,
  {
    readonly service: Service.Service
    readonly shop: Shop.Shop
    readonly event: EventDetail
  }
>()("test/Running") {
  static readonly layer = Layer.effect(
    Running,
    Effect.gen(function* () {
      const service = yield* Service.start()
      const shop = Shop.at(service.url)
      const event = yield* shop.openEvent(yield* shop.importPlan("csv", plan), { tiers: [], currency: "EUR" })
      return { service, shop, event }
    })
  )
}

/** Method and path of everything that is served under /api/v1. */
const routes = [
  "GET /events",
  "GET /events/{eventId}",
  "GET /events/{eventId}/seatmap",
  "GET /events/{eventId}/availability",
  "GET /events/{eventId}/availability/stream",
  "POST /events/{eventId}/holds",
  "GET /holds/{holdId}",
  "DELETE /holds/{holdId}",
  "POST /holds/{holdId}/extend",
  "POST /orders",
  "GET /orders",
  "GET /orders/{orderId}",
  "POST /orders/{orderId}/refunds",
  "GET /orders/{orderId}/tickets.pdf",
  "GET /tickets/{ticketId}",
  "GET /tickets/{ticketId}/ticket.pdf",
  "GET /tickets/{ticketId}/pass.pkpass",
  "GET /tickets/{ticketId}/google-wallet",
  "POST /webhooks/{provider}",
  "POST /organiser/venues",
  "GET /organiser/venues",
  "GET /organiser/venues/{venueId}",
  "GET /organiser/venues/{venueId}/pretix",
  "POST /organiser/events",
  "GET /organiser/events/{eventId}",
  "PUT /organiser/events/{eventId}",
  "PATCH /organiser/events/{eventId}",
  "POST /organiser/events/{eventId}/publish",
  "POST /organiser/events/{eventId}/cancel",
  "GET /organiser/events/{eventId}/refunds",
  "PUT /organiser/events/{eventId}/refund-policy",
  "POST /organiser/orders/{orderId}/refunds",
  "GET /organiser/events/{eventId}/sales",
  "POST /organiser/events/{eventId}/blocks",
  "GET /organiser/events/{eventId}/blocks",
  "POST /organiser/events/{eventId}/blocks/{blockId}/release",
  "POST /organiser/events/{eventId}/vouchers",
  "GET /organiser/events/{eventId}/vouchers",
  "DELETE /organiser/events/{eventId}/vouchers/{voucherId}",
  "POST /organiser/events/{eventId}/accessible/release",
  "GET /organiser/notifications",
  "GET /organiser/notifications/{id}",
  "POST /organiser/notifications/{id}/replay",
  "GET /organiser/suppressions",
  "DELETE /organiser/suppressions/{address}",
  "POST /webhooks/mail/{provider}",
  "POST /orders/{orderId}/tickets/{ticketId}/transfer",
  "POST /orders/{orderId}/tickets/{ticketId}/reissue",
  "POST /checkins",
  "GET /organiser/door-keys",
  "GET /organiser/events/{eventId}/door-bundle",
  "POST /organiser/events/{eventId}/scans",
  "GET /organiser/events/{eventId}/scans/conflicts",
  "GET /organiser/events/{eventId}/checkins",
  "GET /preferences",
  "PUT /preferences",
  "GET /unsubscribe/{token}",
  "POST /unsubscribe/{token}",
  "POST /organiser/webhooks",
  "GET /organiser/webhooks",
  "GET /organiser/webhooks/{webhookId}",
  "PATCH /organiser/webhooks/{webhookId}",
  "DELETE /organiser/webhooks/{webhookId}",
  "POST /organiser/webhooks/{webhookId}/rotate",
  "POST /organiser/webhooks/{webhookId}/ping",
  "POST /organiser/webhooks/{webhookId}/replay",
  "GET /organiser/webhooks/{webhookId}/deliveries",
  "GET /organiser/webhooks/{webhookId}/deliveries/{deliveryId}",
  "POST /organiser/webhooks/{webhookId}/deliveries/{deliveryId}/replay",
  "GET /push/key",
  "POST /push/subscriptions",
  "DELETE /push/subscriptions/{id}",
  "POST /webhooks/sms/twilio",
  "GET /search/events",
  "GET /venues/{venueId}/calendar.ics",
  "GET /orders/{orderId}/calendar.ics",
  "GET /sitemap.xml",
  "GET /robots.txt",
  "POST /compat/api/v1/seats/lock",
  "GET /compat/api/v1/management/events/{uuid}",
  "POST /compat/api/v1/booking/tickets/reserve",
  "POST /compat/api/v1/booking/tickets/confirm",
  "GET /compat/api/v1/search/events",
  "POST /compat/api/bookings"
]

/** A line of the Prometheus text format 0.0.4. */
const metricLine =
  /^(# (HELP|TYPE) [a-zA-Z_:][\w:]* .*|[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\.)*",?)*\})? (-?[\d.]+(e[+-]?\d+)?|[+-]Inf|NaN)( \d+)?)$/

const withTime = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.zip(effect, Clock.currentTimeMillis)

/** Orders whose payment takes seconds: they are all under way when the service is told to stop. */
const slowOrders = 200

describe("Operation", () => {
  it.layer(Running.layer, { timeout: 60_000, excludeTestServices: true })((it) => {
    it.effect("is alive and ready, and says so", () =>
      Effect.gen(function* () {
        const { shop } = yield* Running
        for (const [path, status] of [
          ["/healthz", "alive"],
          ["/readyz", "ready"]
        ] as const) {
          const reply = yield* shop.send({ path })
          assert.strictEqual(reply.status, 200)
          assert.deepStrictEqual(reply.json, { status })
        }
      })
    )

    it.effect("tells Prometheus what it does", () =>
      Effect.gen(function* () {
        const { event, shop } = yield* Running
        yield* shop.hold(event.id, { bestAvailable: { quantity: 1 } })
        const reply = yield* shop.send({ path: "/metrics" })
        assert.match(reply.headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4/)
        const lines = reply.text.split("\n").filter((line) => line !== "")
        assert.deepStrictEqual(
          lines.filter((line) => !metricLine.test(line)),
          []
        )
        assert.isTrue(
          lines.some((line) => /^onsale_\w+(\{.*\})? [1-9]/.test(line)),
          "the hold is counted"
        )
      })
    )

    it.effect("shows metrics and mail on this machine only", () =>
      Effect.gen(function* () {
        const { shop } = yield* Running
        for (const path of ["/metrics", "/dev/mail", "/dev/mail/x", "/dev/mail/x/raw"]) {
          for (const header of ["x-forwarded-for", "forwarded", "x-real-ip", "via"]) {
            const reply = yield* shop.send({ path, headers: { [header]: "203.0.113.7" } })
            assert.strictEqual(reply.status, 403, `${path} with ${header}`)
            assert.strictEqual((yield* Shop.problemOf(reply)).type, "urn:onsale:problem:local-only")
          }
        }
        assert.strictEqual((yield* shop.send({ path: "/dev/mail" })).status, 200)
        const behindProxy = yield* shop.send({
          path: "/healthz",
          headers: { "x-forwarded-for": "203.0.113.7" }
        })
        assert.strictEqual(behindProxy.status, 200)
      })
    )

    it.effect("describes every route in OpenAPI 3.1, and errors as problems", () =>
      Effect.gen(function* () {
        const { shop } = yield* Running
        const reply = yield* shop.send({ path: "/openapi.json" })
        const document = yield* Shop.expect(200, Fuzz.Document)(reply)
        assert.match(document.openapi, /^3\.1\./)
        assert.sameMembers(
          Object.entries(document.paths).flatMap(([path, operations]) =>
            Object.keys(operations).map(
              (method) => `${method.toUpperCase()} ${path.replace(/^\/api\/v1/, "")}`
            )
          ),
          routes
        )
        assert.include(reply.text, "application/problem+json")
        assert.notInclude(reply.text, "about:blank")
      })
    )

    it.effect("has documents that need no other machine, and a first page whose links lead somewhere", () =>
      Effect.gen(function* () {
        const { shop } = yield* Running
        const docs = yield* shop.send({ path: "/docs" })
        assert.strictEqual(docs.status, 200)
        assert.include(docs.text, "SwaggerUIBundle(")
        assert.notMatch(docs.text, /<(script|link|img|iframe)[^>]+(src|href)\s*=\s*["']?(https?:)?\/\//i)
        assert.notMatch(docs.text, /@import|url\(\s*["']?(https?:)?\/\//i)
        const root = yield* shop.send({ path: "/" })
        assert.strictEqual(root.status, 200)
        const links = Array.from(root.text.matchAll(/href="([^"]+)"/g), ([, href = ""]) => href)
        assert.includeMembers(links, ["/docs", "/openapi.json", "/metrics", "/dev/mail"])
        for (const path of links) assert.strictEqual((yield* shop.send({ path })).status, 200, path)
      })
    )

    it.effect("gives every answer a correlation id, the caller's own where there is one", () =>
      Effect.gen(function* () {
        const { event, shop } = yield* Running
        for (const path of [
          "/healthz",
          "/nowhere",
          "/api/v1/events",
          `/api/v1/events/${event.id}/availability`
        ]) {
          const made = yield* shop.send({ path })
          assert.match(String(made.headers["x-correlation-id"]), /^[0-9a-f-]{36}$/, path)
          const kept = yield* shop.send({ path, headers: { "x-correlation-id": "buyer-7/a:b" } })
          assert.strictEqual(kept.headers["x-correlation-id"], "buyer-7/a:b", path)
        }
        for (const seats of [1, 1, 99]) {
          const held = yield* shop.send({
            path: shop.api(`/events/${event.id}/holds`),
            headers: { "idempotency-key": Shop.newKey(), "x-correlation-id": "buyer-8" },
            body: { bestAvailable: { quantity: seats } }
          })
          assert.strictEqual(held.headers["x-correlation-id"], "buyer-8")
        }
      })
    )

    it.effect("seat maps and availability are sent once a version", () =>
      Effect.gen(function* () {
        const { event, shop } = yield* Running
        for (const what of ["seatmap", "availability"]) {
          const path = shop.api(`/events/${event.id}/${what}`)
          const first = yield* shop.send({ path })
          const etag = first.headers["etag"] ?? assert.fail(`${what} has no ETag`)
          for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
            const again = yield* shop.send({ path, headers: { "if-none-match": tag } })
            assert.strictEqual(again.status, 304, `${what} ${tag}`)
            assert.strictEqual(again.text, "")
            assert.strictEqual(again.headers["etag"], etag)
          }
          const other = yield* shop.send({ path, headers: { "if-none-match": '"x"' } })
          assert.strictEqual(other.status, 200)
        }
        const path = shop.api(`/events/${event.id}/availability`)
        const { etag } = (yield* shop.send({ path })).headers
        yield* shop.hold(event.id, { bestAvailable: { quantity: 1 } })
        const changed = yield* shop.send({ path, headers: { "if-none-match": etag ?? "" } })
        assert.strictEqual(changed.status, 200)
        assert.notStrictEqual(changed.headers["etag"], etag)
      })
    )

    it.effect("a second start on the same data is refused, and says by whom it is in use", () =>
      Effect.gen(function* () {
        const { service, shop } = yield* Running
        const { code, stderr, stdout } = yield* Service.run(service, ["start"])
        assert.notInclude(Service.cleanExits, code)
        assert.include(stdout + stderr, `is in use by process ${service.pid}`)
        assert.include(stdout + stderr, "ONSALE_DATA_DIR")
        assert.strictEqual((yield* shop.send({ path: "/readyz" })).status, 200)
      })
    )

    // The last of the suite: it ends the service.
    it.effect(
      `told to stop with ${slowOrders} orders under way, answers them all, and the next start has them`,
      () =>
        Effect.gen(function* () {
          const { event, service, shop } = yield* Running
          const probe = yield* Effect.flatMap(
            shop.hold(event.id, { bestAvailable: { quantity: 1 } }),
            ({ id }) => Effect.flatMap(shop.tryOrder(id, "tok_3ds"), Shop.expect(202, Order))
          )
          const sandbox = new URL(probe.nextAction?.url ?? "").origin
          const holds = yield* Effect.forEach(
            Array.from({ length: slowOrders }),
            () => shop.hold(event.id, { bestAvailable: { quantity: 1 } }),
            { concurrency: 16 }
          )
          const stop = pollUntil(
            Shop.ledger(sandbox, service.dataDir),
            ({ payments }) => payments.filter(({ method }) => method === "tok_timeout").length === slowOrders,
            { deadline: "30 seconds" }
          ).pipe(Effect.andThen(service.stop), withTime)
          const [[replies, answeredAtMs], [exit, endedAtMs]] = yield* Effect.all(
            [
              withTime(
                Effect.forEach(holds, ({ id }) => shop.tryOrder(id, "tok_timeout"), {
                  concurrency: "unbounded"
                })
              ),
              stop
            ],
            { concurrency: 2 }
          )
          // The limit is 20 seconds, and the answers take five.
          assert.isBelow(endedAtMs - answeredAtMs, 10_000, "it ends with its last answer, not at its limit")
          assert.include(Service.cleanExits, exit)
          yield* Service.assertNothingBroke(service)
          const orders = yield* Effect.forEach(replies, (reply) => {
            assert.include([201, 202], reply.status, reply.text)
            return Shop.expect(reply.status, Order)(reply)
          })
          yield* Effect.flip(shop.send({ path: "/readyz" }))

          const nextService = yield* Service.start({ dataDir: service.dataDir })
          const next = Shop.at(nextService.url)
          for (const order of orders) {
            const found = yield* pollUntil(
              next.order(order.id),
              ({ status }) => status !== "payment_pending",
              {
                deadline: "30 seconds"
              }
            )
            assert.strictEqual(found.status, "confirmed")
            if (order.status === "confirmed") assert.deepStrictEqual(found, order)
          }
          yield* Service.assertAudited(nextService)
        }).pipe(Effect.scoped),
      90_000
    )
  })

  it.live(
    "a Postgres that is configured is used, and survives the service",
    () =>
      Effect.gen(function* () {
        const env = { ONSALE_DATABASE_URL: (yield* TestDatabase).url }
        const first = yield* Service.start({ env })
        const shop = Shop.at(first.url)
        const event = yield* shop.openEvent(yield* shop.importPlan("csv", plan), {
          tiers: [],
          currency: "EUR"
        })
        const hold = yield* shop.hold(event.id, { bestAvailable: { quantity: 2 } })
        const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok"), Shop.expect(201, Order))
        const kept = yield* shop.hold(event.id, { bestAvailable: { quantity: 1 } })
        assert.isFalse(existsSync(`${first.dataDir}/postgres`), "no embedded Postgres beside it")
        assert.include(Service.cleanExits, yield* first.stop)
        const second = yield* Service.start({ dataDir: first.dataDir, env })
        const next = Shop.at(second.url)
        assert.deepStrictEqual(yield* next.order(order.id), order)
        yield* Effect.flatMap(next.holdOf(kept.id), Shop.expect(200, Hold))
        yield* Service.assertAudited(second, env)
      }).pipe(Effect.scoped, Effect.provide(layerEmptyDatabase)),
    60_000
  )
})
