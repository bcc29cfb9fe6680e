/** What reaches a collector: who asks for it, over HTTP and RPC, and what broke or took long, whoever asked. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Hold } from "@onsale/contracts/http/HoldsApi"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { Clock, Deferred, Effect, Fiber, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import * as OtlpCollector from "./OtlpCollector.ts"
import * as RpcClients from "./RpcClients.ts"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const slowMs = 3_000
const deadline = "60 seconds"

const traceOf = (n: number) => n.toString(16).padStart(32, "c")
const asking = (n: number, flag: "00" | "01" = "01") => ({
  traceparent: `00-${traceOf(n)}-b7ad6b7169203331-${flag}`
})

const world = Effect.gen(function* () {
  const { url } = yield* TestDatabase
  const collector = yield* OtlpCollector.start
  const service = yield* Service.start({
    env: {
      ONSALE_DATABASE_URL: Redacted.value(url),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER_ARG: "0",
      ONSALE_TRACE_SLOW: `${slowMs} millis`
    }
  })
  const shop = Shop.at(service.url)
  const venue = yield* shop.importPlan("seatsio", SeatsioChart.make({ seats: 100 }))
  const event = yield* shop.openEvent(venue)
  const hold = (headers: Readonly<Record<string, string>>) =>
    shop.send({
      path: shop.api(`/events/${event.id}/holds`),
      headers: { ...headers, "idempotency-key": Shop.newKey() },
      body: { bestAvailable: { quantity: 1 } }
    })
  const spansOf = (n: number) =>
    Effect.sync(() => collector.spans.filter(({ traceId }) => traceId === traceOf(n)))
  return {
    service,
    shop,
    event,
    hold,
    collector,
    spansOf,
    /** Those of a trace, once there is one of that name. */
    until: Effect.fnUntraced(function* (n: number, name: string) {
      yield* pollUntil(
        Effect.map(spansOf(n), (spans) => spans.map((span) => span.name)),
        (names) => names.includes(name),
        { deadline }
      )
      return yield* spansOf(n)
    })
  }
})

describe("A collector", () => {
  it.live(
    "hears of whoever asks for it, and of what broke or took long, and of nothing else",
    () =>
      Effect.gen(function* () {
        const { collector, event, hold, service, shop, spansOf, until } = yield* world
        const sql = yield* SqlClient.SqlClient
        const posted = "POST /api/v1/events/{id}/holds"

        // Over HTTP: also once the lean path knows the event.
        for (const n of [1, 2, 3]) yield* Effect.flatMap(hold(asking(n)), Shop.expect(201, Hold))
        for (const n of [1, 2, 3]) {
          yield* until(n, posted)
          yield* until(n, "Inventory.commit")
        }

        // Over RPC: by the call's own header. The library's client names a span with every call by itself.
        for (const [transport, n] of [
          ["HTTP", 4],
          ["WebSocket", 5]
        ] as const) {
          const client = yield* RpcClients.make(transport, service.url)
          const take = (headers: Readonly<Record<string, string>>) =>
            client.CreateHold(
              {
                eventId: event.id,
                idempotencyKey: Shop.newKey(),
                hold: { bestAvailable: { quantity: 1 } }
              },
              { headers }
            )
          yield* take({})
          const held = yield* take(asking(n))
          yield* client.CreateOrder(
            {
              idempotencyKey: Shop.newKey(),
              order: {
                holdId: held.id,
                customer: { name: "Ada Lovelace", email: "ada@example.org" },
                payment: { method: "tok_ok" }
              }
            },
            { headers: asking(n) }
          )
          yield* until(n, "Inventory.commit")
          const spans = yield* until(n, "Payment.capture")
          const byId = new Map(spans.map((span) => [span.spanId, span]))
          const chain: Array<string> = []
          for (
            let span = spans.find(({ name }) => name === "Payment.capture");
            span !== undefined;
            span = byId.get(span.parentSpanId ?? "")
          )
            chain.push(span.name)
          assert.strictEqual(chain.at(-1), "Rpc.CreateOrder", transport)
          assert.include(chain, "Order.place")
        }

        // What broke, although its client does not want to be traced.
        yield* sql`ALTER TABLE booking.journal RENAME TO journal_away`
        const order = "01981d0a-f95e-7ae1-9d5e-a852903636a1"
        const broken = yield* shop.send({ path: shop.api(`/orders/${order}`), headers: asking(6, "00") })
        assert.strictEqual(broken.status, 500)
        yield* sql`ALTER TABLE booking.journal_away RENAME TO journal`
        const [told, ...more] = yield* until(6, "GET /api/v1/orders/{id}")
        assert.lengthOf(more, 0, "its parts are not known")
        assert.isTrue(told?.failed)
        assert.includeMembers([...(told?.attributes ?? [])], ["http.response.status_code=500"])

        // Too busy: on the lean path, which has no spans at all.
        yield* sql`ALTER TABLE inventory.journal RENAME TO journal_away`
        const busy = yield* hold(asking(7, "00"))
        assert.strictEqual(busy.status, 503)
        yield* sql`ALTER TABLE inventory.journal_away RENAME TO journal`
        assert.isTrue((yield* until(7, posted))[0]?.failed)

        // What took long and went well.
        const locked = yield* Deferred.make<void>()
        const release = yield* Deferred.make<void>()
        const lock = yield* Effect.forkScoped(
          sql.withTransaction(
            sql`LOCK TABLE booking.journal IN ACCESS EXCLUSIVE MODE`.pipe(
              Effect.andThen(Deferred.succeed(locked, undefined)),
              Effect.andThen(Deferred.await(release))
            )
          )
        )
        yield* Deferred.await(locked)
        const begunMs = yield* Clock.currentTimeMillis
        const slow = yield* Effect.forkScoped(
          shop.send({ path: shop.api(`/orders/${order}`), headers: asking(8, "00") })
        )
        yield* pollUntil(Clock.currentTimeMillis, (nowMs) => nowMs - begunMs > slowMs + 500, { deadline })
        yield* Deferred.succeed(release, undefined)
        yield* Fiber.join(lock)
        assert.strictEqual((yield* Fiber.join(slow)).status, 404)
        const [late] = yield* until(8, "GET /api/v1/orders/{id}")
        assert.isFalse(late?.failed)

        // Of a fast one nothing, by when everything that was made before it is there.
        const fromMs = yield* Clock.currentTimeMillis
        yield* Effect.flatMap(hold(asking(9, "00")), Shop.expect(201, Hold))
        const tookMs = (yield* Clock.currentTimeMillis) - fromMs
        yield* Effect.flatMap(hold(asking(10)), Shop.expect(201, Hold))
        yield* until(10, posted)
        if (tookMs < slowMs) assert.deepEqual(yield* spansOf(9), [])
        const chosen = new Set(Array.from({ length: 10 }, (_, n) => traceOf(n + 1)))
        assert.deepEqual(
          collector.spans.filter(({ attributes, traceId }) => {
            const late = attributes.includes("onsale.told=late")
            return !chosen.has(traceId) && !late
          }),
          [],
          "whoever did not ask is not traced"
        )
      }).pipe(Effect.scoped, Effect.provide([layerDatabase, NodeServices.layer])),
    240_000
  )
})
