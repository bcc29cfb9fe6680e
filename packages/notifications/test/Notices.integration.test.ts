import { assert, describe, it } from "@effect/vitest"
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { CatalogEvent, type EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import { makeUuidV7, type OrderId, RefundId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { SmtpFixture } from "@onsale/testing/SmtpFixture"
import { Clock, ConfigProvider, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { FanOut, fanOutId, NoticeJobs } from "../src/NoticeJobs.ts"
import { MessageLog } from "../src/MessageLog.ts"
import { catalog, patience, place, publish, running, untilSettled } from "./NoticeWorld.ts"
import { event, eventId, nowMs } from "./Samples.ts"

const settings = (values: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromUnknown(values))
/** A pending payment is told of at once. */
const atOnce = running.pipe(
  Layer.provide(
    settings({ ONSALE_PAYMENT_PENDING_AFTER: "0 millis", ONSALE_PAYMENT_WARNING_BEFORE: "5 minutes" })
  )
)

const hour = 3_600_000
const startsIn = (ms: number) =>
  Effect.map(
    Clock.currentTimeMillis,
    (now): EventFacts => ({ ...event, startsAt: new Date(now + ms).toISOString() })
  )

const refundId = RefundId.make(makeUuidV7(nowMs))
const pending: OrderEvent = OrderEvent.cases.PaymentPending.make({
  provider: "sandbox",
  status: "requires_action",
  nextAction: { type: "redirect", url: "https://bank.example/3ds" }
})

/** What is on record of an order, in the order of its making, by the notice and what became of it. */
const told = (orderId: OrderId) =>
  Effect.flatMap(MessageLog, (log) =>
    Effect.map(Effect.orDie(log.page({ order: orderId })), ({ notifications }) =>
      notifications.map(({ notice, status }) => `${notice._tag} ${status}`).toReversed()
    )
  )
const untilTold = (orderId: OrderId, ...expected: ReadonlyArray<string>) =>
  pollUntil(told(orderId), (all) => expected.every((one) => all.includes(one)), patience)

/** Until five minutes before the time to pay is over. */
const timePasses = (orderId: OrderId) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) =>
      sql`UPDATE notifications.jobs SET run_at = clock_timestamp() WHERE id = ${`${orderId}:payment-expiring`}`
  )

describe("Notices", () => {
  it.live("each fact of an order is told once, in its turn, also when it is seen again", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpFixture
      const sql = yield* SqlClient.SqlClient
      yield* publish()
      // Too late to be warned of the end of the time to pay.
      const { append, orderId, tickets } = yield* place(2, { payInMs: 200_000 })
      yield* append(2, [pending])
      yield* untilTold(orderId, "PaymentPending sent")
      yield* append(3, [OrderEvent.cases.Confirmed.make({ tickets })])
      yield* untilTold(orderId, "OrderConfirmed sent")
      yield* append(4, [
        OrderEvent.cases.RefundRequested.make({
          refundId,
          amount: 4000,
          fee: 950,
          tickets: tickets.slice(0, 1).map(({ id }) => id),
          reason: "ill"
        })
      ])
      yield* append(5, [OrderEvent.cases.Refunded.make({ refundId })])
      yield* untilTold(orderId, "Refunded sent")
      // The follower begins anew, and the jobs that would know are forgotten.
      yield* sql`DELETE FROM notifications.cursor WHERE name = 'booking'`
      yield* sql`DELETE FROM notifications.jobs`
      yield* append(6, [OrderEvent.cases.SeatsReturned.make({ refundId })])
      yield* pollUntil(
        sql`SELECT 1 FROM notifications.jobs WHERE id = ${`${orderId}:confirmed`} AND done_at IS NOT NULL`,
        (rows) => rows.length > 0,
        patience
      )
      yield* untilSettled
      assert.strictEqual(smtp.received.length, 3)
      assert.strictEqual(new Set(smtp.received.map(({ messageId }) => messageId)).size, 3)
    }).pipe(Effect.provide(atOnce))
  )

  it.live("what was settled before its mail was due is not told", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpFixture
      yield* publish()
      const { append, orderId, tickets } = yield* place(1)
      yield* append(2, [pending])
      yield* untilTold(orderId, "PaymentPending sent")
      yield* append(3, [OrderEvent.cases.Confirmed.make({ tickets })])
      yield* untilTold(orderId, "OrderConfirmed sent")
      yield* timePasses(orderId)
      yield* untilTold(orderId, "PaymentExpiring skipped")
      assert.strictEqual(smtp.received.length, 2)
    }).pipe(Effect.provide(atOnce))
  )

  it.live("whoever has not paid is warned; who was declined, or lost the order, hears it", () =>
    Effect.gen(function* () {
      yield* publish()
      const slow = yield* place(1)
      yield* slow.append(2, [pending])
      yield* untilTold(slow.orderId, "PaymentPending sent")
      yield* timePasses(slow.orderId)
      const declined = yield* place(1)
      yield* declined.append(2, [
        OrderEvent.cases.PaymentDeclined.make({ provider: "sandbox", code: "card_declined" })
      ])
      const cancelled = yield* place(1)
      yield* cancelled.append(2, [OrderEvent.cases.Abandoned.make({ reason: "expired" })])
      yield* cancelled.append(3, [OrderEvent.cases.Cancelled.make({ reason: "expired", payment: "voided" })])
      yield* untilTold(slow.orderId, "PaymentPending sent", "PaymentExpiring sent")
      yield* untilTold(declined.orderId, "PaymentDeclined sent")
      yield* untilTold(cancelled.orderId, "OrderCancelled sent")
    }).pipe(Effect.provide(atOnce))
  )

  it.live("an order that was refunded before its confirmation was sent gets no confirmation", () =>
    Effect.gen(function* () {
      const { append, confirm, orderId, tickets } = yield* place(1)
      yield* confirm
      yield* append(3, [
        OrderEvent.cases.RefundRequested.make({
          refundId,
          amount: 4950,
          tickets: tickets.map(({ id }) => id),
          reason: "ill"
        })
      ])
      // Both are known before the event is, without which nothing is said.
      const sql = yield* SqlClient.SqlClient
      yield* pollUntil(
        sql`SELECT 1 AS refunded FROM notifications.orders
          WHERE order_id = ${orderId}::uuid AND tickets -> 0 ->> 'status' = 'refunded'`,
        (rows) => rows.length === 1,
        patience
      )
      yield* publish()
      yield* Effect.flatMap(MessageLog, (log) =>
        pollUntil(
          Effect.tap(told(orderId), (all) =>
            all.includes("OrderConfirmed dead")
              ? Effect.ignore(log.replay(`${orderId}:confirmed`))
              : Effect.void
          ),
          (all) => all.includes("OrderConfirmed skipped"),
          patience
        )
      )
    }).pipe(Effect.provide(atOnce))
  )

  it.live("facts of last year are recorded as skipped", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpFixture
      yield* publish()
      const old = yield* place(1, { agoMs: 4 * 24 * hour })
      yield* old.confirm
      yield* pollUntil(told(old.orderId), (all) => all.length > 0, patience)
      yield* untilSettled
      assert.deepStrictEqual(yield* told(old.orderId), ["OrderConfirmed skipped"])
      assert.strictEqual(smtp.received.length, 0)
    }).pipe(Effect.provide(atOnce))
  )

  it.live("buyers of a cancelled event hear it once, whatever is refunded of their order", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpFixture
      yield* publish()
      const { append, confirm, orderId, tickets } = yield* place(2)
      yield* confirm
      yield* untilTold(orderId, "OrderConfirmed sent")
      yield* catalog(2, CatalogEvent.cases.EventCancelled.make({ eventId, reason: "rain" }))
      for (const [i, { id }] of tickets.entries()) {
        yield* append(3 + i, [
          OrderEvent.cases.RefundRequested.make({
            refundId: RefundId.make(makeUuidV7(nowMs)),
            amount: 4950,
            cause: "event_cancelled",
            tickets: [id],
            reason: "rain"
          })
        ])
      }
      yield* untilTold(orderId, "EventCancelled sent")
      assert.strictEqual(smtp.received.length, 2)
    }).pipe(Effect.provide(atOnce))
  )

  it.live("buyers hear of a change that matters, who bought before it and has tickets, and of no other", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const smtp = yield* SmtpFixture
      yield* publish()
      const before = yield* place(1)
      yield* before.confirm
      yield* untilTold(before.orderId, "OrderConfirmed sent")
      const change = (version: number, facts: EventFacts) =>
        catalog(version, CatalogEvent.cases.EventChanged.make({ facts }))
      yield* change(2, { ...event, description: "another", performers: event.performers.toReversed() })
      yield* change(3, { ...event, startsAt: "2027-01-05T19:30:00.000Z" })
      yield* untilTold(before.orderId, "EventChanged sent")
      const after = yield* place(1, { agoMs: -60_000 })
      yield* after.confirm
      yield* untilTold(after.orderId, "OrderConfirmed sent")
      // The fan-out comes once more, as after a crash before its end was on record.
      yield* sql`UPDATE notifications.jobs SET done_at = NULL WHERE queue = 'fan-out'`
      yield* sql`UPDATE notifications.fan_outs SET last_order = NULL`
      yield* untilSettled
      assert.strictEqual(
        smtp.received.filter(({ messageId }) => messageId.includes("event-changed")).length,
        1
      )
      assert.deepStrictEqual(yield* sql`SELECT change FROM notifications.event_changes ORDER BY change`, [
        { change: 3 }
      ])
    }).pipe(Effect.provide(atOnce))
  )

  it.live("who ordered before a change hears of it, also where the order is read after its fan-out", () =>
    Effect.gen(function* () {
      const { fanOuts } = yield* NoticeJobs
      const sql = yield* SqlClient.SqlClient
      yield* publish(yield* startsIn(300 * hour))
      yield* catalog(2, CatalogEvent.cases.EventChanged.make({ facts: yield* startsIn(400 * hour) }))
      const changes = sql`SELECT change FROM notifications.event_changes`
      yield* pollUntil(changes, ({ length }) => length === 1, patience)
      yield* pollUntil(fanOuts.backlog, ({ waiting }) => waiting === 0, patience)
      const early = yield* place(1, { agoMs: hour })
      yield* early.confirm
      yield* untilTold(early.orderId, "OrderConfirmed sent", "EventChanged sent")
      const late = yield* place(1, { agoMs: -60_000 })
      yield* late.confirm
      yield* untilTold(late.orderId, "OrderConfirmed sent")
      yield* untilSettled
      assert.notInclude((yield* told(late.orderId)).join(), "EventChanged")
    }).pipe(Effect.provide(atOnce))
  )

  it.live("a change that is older than anybody wants to hear is not told, whenever its order is read", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* publish(yield* startsIn(300 * hour))
      yield* sql`INSERT INTO notifications.event_changes (event_id, change, before, at)
        VALUES (${eventId}::uuid, 2, ${JSON.stringify({ ...event, name: "As it was" })}::json,
          now() - interval '73 hours'), (${eventId}::uuid, 3, ${JSON.stringify(event)}::json, now() - interval '71 hours')`
      const { confirm, orderId } = yield* place(1, { agoMs: 100 * hour })
      yield* confirm
      yield* untilTold(orderId, "OrderConfirmed skipped", "EventChanged sent")
      yield* untilSettled
      const changes = (yield* told(orderId)).filter((one) => one.startsWith("EventChanged"))
      assert.deepStrictEqual(changes, ["EventChanged sent"])
    }).pipe(Effect.provide(atOnce))
  )

  it.live("who bought earlier is reminded, also where the order is read after the reminder's fan-out", () =>
    Effect.gen(function* () {
      const { fanOuts } = yield* NoticeJobs
      const sql = yield* SqlClient.SqlClient
      yield* publish(yield* startsIn(23 * hour))
      const begun = sql`SELECT id FROM notifications.jobs WHERE queue = 'fan-out' AND id LIKE '%:reminder:%'`
      yield* pollUntil(begun, ({ length }) => length === 1, patience)
      yield* pollUntil(fanOuts.backlog, ({ waiting }) => waiting === 0, patience)
      const early = yield* place(1, { agoMs: 2 * hour })
      yield* early.confirm
      yield* untilTold(early.orderId, "OrderConfirmed sent", "EventReminder sent")
      const late = yield* place(1)
      yield* late.confirm
      yield* untilTold(late.orderId, "OrderConfirmed sent")
      yield* untilSettled
      assert.notInclude((yield* told(late.orderId)).join(), "EventReminder")
    }).pipe(Effect.provide(atOnce))
  )

  it.live("a move that was taken back before it was told is not told", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const smtp = yield* SmtpFixture
      const asItWas = yield* startsIn(300 * hour)
      yield* publish(asItWas)
      const order = yield* place(1)
      yield* order.confirm
      yield* untilTold(order.orderId, "OrderConfirmed sent")
      yield* sql`CREATE FUNCTION notifications.later() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.run_at := now() + interval '1 hour'; RETURN NEW; END $$`
      yield* sql`CREATE TRIGGER later BEFORE INSERT ON notifications.jobs FOR EACH ROW WHEN (NEW.queue = 'notice')
        EXECUTE FUNCTION notifications.later()`
      yield* catalog(2, CatalogEvent.cases.EventChanged.make({ facts: yield* startsIn(400 * hour) }))
      yield* catalog(3, CatalogEvent.cases.EventChanged.make({ facts: asItWas }))
      const waiting = sql`SELECT id FROM notifications.jobs WHERE queue = 'notice' AND id LIKE '%event-changed:%'`
      yield* pollUntil(waiting, ({ length }) => length === 2, patience)
      yield* sql`UPDATE notifications.jobs SET run_at = now() WHERE queue = 'notice'`
      yield* pollUntil(
        told(order.orderId),
        (all) => all.filter((one) => one === "EventChanged skipped").length === 2,
        patience
      )
      yield* untilSettled
      const letters = smtp.received.filter(({ messageId }) => messageId.includes("event-changed"))
      assert.lengthOf(letters, 0)
    }).pipe(Effect.provide(atOnce))
  )

  it.live("an event of 20,000 orders is fanned out in steps, and goes on where a crash left it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { fanOuts } = yield* NoticeJobs
      yield* publish()
      const one = yield* place(1)
      yield* one.confirm
      yield* untilTold(one.orderId, "OrderConfirmed sent")
      yield* sql`INSERT INTO notifications.orders (order_id, event_id, customer, total, tickets, placed_at, confirmed_at)
        SELECT overlay(gen_random_uuid()::text PLACING '7' FROM 15 FOR 1)::uuid, event_id, customer, total,
          CASE WHEN n % 10 = 0 THEN json_build_array() ELSE tickets END, placed_at, confirmed_at
        FROM notifications.orders, generate_series(1, 20000) AS n`
      // What is counted are the notices: sending 20,000 mails is another matter.
      yield* sql`CREATE FUNCTION notifications.later() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.run_at := now() + interval '1 hour'; RETURN NEW; END $$`
      yield* sql`CREATE TRIGGER later BEFORE INSERT ON notifications.jobs FOR EACH ROW WHEN (NEW.queue = 'notice')
        EXECUTE FUNCTION notifications.later()`
      yield* sql`INSERT INTO notifications.event_changes (event_id, change, before, at)
        SELECT event_id, 9, facts, clock_timestamp() + interval '1 hour' FROM notifications.events`
      const fanOut = FanOut.cases.EventChanged.make({ eventId, change: 9 })
      // Half of it was done before the crash.
      yield* sql`INSERT INTO notifications.fan_outs (id, last_order) SELECT ${fanOutId(fanOut)}::text, order_id
        FROM notifications.orders ORDER BY order_id OFFSET 10000 LIMIT 1`
      yield* fanOuts.offer(fanOutId(fanOut), fanOut)
      yield* pollUntil(fanOuts.backlog, ({ waiting }) => waiting === 0, patience)
      const [counted] = yield* sql<{
        readonly notices: number
      }>`SELECT count(*)::int AS notices FROM notifications.jobs
        WHERE queue = 'notice' AND id LIKE '%event-changed:9'`
      assert.isAtLeast(counted?.notices ?? 0, 8_700)
      assert.isAtMost(counted?.notices ?? 0, 9_300)
    }).pipe(Effect.provide(atOnce))
  )

  it.live("a reminder comes a day before, to who bought earlier, and again when the event was moved", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const smtp = yield* SmtpFixture
      const reminders = Effect.sync(
        () => smtp.received.filter(({ messageId }) => messageId.includes(".reminder.")).length
      )
      // Both are known before the event comes into reach, or nobody would be there to be reminded.
      yield* publish(yield* startsIn(200 * hour))
      const early = yield* place(1, { agoMs: 2 * hour })
      yield* early.confirm
      const late = yield* place(1)
      yield* late.confirm
      yield* untilTold(early.orderId, "OrderConfirmed sent")
      yield* untilTold(late.orderId, "OrderConfirmed sent")
      yield* catalog(2, CatalogEvent.cases.EventChanged.make({ facts: yield* startsIn(23 * hour) }))
      yield* untilTold(early.orderId, "EventReminder sent")
      assert.notInclude((yield* told(late.orderId)).join(), "EventReminder")
      // Out of reach: nothing is due. Then into reach, at another time: who knew the old one is told the new one.
      yield* catalog(3, CatalogEvent.cases.EventChanged.make({ facts: yield* startsIn(100 * hour) }))
      yield* pollUntil(
        told(early.orderId),
        (all) => all.filter((one) => one === "EventChanged sent").length === 2,
        patience
      )
      assert.strictEqual(yield* reminders, 1)
      yield* catalog(4, CatalogEvent.cases.EventChanged.make({ facts: yield* startsIn(22.5 * hour) }))
      yield* pollUntil(reminders, (count) => count === 2, patience)
      yield* untilSettled
      assert.strictEqual(
        (yield* sql`SELECT 1 FROM notifications.fan_outs WHERE id LIKE '%reminder%'`).length,
        2
      )
    }).pipe(Effect.provide(atOnce))
  )
})
