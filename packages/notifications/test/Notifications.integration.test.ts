import { assert, describe, it } from "@effect/vitest"
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { makeUuidV7, RefundId, type TicketId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { SmtpFixture } from "@onsale/testing/SmtpFixture"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { NoticeJobs } from "../src/NoticeJobs.ts"
import { Notifications } from "../src/Notifications.ts"
import { SigningKeys } from "../src/SigningKeys.ts"
import {
  catalog,
  channels,
  customer,
  patience,
  place,
  publish,
  runner,
  running,
  sentMails,
  untilSent,
  untilSettled,
  withoutRunner
} from "./NoticeWorld.ts"
import { event, eventId, nowMs } from "./Samples.ts"

describe("Notifications", () => {
  it.live("a confirmed order gets one mail with its tickets", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpFixture
      const notifications = yield* Notifications
      yield* publish()
      const { confirm, orderId, tickets } = yield* place()
      yield* confirm
      const [sent, ...more] = yield* untilSent(orderId)
      assert.deepStrictEqual(more, [])
      assert.strictEqual(sent?.to, customer.email)
      assert.strictEqual(sent?.messageId, `${orderId}.confirmed@onsale.example`)
      assert.strictEqual(smtp.received.length, 1)
      const [mail] = smtp.received
      assert.strictEqual(mail?.messageId, `<${orderId}.confirmed@onsale.example>`)
      assert.include(mail?.raw ?? "", "filename=tickets.pdf")
      const pdf = Buffer.from(yield* notifications.documentFor(orderId))
      assert.include((mail?.raw ?? "").replace(/\s/g, ""), pdf.toString("base64"))
      const code = yield* notifications.codeFor(eventId, tickets[0] ?? assert.fail("no ticket"))
      assert.deepStrictEqual(yield* notifications.verify(code), {
        eventId,
        ticketId: tickets[0]?.id,
        version: 1
      })
    }).pipe(Effect.provide(running))
  )

  it.live("a mail that the server defers is sent again, and only once more than needed", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpFixture
      smtp.next.push({ code: 451 }, { code: 421 })
      yield* publish()
      const { confirm, orderId } = yield* place()
      yield* confirm
      const [sent] = yield* untilSent(orderId)
      assert.strictEqual(sent?.attempts, 3)
      yield* untilSettled
      assert.strictEqual(smtp.received.length, 1)
    }).pipe(Effect.provide(running))
  )

  it.live("a mail that the server refuses is a dead letter at once", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpFixture
      const jobs = (yield* NoticeJobs).deliveries("email")
      smtp.next.push({ code: 550 })
      yield* publish()
      const { confirm, orderId } = yield* place()
      yield* confirm
      const [dead] = yield* pollUntil(jobs.dead(10), (dead) => dead.length > 0, patience)
      assert.strictEqual(dead?.id, `${orderId}:confirmed:email`)
      assert.strictEqual(dead?.attempts, 1)
      assert.include(dead?.lastError ?? "", "550")
      yield* jobs.revive(dead?.id ?? "")
      yield* untilSent(orderId)
    }).pipe(Effect.provide(running))
  )

  it.live("a connection that breaks after the mail was taken: the repeat bears the same Message-ID", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpFixture
      smtp.next.push("vanish")
      yield* publish()
      const { confirm, orderId } = yield* place()
      yield* confirm
      yield* untilSent(orderId)
      assert.strictEqual(smtp.received.length, 2)
      assert.strictEqual(new Set(smtp.received.map(({ messageId }) => messageId)).size, 1)
    }).pipe(Effect.provide(running))
  )

  it.live(
    "a process that dies after sending and before recording: sent again by the next, then never more",
    () =>
      Effect.gen(function* () {
        const smtp = yield* SmtpFixture
        const jobs = (yield* NoticeJobs).deliveries("email")
        const sql = yield* SqlClient.SqlClient
        // The record of the first sending does not get through, as when the process is killed.
        yield* sql`CREATE FUNCTION notifications.lost() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'gone'; END $$`
        yield* sql`CREATE TRIGGER lost BEFORE UPDATE ON notifications.messages EXECUTE FUNCTION notifications.lost()`
        yield* publish()
        const { confirm, orderId } = yield* place()
        yield* confirm
        yield* pollUntil(
          Effect.sync(() => smtp.received.length),
          (count) => count > 0
        )
        yield* sql`DROP TRIGGER lost ON notifications.messages`
        yield* pollUntil(
          Effect.all([sentMails(orderId), jobs.dead(1)]),
          ([mails, dead]) => mails.length > 0 || dead.length > 0
        )
        if ((yield* jobs.dead(1)).length > 0) yield* jobs.revive(`${orderId}:confirmed:email`)
        yield* untilSent(orderId)
        yield* untilSettled
        const count = smtp.received.length
        assert.strictEqual(new Set(smtp.received.map(({ messageId }) => messageId)).size, 1)
        // The job comes once more, as after a crash between the record and the job's end.
        yield* sql`UPDATE notifications.jobs SET done_at = NULL, attempts = 0`
        yield* untilSettled
        assert.strictEqual(smtp.received.length, count)
      }).pipe(Effect.provide(running))
  )

  it.live("an order confirmed before its event is known waits for it", () =>
    Effect.gen(function* () {
      const { notices } = yield* NoticeJobs
      const notifications = yield* Notifications
      const { confirm, orderId } = yield* place()
      assert.strictEqual((yield* Effect.flip(notifications.documentFor(orderId)))._tag, "TicketsNotFound")
      yield* confirm
      const [dead] = yield* pollUntil(notices.dead(1), (dead) => dead.length > 0, patience)
      assert.include(dead?.lastError ?? "", `event ${eventId} is not known here yet`)
      const error = yield* Effect.flip(notifications.documentFor(orderId))
      assert.strictEqual(error._tag === "TicketsNotReady" && error.reason, "EventUnknown")
      yield* publish()
      yield* pollUntil(Effect.exit(notifications.documentFor(orderId)), (exit) => exit._tag === "Success")
      yield* notices.revive(`${orderId}:confirmed`)
      yield* untilSent(orderId)
    }).pipe(Effect.provide(running))
  )

  it.live("the gateway's PDF and the mail's have the same bytes, and bear the time of the order", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpFixture
      const notifications = yield* Notifications
      const sql = yield* SqlClient.SqlClient
      yield* publish()
      // The id of an order has the time of its hold in it.
      const { confirm, orderId, placedAtMs, tickets } = yield* place(2, { agoMs: 90_000 })
      yield* confirm
      // As the gateway has it from the bookings, whatever has come here.
      const document = yield* notifications.documentOf(orderId, tickets)
      assert.strictEqual(document.issuedAtMs, placedAtMs)
      const drawn = yield* notifications.renderTickets(document)
      yield* untilSent(orderId)
      const [mail] = smtp.received
      assert.include((mail?.raw ?? "").replace(/\s/g, ""), Buffer.from(drawn).toString("base64"))
      assert.strictEqual(Buffer.compare(drawn, yield* notifications.documentFor(orderId)), 0)
      // Before this context has heard of the event, what it will hear is printed.
      yield* sql`DELETE FROM notifications.events`
      assert.deepStrictEqual(yield* notifications.documentOf(orderId, tickets), document)
    }).pipe(Effect.provide(running))
  )

  it.live("an order's pages say what was agreed and where its seats are, in its language", () =>
    Effect.gen(function* () {
      const notifications = yield* Notifications
      const refunds = { untilMs: Date.UTC(2026, 11, 20), feeAmount: 200 }
      yield* publish(event, {
        width: 10_000,
        height: 2_000,
        focus: [5_000, 0],
        sections: [{ outline: [0, 1_000, 9_000, 1_000], rows: [[0, 1_000, 9, 9_000, 1_000]] }]
      })
      const { confirm, orderId, tickets } = yield* place(2, { locale: "de-AT", terms: { refunds } })
      const document = yield* notifications.documentOf(orderId, tickets)
      assert.strictEqual(document.locale, "de")
      assert.deepStrictEqual(document.refunds, refunds)
      assert.deepStrictEqual(document.plan?.outlines, [[0, 1_000, 9_000, 1_000]])
      assert.deepStrictEqual(
        document.tickets.map((ticket) => [ticket.place?.x, ticket.place?.y]),
        [
          [0, 1_000],
          [1_000, 1_000]
        ]
      )
      // By the notifications' own record, as a mail has it.
      const drawn = yield* notifications.renderTickets(document)
      yield* confirm
      yield* untilSent(orderId)
      assert.strictEqual(Buffer.compare(drawn, yield* notifications.documentFor(orderId)), 0)
    }).pipe(Effect.provide(running))
  )

  it.live("an order of an event whose plan was never told of is printed without a map", () =>
    Effect.gen(function* () {
      const notifications = yield* Notifications
      yield* publish()
      const { orderId, tickets } = yield* place(1)
      const document = yield* notifications.documentOf(orderId, tickets)
      assert.isUndefined(document.plan)
      assert.isUndefined(document.tickets[0]?.place)
      assert.isAbove((yield* notifications.renderTickets(document)).length, 1_000)
    }).pipe(Effect.provide(withoutRunner))
  )

  it.live("an event that no journal tells of is printed as the caller knows it", () =>
    Effect.gen(function* () {
      const notifications = yield* Notifications
      const { orderId, tickets } = yield* place(1)
      const untold = () => Effect.succeed(event)
      const failure = yield* Effect.flip(notifications.documentOf(orderId, tickets))
      assert.strictEqual(failure._tag === "TicketsNotReady" && failure.reason, "EventUnknown")
      const document = yield* notifications.documentOf(orderId, tickets, { untold })
      assert.strictEqual(document.event.name, event.name)
      yield* publish({ ...event, name: "As it was told" })
      const told = yield* notifications.documentOf(orderId, tickets, { untold })
      assert.strictEqual(told.event.name, "As it was told")
    }).pipe(Effect.provide(withoutRunner))
  )

  it.live("an event that was moved while nobody followed the catalog is printed with its new date", () =>
    Effect.gen(function* () {
      const notifications = yield* Notifications
      const sql = yield* SqlClient.SqlClient
      yield* publish()
      yield* sql`INSERT INTO notifications.events (event_id, facts, starts_at, version)
        VALUES (${event.eventId}::uuid, ${JSON.stringify(event)}::json, ${event.startsAt}::timestamptz, 1)`
      const { orderId, tickets } = yield* place(1)
      assert.strictEqual((yield* notifications.documentOf(orderId, tickets)).event.startsAt, event.startsAt)
      const moved = { ...event, startsAt: "2041-05-06T07:08:00Z" }
      yield* catalog(2, CatalogEvent.cases.EventChanged.make({ facts: moved }))
      assert.strictEqual((yield* notifications.documentOf(orderId, tickets)).event.startsAt, moved.startsAt)
    }).pipe(Effect.provide(withoutRunner))
  )

  it.live("what a ticket cost stands on the buyer's, and on none that was given away", () =>
    Effect.gen(function* () {
      const notifications = yield* Notifications
      yield* publish()
      const { orderId, tickets } = yield* place(2)
      const [given = assert.fail(), kept = assert.fail()] = tickets
      const now = [{ ...given, holder: { name: "Grace", email: "grace@example.org" } }, kept]
      const pricesOf = (ticketId?: TicketId) =>
        Effect.map(notifications.documentOf(orderId, now, { ticketId }), (document) =>
          document.tickets.map(({ holder, price }) => [holder, price?.amount])
        )
      assert.deepStrictEqual(yield* pricesOf(), [[undefined, kept.price]])
      assert.deepStrictEqual(yield* pricesOf(given.id), [["Grace", undefined]])
    }).pipe(Effect.provide(withoutRunner))
  )

  it.live("refunded tickets are not printed any more", () =>
    Effect.gen(function* () {
      const notifications = yield* Notifications
      yield* publish()
      const { append, confirm, orderId, tickets } = yield* place(2)
      yield* confirm
      yield* untilSent(orderId)
      const whole = yield* notifications.documentFor(orderId)
      const refund = (version: number, index: number) =>
        append(version, [
          OrderEvent.cases.RefundRequested.make({
            refundId: RefundId.make(makeUuidV7(nowMs)),
            amount: 4950,
            tickets: tickets.slice(index, index + 1).map(({ id }) => id),
            reason: "ill"
          })
        ])
      yield* refund(3, 0)
      yield* pollUntil(notifications.documentFor(orderId), (pdf) => pdf.length < whole.length)
      yield* refund(4, 1)
      const exit = yield* pollUntil(
        Effect.result(notifications.documentFor(orderId)),
        (result) => result._tag === "Failure"
      )
      assert.isTrue(exit._tag === "Failure" && exit.failure._tag === "TicketsNotReady")
    }).pipe(Effect.provide(running))
  )

  it.live("no job and no mail is lost by a stop: the next process goes on where it was", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpFixture
      yield* publish()
      const orders = yield* Effect.forEach(Array.from({ length: 10 }), () => place(1))
      const run = Layer.fresh(runner).pipe(Layer.provide(channels))
      for (const { confirm, orderId } of orders) {
        yield* confirm
        // Each order is told by a process of its own.
        yield* Effect.provide(untilSent(orderId), run)
      }
      assert.strictEqual(new Set(smtp.received.map(({ messageId }) => messageId)).size, 10)
      assert.strictEqual(smtp.received.length, 10)
    }).pipe(Effect.provide(withoutRunner))
  )

  it.live("two starts at the same time agree on one signing key", () =>
    Effect.gen(function* () {
      const start = Effect.provide(
        Effect.map(SigningKeys, ({ signer }) => Redacted.value(signer.privateJwk).x),
        Layer.fresh(SigningKeys.layer)
      )
      const keys = yield* Effect.all([start, start, start], { concurrency: "unbounded" })
      assert.strictEqual(new Set(keys).size, 1)
    }).pipe(Effect.provide(layerDatabase))
  )
})
