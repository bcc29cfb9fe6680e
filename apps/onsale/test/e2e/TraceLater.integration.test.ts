/** What happens to an order later, of itself or because somebody asks, and in whose trace. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import * as OtlpCollector from "./OtlpCollector.ts"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const deadline = "60 seconds"
const traceOf = (n: number) => n.toString(16).padStart(32, "d")
const asking = (n: number, correlation: string) => ({
  traceparent: `00-${traceOf(n)}-b7ad6b7169203331-01`,
  "x-correlation-id": correlation,
  "idempotency-key": Shop.newKey()
})

const world = Effect.gen(function* () {
  const { url } = yield* TestDatabase
  const sql = yield* SqlClient.SqlClient
  const collector = yield* OtlpCollector.start
  const service = yield* Service.start({
    env: {
      ONSALE_DATABASE_URL: Redacted.value(url),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER_ARG: "0"
    }
  })
  const shop = Shop.at(service.url)
  const venue = yield* shop.importPlan("seatsio", SeatsioChart.make({ seats: 100 }))
  const event = yield* shop.openEvent(venue)
  return {
    shop,
    /** Buys two seats in a trace, with an untraced hold. */
    buy: Effect.fnUntraced(function* (n: number, correlation: string, method: string) {
      const hold = yield* shop.hold(event.id, { bestAvailable: { quantity: 2 } })
      const reply = yield* shop.send({
        path: shop.api("/orders"),
        headers: asking(n, correlation),
        body: {
          holdId: hold.id,
          customer: { name: "Ada Lovelace", email: "ada@example.org" },
          payment: { method }
        }
      })
      return yield* Shop.expect(reply.status === 201 ? 201 : 202, Order)(reply)
    }),
    /** The spans of a trace, once each of the names is there. */
    until: Effect.fnUntraced(function* (n: number, ...names: ReadonlyArray<string>) {
      const spans = () => collector.spans.filter(({ traceId }) => traceId === traceOf(n))
      yield* pollUntil(
        Effect.sync(() => names.filter((name) => !spans().some((span) => span.name.startsWith(name)))),
        (missing) => missing.length === 0,
        { deadline }
      )
      return spans()
    }),
    intentOf: (orderId: string) =>
      Effect.map(
        sql<{
          readonly id: string
        }>`SELECT intent_id::text AS id FROM booking.orders WHERE id = ${orderId}::uuid`,
        ([row]) => row!.id
      ),
    /** Once the messages of an order bear these correlation ids, and no others. */
    mailed: (orderId: string, ...ids: ReadonlyArray<string>) =>
      pollUntil(
        sql<{ readonly id: string }>`SELECT DISTINCT split_part(correlation, ' ', 1) AS id
          FROM notifications.messages WHERE order_id = ${orderId}::uuid AND correlation IS NOT NULL ORDER BY 1`,
        (rows) => rows.map(({ id }) => id).join() === ids.join(),
        { deadline }
      ),
    /** The correlation ids of the rows of a stream, without their spans. */
    idsOf: (schema: "booking" | "payments", stream: string, tag: string) =>
      Effect.map(
        sql<{ readonly id: string }>`SELECT split_part(correlation, ' ', 1) AS id
          FROM ${sql(`${schema}.journal`)} WHERE stream = ${stream}::uuid AND events::text LIKE ${`%"${tag}"%`}`,
        (rows) => rows.map(({ id }) => id)
      )
  }
})

/** The names of a span and its ancestors in the trace, itself first. */
const chain = (spans: ReadonlyArray<OtlpCollector.Span>, name: string): ReadonlyArray<string> => {
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  const found: Array<string> = []
  for (
    let span = spans.find((one) => one.name.startsWith(name));
    span !== undefined;
    span = byId.get(span.parentSpanId ?? "")
  )
    found.push(span.name)
  return found
}

describe("What becomes of an order later", () => {
  it.live(
    "stands in the trace, and under the correlation id, of whoever asked for it",
    () =>
      Effect.gen(function* () {
        const { buy, idsOf, intentOf, mailed, shop, until } = yield* world

        // A payment that comes by webhook goes on in the trace of the purchase.
        const late = yield* buy(3, "late", "tok_late_1")
        assert.strictEqual(late.status, "payment_pending")

        // A refund has a trace and an id of its own, with a link to the purchase.
        const bought = yield* buy(1, "purchase", "tok_ok")
        // Whose tickets are refunded before he is told of them is told of the refund alone.
        yield* mailed(bought.id, "purchase")
        const refunded = yield* shop.send({
          path: shop.api(`/orders/${bought.id}/refunds`),
          headers: asking(2, "refund"),
          body: { reason: "ill" }
        })
        assert.isBelow(refunded.status, 300, refunded.text)
        const spans = yield* until(2, "Order.requestRefund", "Payment.refund", "Inventory.commit", "job ")
        const posted = "POST /api/v1/orders/{id}/refunds"
        assert.strictEqual(chain(spans, "Payment.refund").at(-1), posted)
        assert.strictEqual(chain(spans, "Inventory.commit").at(-1), posted)
        assert.strictEqual(chain(spans, "job ").at(-1), posted, "the letter too")
        const request = spans.find(({ name }) => name === "Order.requestRefund")
        assert.deepEqual(request?.links, [traceOf(1)])
        const intentId = yield* intentOf(bought.id)
        assert.deepEqual(yield* idsOf("booking", bought.id, "Placed"), ["purchase"])
        assert.deepEqual(yield* idsOf("booking", bought.id, "Refunded"), ["refund"])
        assert.deepEqual(yield* idsOf("payments", intentId, "Created"), ["purchase"])
        assert.deepEqual(yield* idsOf("payments", intentId, "Refunded"), ["refund"])
        yield* mailed(bought.id, "purchase", "refund")

        const later = yield* until(3, "Order.resume", "Payment.capture", "Payment.refresh")
        assert.strictEqual(chain(later, "Order.resume").at(-1), "POST /api/v1/orders")
        assert.include(chain(later, "Payment.capture"), "Order.resume")
        assert.deepEqual(yield* idsOf("booking", late.id, "Confirmed"), ["late"])
      }).pipe(Effect.scoped, Effect.provide([layerDatabase, NodeServices.layer])),
    240_000
  )
})
