import { assert, describe, it } from "@effect/vitest"
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { makeEventId, type TicketId } from "@onsale/contracts/Ids"
import { WebhookMessage } from "@onsale/contracts/notifications/Webhook"
import { pollUntil } from "@onsale/testing/Poll"
import * as UnheardCommits from "@onsale/testing/UnheardCommits"
import { Deferred, Duration, Effect, Fiber, Layer, Option, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { Webhook as Reference, WebhookVerificationError } from "standardwebhooks"
import { WebhookDeliveries } from "../../src/webhooks/WebhookDeliveries.ts"
import { ping } from "../../src/webhooks/WebhookPing.ts"
import { maxWebhooks, WebhookSubscriptions } from "../../src/webhooks/WebhookSubscriptions.ts"
import { WebhookVault } from "../../src/webhooks/WebhookVault.ts"
import { event, eventId, nowMs } from "../Samples.ts"
import { WebhookReceiver } from "./WebhookReceiver.ts"
import {
  idle,
  Later,
  log,
  place,
  publish,
  settings,
  subscribe,
  untilDelivered,
  world
} from "./WebhookWorld.ts"

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.toCodecJson(WebhookMessage)))

describe("Webhooks", () => {
  it.live("an order is told of, signed as the reference library of Standard Webhooks verifies", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const webhook = yield* subscribe()
      const order = yield* place(2)
      yield* order.confirm
      yield* order.refund(0)
      yield* order.refund(1)
      const all = yield* untilDelivered(webhook.id, 3)
      assert.deepStrictEqual(
        receiver.received.map(({ headers }) => headers["webhook-id"]),
        all.map(({ id }) => id)
      )
      const reference = new Reference(webhook.secret)
      for (const { body, headers } of receiver.received) {
        assert.deepStrictEqual(reference.verify(body, headers), JSON.parse(body))
        assert.throws(
          () => reference.verify(body.replace("order", "other"), headers),
          WebhookVerificationError
        )
      }
      const told = yield* Effect.forEach(receiver.received, ({ body }) => decode(body))
      assert.deepStrictEqual(
        told.map((message) => [message.type, message.type === "order.refunded" && message.data.extent]),
        [
          ["order.confirmed", false],
          ["order.refunded", "part"],
          ["order.refunded", "whole"]
        ]
      )
      const [confirmed] = told
      assert.isTrue(confirmed?.type === "order.confirmed" && confirmed.data.orderId === order.orderId)
    }).pipe(Effect.provide(world))
  )

  it.live("a ticket is told of as admitted once, also where an earlier scan takes the check-in over", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const webhook = yield* subscribe({ eventTypes: ["ticket.admitted"] })
      const order = yield* place(2)
      yield* order.confirm
      const [first = assert.fail("none"), second = assert.fail("none")] = order.tickets
      const scan = (ticketId: TicketId, scanId: string, atMs: number) => ({
        ticketId,
        scanId,
        atMs,
        gate: "North",
        codeVersion: 1
      })
      const { ScanRefused, TicketAdmitted } = OrderEvent.cases
      yield* order.append(TicketAdmitted.make(scan(first.id, "s2", nowMs + 1)))
      yield* order.append(TicketAdmitted.make({ ...scan(first.id, "s1", nowMs), replaces: "s2" }))
      yield* order.append(ScanRefused.make({ ...scan(first.id, "s3", nowMs + 2), reason: "used" }))
      // The last of the stream: what came before it has been told by then.
      yield* order.append(TicketAdmitted.make(scan(second.id, "s4", nowMs + 3)))
      yield* untilDelivered(webhook.id, 2)
      const [told, last] = yield* Effect.forEach(receiver.received, ({ body }) => decode(body))
      assert.isTrue(last?.type === "ticket.admitted" && last.data.ticketId === second.id)
      if (told?.type !== "ticket.admitted") return assert.fail("another type")
      assert.deepStrictEqual(told.data, {
        orderId: order.orderId,
        eventId,
        ticketId: first.id,
        seatId: first.seatId,
        areaId: first.areaId,
        label: first.label,
        tier: first.tier,
        gate: "North",
        scanId: "s2",
        admittedAt: new Date(nowMs + 1).toISOString()
      })
    }).pipe(Effect.provide(world))
  )

  it.live("while a secret is replaced both sign, and after a day only the new one", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const webhooks = yield* WebhookSubscriptions
      const later = yield* Later
      const old = yield* subscribe()
      const fresh = yield* webhooks.rotate(old.id)
      assert.notStrictEqual(fresh.secret, old.secret)
      yield* (yield* place()).confirm
      yield* untilDelivered(old.id, 1)
      const during = receiver.received[0] ?? assert.fail("nothing came")
      new Reference(old.secret).verify(during.body, during.headers)
      new Reference(fresh.secret).verify(during.body, during.headers)
      assert.strictEqual(during.headers["webhook-signature"]?.split(" ").length, 2)
      yield* later.pass("25 hours")
      yield* (yield* place()).confirm
      yield* untilDelivered(old.id, 2)
      const after = receiver.received[1] ?? assert.fail("nothing came")
      new Reference(fresh.secret).verify(after.body, after.headers)
      assert.throws(
        () => new Reference(old.secret).verify(after.body, after.headers),
        WebhookVerificationError
      )
    }).pipe(Effect.provide(world))
  )

  it.live("a webhook hears of the types and the event that it asks for, and of nothing else", () =>
    Effect.gen(function* () {
      const all = yield* subscribe()
      const cancelled = yield* subscribe({ eventTypes: ["order.cancelled", "event.cancelled"] })
      const thisEvent = yield* subscribe({ eventId })
      const another = yield* subscribe({ eventId: makeEventId(nowMs) })
      yield* publish(
        CatalogEvent.cases.EventPublished.make({ facts: event }),
        CatalogEvent.cases.SaleChanged.make({ eventId, revision: 2 }),
        CatalogEvent.cases.EventChanged.make({ facts: event }),
        CatalogEvent.cases.EventCancelled.make({ eventId, reason: "rain" })
      )
      const order = yield* place()
      yield* order.append(OrderEvent.cases.PaymentDeclined.make({ provider: "sandbox", code: "declined" }))
      const other = yield* place()
      yield* other.append(OrderEvent.cases.Cancelled.make({ reason: "payment_timeout", payment: null }))
      const types = (deliveries: ReadonlyArray<{ readonly type: string }>) =>
        deliveries.map(({ type }) => type).toSorted()
      const everything = [
        "event.cancelled",
        "event.changed",
        "event.published",
        "order.cancelled",
        "payment.failed"
      ]
      assert.deepStrictEqual(types(yield* untilDelivered(all.id, 5)), everything)
      assert.deepStrictEqual(types(yield* untilDelivered(thisEvent.id, 5)), everything)
      assert.deepStrictEqual(types(yield* untilDelivered(cancelled.id, 2)), [
        "event.cancelled",
        "order.cancelled"
      ])
      assert.deepStrictEqual(yield* log(another.id), [])
    }).pipe(Effect.provide(world))
  )

  it.live("a projection that runs again over what it has seen sends nothing twice", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const sql = yield* SqlClient.SqlClient
      const webhook = yield* subscribe()
      yield* (yield* place()).confirm
      yield* untilDelivered(webhook.id, 1)
      yield* sql`DELETE FROM notifications.cursor WHERE name = 'webhooks-booking'`
      yield* (yield* place()).confirm
      yield* untilDelivered(webhook.id, 2)
      assert.strictEqual(receiver.received.length, 2)
    }).pipe(Effect.provide(world))
  )

  it.live("what happened before a webhook was made is not told to it", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const webhook = yield* subscribe()
      yield* (yield* place(1, 300_000)).confirm
      const order = yield* place()
      yield* order.confirm
      yield* untilDelivered(webhook.id, 1)
      assert.include(receiver.received[0]?.body, order.orderId)
    }).pipe(Effect.provide(world))
  )

  it.live("a secret is kept under the service's key, and never shown again", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const webhooks = yield* WebhookSubscriptions
      const webhook = yield* subscribe()
      const [row] = yield* sql<{ readonly secret: string }>`SELECT secret FROM notifications.webhooks`
      assert.match(row?.secret ?? "", /^gcm1:/)
      assert.notInclude(row?.secret ?? "", webhook.secret)
      assert.notProperty(yield* webhooks.get(webhook.id), "secret")
      assert.notInclude(JSON.stringify(yield* webhooks.list), webhook.secret)
    }).pipe(Effect.provide(idle))
  )

  it.live("an answer that comes while its webhook is being removed is forgotten with it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const deliveries = yield* WebhookDeliveries
      const { id } = yield* subscribe()
      yield* ping(id)
      const leased = Option.getOrThrow(yield* deliveries.lease(Duration.seconds(30)))
      const removing = yield* Deferred.make<void>()
      const settling = yield* Deferred.make<void>()
      const removed = yield* Effect.forkChild(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`DELETE FROM notifications.webhooks WHERE id = ${id}::uuid`
            yield* Deferred.succeed(removing, undefined)
            yield* Deferred.await(settling)
          })
        )
      )
      yield* Deferred.await(removing)
      const answer = {
        outcome: "delivered",
        status: 200,
        error: null,
        response: null,
        durationMs: 1
      } as const
      const settled = yield* Effect.forkChild(
        deliveries.settle(leased, answer, { pause: Duration.seconds(1), disableAfter: Duration.days(5) })
      )
      yield* pollUntil(
        sql<{ readonly count: number }>`SELECT count(*)::int4 AS count FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        ([row]) => row?.count === 1,
        { deadline: "45 seconds" }
      )
      yield* Deferred.succeed(settling, undefined)
      yield* Fiber.join(removed)
      assert.deepStrictEqual(yield* Fiber.join(settled), { status: null, disabled: false })
    }).pipe(Effect.provide(idle))
  )

  it.live("a webhook is made and its secret replaced once, where the answer to the commit is lost", () =>
    Effect.gen(function* () {
      const deaf = { times: 0 }
      const webhooks = yield* WebhookSubscriptions.pipe(
        Effect.provide(
          Layer.fresh(WebhookSubscriptions.layer).pipe(Layer.provide([UnheardCommits.layer(deaf), settings]))
        )
      )
      const vault = yield* WebhookVault.pipe(Effect.provide(WebhookVault.layer.pipe(Layer.provide(settings))))
      const sql = yield* SqlClient.SqlClient
      const { url } = yield* WebhookReceiver
      deaf.times = 1
      const made = yield* webhooks.create({ url })
      assert.strictEqual((yield* webhooks.list).length, 1)
      deaf.times = 1
      const rotated = yield* webhooks.rotate(made.id)
      const [row] = yield* sql<{ readonly secret: string; readonly previous: string }>`
        SELECT secret, previous_secret AS previous FROM notifications.webhooks`
      const open = (sealed: string | undefined) =>
        Effect.map(vault.open(made.id, sealed ?? ""), Redacted.value)
      assert.strictEqual(yield* open(row?.secret), rotated.secret)
      assert.strictEqual(yield* open(row?.previous), made.secret)
    }).pipe(Effect.provide(idle))
  )

  it.live("webhooks are changed, disabled and removed; there are only so many", () =>
    Effect.gen(function* () {
      const webhooks = yield* WebhookSubscriptions
      const deliveries = yield* WebhookDeliveries
      const { id } = yield* subscribe({ eventTypes: ["order.confirmed"], eventId })
      const changed = yield* webhooks.change(id, { eventTypes: null, eventId: null, description: "till" })
      assert.deepInclude(changed, { eventTypes: null, eventId: null, description: "till", status: "active" })
      const disabled = yield* webhooks.change(id, { status: "disabled" })
      assert.deepInclude(disabled, { status: "disabled", disabledReason: "organiser" })
      assert.deepInclude(yield* webhooks.change(id, { status: "active" }), {
        status: "active",
        disabledAt: null
      })
      assert.strictEqual(
        (yield* Effect.flip(webhooks.change(id, { url: "https://a:b@example.org" })))._tag,
        "WebhookUrlRefused"
      )
      assert.strictEqual(
        (yield* Effect.flip(deliveries.page(id, { cursor: "bm90aGluZw" })))._tag,
        "DeliveryCursorInvalid"
      )
      yield* webhooks.remove(id)
      assert.strictEqual((yield* Effect.flip(webhooks.get(id)))._tag, "WebhookNotFound")
      // All at once: none of them sees the others before it is made.
      const made = yield* Effect.forEach(
        Array.from({ length: maxWebhooks + 5 }),
        () => Effect.result(subscribe()),
        { concurrency: 8 }
      )
      assert.strictEqual(made.filter(({ _tag }) => _tag === "Success").length, maxWebhooks)
    }).pipe(Effect.provide(idle))
  )
})
