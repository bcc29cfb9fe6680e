import { assert, describe, it } from "@effect/vitest"
import { pollUntil } from "@onsale/testing/Poll"
import { Clock, Duration, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { WebhookDeliveries } from "../../src/webhooks/WebhookDeliveries.ts"
import { ping } from "../../src/webhooks/WebhookPing.ts"
import { WebhookSender } from "../../src/webhooks/WebhookSender.ts"
import { WebhookSubscriptions } from "../../src/webhooks/WebhookSubscriptions.ts"
import { WebhookTargets } from "../../src/webhooks/WebhookTarget.ts"
import { makeSecret } from "../../src/webhooks/WebhookVault.ts"
import { type Received, WebhookReceiver } from "./WebhookReceiver.ts"
import {
  idle,
  Later,
  log,
  place,
  publish,
  runner,
  subscribe,
  untilDelivered,
  untilLog,
  untilQuiet,
  world
} from "./WebhookWorld.ts"

const typeOf = (request: Received): string => JSON.parse(request.body).type
const orderOf = (request: Received): string => JSON.parse(request.body).data.orderId
const down = { status: 503 } as const

/** What an order's requests were, in the order in which they came; repeats that follow each other once. */
const told = (received: ReadonlyArray<Received>, orderId: string) =>
  received
    .filter((request) => orderOf(request) === orderId)
    .map(({ headers }) => headers["webhook-id"])
    .filter((id, index, all) => id !== all[index - 1])

describe("WebhookWorker", () => {
  it.live("a delivery that fails holds back what follows in its stream, and nothing else", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const later = yield* Later
      const webhook = yield* subscribe()
      const [stuck, free] = [yield* place(1), yield* place(1)]
      receiver.judge = (request) => (orderOf(request) === stuck.orderId ? down : undefined)
      yield* stuck.confirm
      yield* untilLog(webhook.id, ([first]) => (first?.attempts ?? 0) > 0)
      yield* stuck.refund(0)
      yield* free.confirm
      yield* free.refund(0)
      yield* untilLog(
        webhook.id,
        (all) => all.length === 4 && all.filter(({ status }) => status === "delivered").length === 2
      )
      assert.isTrue(
        receiver.received.every(
          (each) => orderOf(each) === free.orderId || typeOf(each) === "order.confirmed"
        )
      )
      receiver.judge = null
      yield* later.pass("1 minute")
      const all = yield* untilDelivered(webhook.id, 4)
      assert.deepStrictEqual(
        told(receiver.received, stuck.orderId),
        all.filter(({ stream }) => stream.includes(stuck.orderId)).map(({ id }) => id)
      )
    }).pipe(Effect.provide(world))
  )

  it.live("a receiver that is down for an hour gets everything, in order within its stream", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const later = yield* Later
      const webhook = yield* subscribe()
      receiver.down = down
      const orders = yield* Effect.forEach(Array.from({ length: 20 }), () => place(2))
      for (let minutes = 0; minutes < 60; minutes += 6) {
        // Two orders every six minutes, and a refund of those before.
        const [first, second] = [orders[minutes / 3], orders[minutes / 3 + 1]]
        yield* first?.confirm ?? Effect.void
        yield* second?.confirm ?? Effect.void
        yield* orders[minutes / 3 - 2]?.refund(0) ?? Effect.void
        const sent = receiver.received.length
        yield* pollUntil(
          Effect.sync(() => receiver.received.length),
          (count) => count > sent,
          { deadline: "45 seconds" }
        )
        yield* untilQuiet
        yield* later.pass("6 minutes")
      }
      yield* untilQuiet
      const failed = receiver.received.length
      receiver.down = null
      yield* later.pass("2 hours")
      const all = yield* untilDelivered(webhook.id, 29)
      const answered = receiver.received.slice(failed)
      assert.strictEqual(new Set(answered.map(({ headers }) => headers["webhook-id"])).size, 29)
      assert.strictEqual(answered.length, 29)
      for (const { orderId } of orders) {
        assert.deepStrictEqual(
          told(receiver.received, orderId),
          all.filter(({ stream }) => stream.includes(orderId)).map(({ id }) => id)
        )
      }
    }).pipe(
      // Nobody dies here: an hour that passes ends no lease of what is just being sent.
      Effect.provide(Layer.provideMerge(Layer.fresh(runner({ lease: Duration.days(1) })), idle))
    )
  )

  it.live("two workers share the work: each message once, in order within its stream", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const webhook = yield* subscribe()
      const orders = yield* Effect.forEach(Array.from({ length: 30 }), () => place(3))
      yield* Effect.forEach(
        orders,
        Effect.fnUntraced(function* (order) {
          yield* order.confirm
          yield* Effect.forEach([0, 1, 2], order.refund)
        }),
        { concurrency: 4 }
      )
      const all = yield* untilDelivered(webhook.id, 120).pipe(
        Effect.provide(Layer.mergeAll(Layer.fresh(runner()), Layer.fresh(runner())))
      )
      assert.strictEqual(receiver.received.length, 120)
      for (const { orderId } of orders) {
        assert.deepStrictEqual(
          told(receiver.received, orderId),
          all.filter(({ stream }) => stream.includes(orderId)).map(({ id }) => id)
        )
      }
    }).pipe(Effect.provide(idle))
  )

  it.live(
    "a worker that dies between the answer and our record: the same webhook-id again, by the next",
    () =>
      Effect.gen(function* () {
        const receiver = yield* WebhookReceiver
        const sql = yield* SqlClient.SqlClient
        const webhook = yield* subscribe()
        // The record does not get through, as when the process is killed.
        yield* sql`CREATE FUNCTION notifications.lost() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'gone'; END $$`
        yield* sql`CREATE TRIGGER lost BEFORE INSERT ON notifications.webhook_attempts
        EXECUTE FUNCTION notifications.lost()`
        const order = yield* place(1)
        yield* order.confirm
        yield* order.refund(0)
        yield* pollUntil(
          Effect.sync(() => receiver.received.length),
          (count) => count > 0,
          { deadline: "45 seconds" }
        ).pipe(Effect.provide(Layer.fresh(runner({ lease: Duration.seconds(1) }))))
        yield* sql`DROP TRIGGER lost ON notifications.webhook_attempts`
        const all = yield* untilDelivered(webhook.id, 2).pipe(Effect.provide(Layer.fresh(runner())))
        assert.deepStrictEqual(
          told(receiver.received, order.orderId),
          all.map(({ id }) => id)
        )
        assert.isAtLeast(receiver.received.length, 3)
        assert.strictEqual(receiver.received[0]?.headers["webhook-id"], all[0]?.id)
        assert.strictEqual(receiver.received[1]?.headers["webhook-id"], all[0]?.id)
      }).pipe(Effect.provide(idle))
  )

  it.live("a connection that breaks, one that hangs and an answer without end are told apart", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const deliveries = yield* WebhookDeliveries
      const later = yield* Later
      const { id } = yield* subscribe()
      receiver.next.push("vanish", "silence", "babble")
      yield* (yield* place()).confirm
      for (const attempts of [1, 2]) {
        yield* untilLog(id, ([only]) => only?.attempts === attempts && only.lastError !== null)
        yield* pollUntil(
          deliveries.get(id, (yield* log(id))[0]?.id ?? assert.fail("none")),
          (detail) => detail.log.length === attempts,
          { deadline: "45 seconds" }
        )
        yield* later.pass("1 minute")
      }
      const [delivered] = yield* untilDelivered(id, 1)
      const detail = yield* deliveries.get(id, delivered?.id ?? assert.fail("none"))
      assert.deepStrictEqual(
        detail.log.map(({ outcome, status }) => [outcome, status]),
        [
          ["unreachable", null],
          ["timeout", null],
          ["delivered", 200]
        ]
      )
      assert.strictEqual(detail.log[2]?.response, "x".repeat(1000))
      assert.isAtLeast(detail.log[1]?.durationMs ?? 0, 9_000)
    }).pipe(Effect.provide(world))
  )

  it.live("the status is the answer, whatever becomes of its body", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const deliveries = yield* WebhookDeliveries
      const webhooks = yield* WebhookSubscriptions
      const { id } = yield* subscribe()
      receiver.next.push(
        { status: 200, rest: "torn" },
        { status: 202, rest: "stalled" },
        { status: 410, rest: "torn" }
      )
      const order = yield* place(2)
      yield* order.confirm
      yield* order.refund(0)
      yield* order.refund(1)
      const all = yield* untilLog(id, ([, , last]) => last?.status === "dead")
      assert.deepStrictEqual(
        all.map(({ attempts, status }) => [status, attempts]),
        [
          ["delivered", 1],
          ["delivered", 1],
          ["dead", 1]
        ]
      )
      assert.strictEqual((yield* webhooks.get(id)).disabledReason, "gone")
      const stalled = yield* deliveries.get(id, all[1]?.id ?? assert.fail("none"))
      assert.strictEqual(stalled.log[0]?.response, "so far")
    }).pipe(Effect.provide(world))
  )

  it.live(
    "redirects are not followed, Retry-After is honoured up to six hours, and a replay is at once",
    () =>
      Effect.gen(function* () {
        const receiver = yield* WebhookReceiver
        const deliveries = yield* WebhookDeliveries
        const later = yield* Later
        const { id } = yield* subscribe()
        const nextMs = Effect.zipWith(
          log(id),
          Clock.currentTimeMillis,
          ([only], nowMs) => Date.parse(only?.nextAttemptAt ?? "") - nowMs
        )
        receiver.next.push(
          { status: 301, headers: { location: receiver.url.replace("hook", "elsewhere") } },
          { status: 429, headers: { "retry-after": "3600" } },
          { status: 503, headers: { "retry-after": "999999" }, body: "tired\0" }
        )
        yield* (yield* place()).confirm
        yield* untilLog(id, ([only]) => only?.lastError === "answered 301")
        yield* later.pass("1 minute")
        yield* untilLog(id, ([only]) => only?.lastError === "answered 429")
        assert.closeTo((yield* nextMs) / 1000, 3660, 45)
        yield* later.pass("1 hour")
        yield* untilLog(id, ([only]) => only?.lastError === "answered 503")
        assert.closeTo((yield* nextMs) / 1000, 3660 + 6 * 3600, 45)
        yield* deliveries.replay(id, (yield* log(id))[0]?.id ?? assert.fail("none"))
        const [delivered] = yield* untilDelivered(id, 1)
        const detail = yield* deliveries.get(id, delivered?.id ?? assert.fail("none"))
        assert.deepStrictEqual(
          detail.log.map(({ attempt, outcome }) => [attempt, outcome]),
          [
            [1, "refused"],
            [2, "refused"],
            [3, "refused"],
            [4, "delivered"]
          ]
        )
        assert.strictEqual(detail.log[2]?.response, "tired\ufffd")
        assert.isTrue(receiver.received.every(({ path }) => path === "/hook"))
      }).pipe(Effect.provide(world))
  )

  it.live("a 410 ends a webhook at once, and what waits for it stays until it is active again", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const webhooks = yield* WebhookSubscriptions
      const deliveries = yield* WebhookDeliveries
      const { id } = yield* subscribe()
      const order = yield* place(1)
      receiver.down = { status: 410 }
      yield* order.confirm
      yield* untilLog(id, ([first]) => first?.status === "dead")
      assert.deepInclude(yield* webhooks.get(id), { status: "disabled", disabledReason: "gone" })
      yield* ping(id)
      const { disabled, deadToday, oldestWaitingMs } = yield* deliveries.backlog
      assert.deepStrictEqual([disabled, deadToday, oldestWaitingMs], [1, 1, 0])
      receiver.down = null
      yield* webhooks.change(id, { status: "active" })
      yield* untilLog(id, ([, pinged]) => pinged?.status === "delivered")
      assert.deepStrictEqual(receiver.received.map(typeOf), ["order.confirmed", "webhook.ping"])
    }).pipe(Effect.provide(world))
  )

  it.live("after three days a delivery is a dead letter, and dead letters of a time are sent again", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const deliveries = yield* WebhookDeliveries
      const later = yield* Later
      const { id } = yield* subscribe()
      receiver.down = down
      const order = yield* place(1)
      yield* order.confirm
      yield* order.refund(0)
      yield* untilLog(id, ([first, next]) => first?.lastError === "answered 503" && next !== undefined)
      yield* later.pass("73 hours")
      const [dead, next] = yield* untilLog(id, ([first]) => first?.status === "dead")
      assert.isTrue((dead?.attempts ?? 0) > 1)
      assert.strictEqual(next?.status, "waiting")
      receiver.down = null
      yield* later.pass("3 hours")
      yield* untilLog(id, ([, second]) => second?.status === "delivered")
      const range = { from: "2020-01-01T00:00:00Z", until: "2100-01-01T00:00:00Z", status: "dead" } as const
      assert.deepStrictEqual(yield* deliveries.replayBetween(id, range), { replayed: 1, more: false })
      yield* untilDelivered(id, 2)
      assert.deepStrictEqual(yield* deliveries.replayBetween(id, range), { replayed: 0, more: false })
    }).pipe(Effect.provide(world))
  )

  it.live("a webhook that has failed for five days without a success is disabled", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const webhooks = yield* WebhookSubscriptions
      const later = yield* Later
      const { id } = yield* subscribe()
      receiver.down = down
      yield* (yield* place()).confirm
      yield* untilLog(id, ([first]) => first?.lastError === "answered 503")
      yield* later.pass("4 days")
      yield* untilLog(id, ([first]) => first?.status === "dead")
      assert.strictEqual((yield* webhooks.get(id)).status, "active")
      yield* later.pass("2 days")
      yield* (yield* place()).confirm
      const disabled = yield* pollUntil(webhooks.get(id), ({ status }) => status === "disabled", {
        deadline: "45 seconds"
      })
      assert.strictEqual(disabled.disabledReason, "failing")
    }).pipe(Effect.provide(world))
  )

  it.live(
    "what waits for a webhook that was disabled a month ago is forgotten, and nothing else that waits",
    () =>
      Effect.gen(function* () {
        const webhooks = yield* WebhookSubscriptions
        const deliveries = yield* WebhookDeliveries
        const later = yield* Later
        const [left, disabled] = [yield* subscribe(), yield* subscribe()]
        yield* webhooks.change(disabled.id, { status: "disabled" })
        yield* Effect.forEach([left.id, disabled.id], ping)
        yield* later.pass("29 days")
        assert.strictEqual(yield* deliveries.prune, 0)
        yield* later.pass("2 days")
        assert.strictEqual(yield* deliveries.prune, 1)
        assert.deepStrictEqual(yield* log(disabled.id), [])
        assert.strictEqual((yield* log(left.id)).length, 1)
      }).pipe(Effect.provide(idle))
  )

  it.live("one receiver that hangs does not keep others waiting", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const slow = yield* subscribe({ url: receiver.url.replace("hook", "slow") })
      const quick = yield* subscribe()
      receiver.judge = ({ path }) => (path === "/slow" ? "silence" : undefined)
      yield* publish()
      const orders = yield* Effect.forEach(Array.from({ length: 30 }), () => place(1))
      yield* Effect.forEach(orders, ({ confirm }) => confirm)
      yield* untilDelivered(quick.id, 31)
      // Four at once, and one at a time once they have failed.
      assert.isAtMost(receiver.received.filter(({ path }) => path === "/slow").length, 8)
      assert.isTrue((yield* log(slow.id)).every(({ status }) => status === "waiting"))
    }).pipe(Effect.provide(world))
  )

  it.live("slow receivers take turns with the others, whose messages are not as old", () =>
    Effect.gen(function* () {
      const receiver = yield* WebhookReceiver
      const slow = yield* subscribe({ url: receiver.url.replace("hook", "slow") })
      const orders = yield* Effect.forEach(Array.from({ length: 8 }), () => place(1))
      yield* Effect.forEach(orders, ({ confirm }) => confirm)
      const held: Array<() => void> = []
      receiver.judge = ({ path }) =>
        path === "/slow" ? { when: new Promise((resolve) => held.push(resolve)) } : undefined
      yield* Effect.gen(function* () {
        const calls = Effect.sync(() => held.length)
        yield* pollUntil(calls, (count) => count === 4, { deadline: "45 seconds" })
        const quick = yield* subscribe()
        yield* (yield* place(1)).confirm
        yield* untilLog(quick.id, (all) => all.length === 1)
        // There is room for one more call, and of those that wait the others' are older.
        held[0]?.()
        yield* untilDelivered(quick.id, 1)
        yield* pollUntil(calls, (count) => count >= 5, { deadline: "45 seconds" })
        assert.strictEqual(receiver.received[4]?.path, "/hook")
        receiver.judge = null
        for (const answer of held) answer()
        yield* untilDelivered(slow.id, 9)
      }).pipe(Effect.provide(Layer.fresh(runner({ concurrency: 4 }))))
    }).pipe(Effect.provide(idle))
  )

  it.live("a name of ours is not called, whatever it was when the webhook was made", () =>
    Effect.gen(function* () {
      const sender = yield* WebhookSender
      const secrets = [yield* makeSecret]
      const answer = yield* sender.send({ id: "msg_1", url: "http://localhost:8080/", body: "{}", secrets })
      assert.deepInclude(answer, {
        outcome: "blocked",
        error: "Expected an address of the public internet"
      })
      const literal = yield* sender.send({ id: "msg_1", url: "http://127.0.0.1:8080/", body: "{}", secrets })
      assert.strictEqual(literal.outcome, "blocked")
    }).pipe(
      Effect.provide(
        WebhookSender.layerNoDeps.pipe(
          Layer.provide(Layer.succeed(WebhookTargets, { allowPrivate: false, allowHttp: true }))
        )
      )
    )
  )
})
