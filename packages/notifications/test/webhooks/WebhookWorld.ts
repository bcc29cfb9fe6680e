/** Webhooks over a database of their own, with a receiver, and a time that a test moves on. */
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { EventId, HoldId, makeUuidV7, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import type { Delivery, NewWebhook, WebhookId } from "@onsale/contracts/notifications/Webhook"
import * as Journal from "@onsale/platform/Journal"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Clock, ConfigProvider, Context, Duration, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { WebhookDeliveries } from "../../src/webhooks/WebhookDeliveries.ts"
import * as WebhookRunner from "../../src/webhooks/WebhookRunner.ts"
import { WebhookSubscriptions } from "../../src/webhooks/WebhookSubscriptions.ts"
import { AheadMs } from "../../src/webhooks/WebhookTime.ts"
import { event, eventId, makeOrderId, makeTickets } from "../Samples.ts"
import { WebhookReceiver } from "./WebhookReceiver.ts"

/** The time that deliveries are judged by, ahead of the database's. */
export class Later extends Context.Service<
  Later,
  { readonly pass: (time: Duration.Input) => Effect.Effect<void>; readonly aheadMs: () => number }
>()("@onsale/notifications/test/webhooks/Later") {
  static readonly layer = Layer.effectContext(
    Effect.sync(() => {
      let aheadMs = 0
      return Context.make(Later, {
        aheadMs: () => aheadMs,
        pass: (time) =>
          Effect.sync(() => {
            aheadMs += Duration.toMillis(Duration.fromInputUnsafe(time))
          })
      }).pipe(
        Context.add(
          AheadMs,
          Effect.sync(() => aheadMs)
        )
      )
    })
  )
}

/** Calls to this machine are allowed. */
export const settings = ConfigProvider.layer(
  ConfigProvider.fromUnknown({
    ONSALE_WEBHOOK_ALLOW_PRIVATE: "true",
    ONSALE_WEBHOOK_ALLOW_HTTP: "true",
    ONSALE_WEBHOOK_KEY: Buffer.alloc(32, 7).toString("base64")
  })
)

/** A worker of its own; it looks often, and waits as ordered. */
export const runner = (options: Parameters<typeof WebhookRunner.layer>[0] = {}) =>
  WebhookRunner.layer({ pollEvery: "10 millis", ...options }).pipe(Layer.provide(settings))

/** Everything but a worker. */
export const idle = Layer.mergeAll(
  WebhookDeliveries.layer,
  WebhookSubscriptions.layer,
  WebhookReceiver.layer
).pipe(Layer.provide(settings), Layer.provideMerge(Later.layer), Layer.provideMerge(layerDatabase))
export const world = Layer.fresh(runner()).pipe(Layer.provideMerge(idle))

export const subscribe = Effect.fnUntraced(function* (webhook: Partial<NewWebhook> = {}) {
  const webhooks = yield* WebhookSubscriptions
  const { url } = yield* WebhookReceiver
  return yield* webhooks.create({ url, ...webhook })
})

/** Until nothing is under way, and nothing is to be begun before time passes: who lets it pass ends no lease by it. */
export const untilQuiet = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const later = yield* Later
  const busy = Effect.suspend(
    () => sql<{
      readonly count: number
    }>`SELECT count(*)::int4 AS count FROM notifications.webhook_deliveries d
      WHERE d.status = 'waiting' AND (d.leased_until IS NOT NULL
        OR (d.run_at <= clock_timestamp() + ${later.aheadMs()}::float8 * interval '1 millisecond'
          AND NOT EXISTS (SELECT 1 FROM notifications.webhook_deliveries e WHERE e.webhook_id = d.webhook_id
            AND e.stream = d.stream AND e.status = 'waiting' AND e.position < d.position)))`
  )
  yield* pollUntil(busy, ([row]) => row?.count === 0, { deadline: "45 seconds" })
})

/** Appends to the journal of an event that is not there yet. */
export const publish = Effect.fnUntraced(function* (...events: ReadonlyArray<CatalogEvent>) {
  const journal = yield* Journal.make({ schema: "catalog", event: CatalogEvent })
  const stream = EventId.make(eventId)
  const all = events.length > 0 ? events : [CatalogEvent.cases.EventPublished.make({ facts: event })]
  const atMs = yield* Clock.currentTimeMillis
  for (const [index, each] of all.entries()) {
    yield* journal.append({
      stream,
      version: index + 1,
      atMs,
      correlation: null,
      events: [each]
    })
  }
})

const customer = { name: "Ada Lovelace", email: "ada@example.org" }

/** An order that was placed, so long ago, with what may happen to it. */
export const place = Effect.fnUntraced(function* (count = 2, agoMs = 0) {
  const journal = yield* Journal.make({ schema: "booking", event: OrderEvent })
  const orderId = makeOrderId()
  const tickets = makeTickets(count)
  let version = 0
  const append = (...events: ReadonlyArray<OrderEvent>) =>
    Effect.flatMap(Clock.currentTimeMillis, (atMs) =>
      journal.append({
        stream: orderId,
        version: ++version,
        atMs: atMs - agoMs,
        correlation: "corr-1",
        events
      })
    )
  const nowMs = yield* Clock.currentTimeMillis
  yield* append(
    OrderEvent.cases.Placed.make({
      eventId,
      holdId: HoldId.make(makeUuidV7(nowMs)),
      customer,
      intentId: PaymentIntentId.make(makeUuidV7(nowMs)),
      provider: null,
      method: "tok_ok",
      total: { amount: 4950 * count, currency: "EUR" },
      seats: [],
      areas: [],
      payUntilMs: nowMs + 600_000
    })
  )
  return {
    orderId,
    tickets,
    append,
    confirm: append(OrderEvent.cases.Confirmed.make({ tickets })),
    /** Asks for the money of one ticket, and pays it back. */
    refund: Effect.fnUntraced(function* (index: number) {
      const refundId = RefundId.make(makeUuidV7(nowMs))
      yield* append(
        OrderEvent.cases.RefundRequested.make({
          refundId,
          amount: 4950,
          tickets: tickets.slice(index, index + 1).map(({ id }) => id),
          reason: "ill"
        })
      )
      yield* append(OrderEvent.cases.Refunded.make({ refundId }))
    })
  }
})

/** Of a webhook, the oldest first. */
export const log = Effect.fnUntraced(function* (webhookId: WebhookId) {
  const deliveries = yield* WebhookDeliveries
  const page = yield* deliveries.page(webhookId, { limit: 500 })
  return page.deliveries.toReversed()
})

export const untilLog = (webhookId: WebhookId, satisfied: (deliveries: ReadonlyArray<Delivery>) => boolean) =>
  pollUntil(log(webhookId), satisfied, { deadline: "45 seconds" })

/** All that there are have been delivered, and there are so many. */
export const untilDelivered = (webhookId: WebhookId, count: number) =>
  untilLog(webhookId, (all) => all.length === count && all.every(({ status }) => status === "delivered"))
