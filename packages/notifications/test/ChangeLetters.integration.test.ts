/** An event that is changed again before its buyers heard of the change: they hear once, of what is other for them. */
import { assert, describe, it } from "@effect/vitest"
import { OrderEvent, type OrderTicket } from "@onsale/contracts/booking/Order"
import { CatalogEvent, type EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { OrderId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Deferred, Effect, Fiber } from "effect"
import { SqlClient } from "effect/sql"
import { MessageLog } from "../src/MessageLog.ts"
import { mailsTo, plainOf } from "./MailReading.ts"
import { catalog, customer, patience, place, publish, running, untilSettled } from "./NoticeWorld.ts"
import { event } from "./Samples.ts"

const alan = { name: "Alan Turing", email: "alan@example.org" }
const give = (ticket: OrderTicket | undefined, codeVersion: number) =>
  OrderEvent.cases.TicketReissued.make({
    ticketId: (ticket ?? assert.fail()).id,
    codeVersion,
    holder: alan
  })

const named = (name: string): EventFacts => ({ ...event, name })
const renamed = (version: number, name: string) =>
  catalog(version, CatalogEvent.cases.EventChanged.make({ facts: named(name) }))

const statuses = (orderId: OrderId, tag: string) =>
  Effect.flatMap(MessageLog, (log) =>
    Effect.map(Effect.orDie(log.page({ order: orderId, limit: 100 })), ({ notifications }) =>
      notifications.filter(({ notice }) => notice._tag === tag).map(({ status }) => status)
    )
  )
const untilTold = (orderId: OrderId, tag: string, count = 1) =>
  pollUntil(
    statuses(orderId, tag),
    (all) => all.filter((status) => status === "sent").length === count,
    patience
  )

const names = ["First", "Second", "Third", "Fourth"]
/** Which of the names each letter about a change has. */
const changesTo = (address: string) =>
  Effect.map(mailsTo(address), (mails) =>
    mails
      .filter(({ messageId }) => messageId.includes("event-changed"))
      .map(({ raw }) => names.filter((name) => plainOf(raw).includes(name)))
  )

/** Jobs of that queue wait until they are let go. */
const holdBack = (queue: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE OR REPLACE FUNCTION notifications.later() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW.run_at := now() + interval '1 hour'; RETURN NEW; END $$`
    yield* sql.unsafe(`CREATE TRIGGER later BEFORE INSERT ON notifications.jobs FOR EACH ROW
      WHEN (NEW.queue = '${queue}') EXECUTE FUNCTION notifications.later()`)
    return {
      waiting: (count: number) =>
        pollUntil(
          sql`SELECT 1 FROM notifications.jobs
            WHERE queue = ${queue}::text AND done_at IS NULL AND run_at > now() + interval '1 minute'`,
          ({ length }) => length === count,
          patience
        ),
      letGo: Effect.andThen(
        sql`DROP TRIGGER later ON notifications.jobs`,
        sql`UPDATE notifications.jobs SET run_at = now() WHERE queue = ${queue}::text`
      )
    }
  })

describe("ChangeLetters", () => {
  for (const queue of ["notice", "email"]) {
    it.live(
      `changes that wait as jobs of ${queue} are told in one letter, as it was known and as it is`,
      () =>
        Effect.gen(function* () {
          yield* publish(named("First"))
          const { append, confirm, orderId, tickets } = yield* place(2)
          yield* confirm
          yield* append(3, [give(tickets[0], 2)])
          yield* untilTold(orderId, "OrderConfirmed")
          yield* untilTold(orderId, "TicketReissued")
          const jobs = yield* holdBack(queue)
          yield* renamed(2, "Second")
          yield* jobs.waiting(2)
          yield* renamed(3, "Third")
          yield* jobs.waiting(4)
          yield* jobs.letGo
          yield* untilTold(orderId, "EventChanged", 2)
          yield* untilSettled
          for (const { email } of [customer, alan])
            assert.deepStrictEqual(yield* changesTo(email), [["First", "Third"]])
          // What they have heard is what they know.
          yield* renamed(4, "Fourth")
          yield* untilTold(orderId, "EventChanged", 4)
          for (const { email } of [customer, alan])
            assert.deepStrictEqual(yield* changesTo(email), [
              ["First", "Third"],
              ["Third", "Fourth"]
            ])
        }).pipe(Effect.provide(running))
    )
  }

  it.live("who came between two changes hears of the second alone", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* publish(named("First"))
      const jobs = yield* holdBack("notice")
      yield* renamed(2, "Second")
      const early = yield* place(2)
      yield* early.confirm
      yield* jobs.waiting(2)
      const late = yield* place(1, { agoMs: 0, email: "late@example.org" })
      yield* late.confirm
      // The ticket is given after the first change as well.
      yield* sql`UPDATE notifications.event_changes SET at = to_timestamp(${early.placedAtMs + 500}::float8 / 1000)`
      yield* early.append(3, [give(early.tickets[0], 2)])
      yield* jobs.waiting(5)
      yield* renamed(3, "Third")
      yield* jobs.waiting(8)
      yield* jobs.letGo
      yield* untilTold(early.orderId, "EventChanged", 2)
      yield* untilTold(late.orderId, "EventChanged")
      yield* untilSettled
      assert.deepStrictEqual(yield* changesTo(customer.email), [["First", "Third"]])
      for (const address of [alan.email, "late@example.org"])
        assert.deepStrictEqual(yield* changesTo(address), [["Second", "Third"]])
    }).pipe(Effect.provide(running))
  )
})

/** A buyer to whom the letter that the event is "Second" is out, and what became of it is as said. */
const withLetterOut = Effect.fnUntraced(function* (
  fate: (id: string) => Effect.Effect<unknown, unknown, SqlClient.SqlClient>
) {
  const sql = yield* SqlClient.SqlClient
  yield* publish(named("First"))
  const { confirm, orderId } = yield* place(1)
  yield* confirm
  yield* untilTold(orderId, "OrderConfirmed")
  yield* renamed(2, "Second")
  yield* untilTold(orderId, "EventChanged")
  yield* untilSettled
  const id = `${orderId}:event-changed:2:email`
  yield* sql`UPDATE notifications.messages SET sent_at = NULL WHERE id = ${id}::text`
  yield* fate(id)
  return { id, orderId }
})

/** The job of a letter, open: with that many attempts, and with a lease until so many seconds from now. */
const openJob = (id: string, attempts: number, leaseSeconds: number | null) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`UPDATE notifications.jobs SET done_at = NULL, attempts = ${attempts}::int,
      run_at = now() + interval '1 hour', leased_until = now() + make_interval(secs => ${leaseSeconds}::float8)
    WHERE queue = 'email' AND id = ${id}::text`
  )
const forget = (id: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`DELETE FROM notifications.attempts WHERE message_id = ${id}::text`
  )

describe("who may have heard of a change that is taken back", () => {
  const fates: Record<string, (id: string) => Effect.Effect<unknown, unknown, SqlClient.SqlClient>> = {
    "no answer came to the letter": (id) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`UPDATE notifications.attempts SET outcome = 'unknown' WHERE message_id = ${id}::text`
        yield* openJob(id, 1, null)
      }),
    "the process that sent it has died": (id) => Effect.andThen(forget(id), openJob(id, 2, -1)),
    "it was sent, and support sends it once more": (id) => openJob(id, 0, null)
  }
  for (const [name, fate] of Object.entries(fates)) {
    it.live(`is told that it is taken back: ${name}`, () =>
      Effect.gen(function* () {
        const { orderId } = yield* withLetterOut(fate)
        yield* renamed(3, "First")
        yield* untilTold(orderId, "EventChanged")
        assert.deepStrictEqual((yield* changesTo(customer.email)).at(-1), ["First", "Second"])
      }).pipe(Effect.provide(running))
    )
  }

  it.live("is not told so where nothing was sent: to him the event is as it was", () =>
    Effect.gen(function* () {
      const { orderId } = yield* withLetterOut((id) => Effect.andThen(forget(id), openJob(id, 1, null)))
      yield* renamed(3, "First")
      yield* pollUntil(statuses(orderId, "EventChanged"), (all) => all.includes("skipped"), patience)
      assert.lengthOf(yield* changesTo(customer.email), 1)
    }).pipe(Effect.provide(running))
  )

  it.live("is waited for while the letter is with its channel", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { id, orderId } = yield* withLetterOut((id) => Effect.andThen(forget(id), openJob(id, 2, 3_600)))
      yield* renamed(3, "First")
      yield* pollUntil(
        sql`SELECT 1 FROM notifications.jobs WHERE last_error LIKE '%is under way%'`,
        ({ length }) => length === 1,
        patience
      )
      assert.notInclude(yield* statuses(orderId, "EventChanged"), "skipped")
      yield* sql`UPDATE notifications.messages SET sent_at = now() WHERE id = ${id}::text`
      // It was tried as often as the worker of the tests may, while it waited.
      yield* sql`UPDATE notifications.jobs SET attempts = 0, failed_at = NULL, run_at = now()
        WHERE queue = 'notice' AND done_at IS NULL`
      yield* untilTold(orderId, "EventChanged", 2)
      assert.deepStrictEqual((yield* changesTo(customer.email)).at(-1), ["First", "Second"])
    }).pipe(Effect.provide(running))
  )
})

describe("the letter of a change that was not the last", () => {
  it.live("is sent where the newest passes its reader by", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* publish(named("First"))
      const { confirm, orderId } = yield* place(1)
      yield* confirm
      yield* untilTold(orderId, "OrderConfirmed")
      const jobs = yield* holdBack("notice")
      yield* renamed(2, "Second")
      yield* jobs.waiting(1)
      yield* renamed(3, "Third")
      yield* jobs.waiting(2)
      yield* pollUntil(
        sql`SELECT 1 FROM notifications.jobs WHERE queue = 'fan-out' AND done_at IS NULL`,
        ({ length }) => length === 0,
        patience
      )
      yield* sql`DELETE FROM notifications.jobs WHERE queue = 'notice' AND id LIKE '%:event-changed:3'`
      yield* jobs.letGo
      yield* untilTold(orderId, "EventChanged")
      assert.deepStrictEqual(yield* changesTo(customer.email), [["First", "Third"]])
    }).pipe(Effect.provide(running))
  )

  it.live("stays on record as sent where support sends it once more", () =>
    Effect.gen(function* () {
      const log = yield* MessageLog
      yield* publish(named("First"))
      const { confirm, orderId } = yield* place(1)
      yield* confirm
      yield* untilTold(orderId, "OrderConfirmed")
      yield* renamed(2, "Second")
      yield* untilTold(orderId, "EventChanged")
      yield* renamed(3, "Third")
      yield* untilTold(orderId, "EventChanged", 2)
      yield* untilSettled
      const id = `${orderId}:event-changed:2:email`
      yield* log.replay(id)
      yield* untilSettled
      assert.deepStrictEqual(yield* statuses(orderId, "EventChanged"), ["sent", "sent"])
      assert.lengthOf(yield* changesTo(customer.email), 2)
    }).pipe(Effect.provide(running))
  )

  it.live("is replayed once by two who ask for it at the same time", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const log = yield* MessageLog
      const { id, orderId } = yield* withLetterOut((id) => {
        return Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`UPDATE notifications.messages SET sent_at = now() WHERE id = ${id}::text`
        )
      })
      const [isFirst, isOver] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const first = yield* sql
        .withTransaction(
          Effect.gen(function* () {
            // The first has it sent again, and a worker is at it.
            yield* sql`UPDATE notifications.messages SET sent_at = NULL WHERE id = ${id}::text`
            yield* openJob(id, 1, 3_600)
            yield* Deferred.succeed(isFirst, undefined)
            yield* Deferred.await(isOver)
          })
        )
        .pipe(Effect.forkScoped)
      yield* Deferred.await(isFirst)
      const second = yield* Effect.forkScoped(log.replay(id))
      yield* pollUntil(
        sql`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%notifications.messages%'`,
        ({ length }) => length > 0,
        patience
      )
      yield* Deferred.succeed(isOver, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      const [job] = yield* sql`SELECT 1 FROM notifications.jobs
        WHERE queue = 'email' AND id = ${id}::text AND leased_until > now() AND attempts = 1`
      assert.isDefined(job, "it is still the worker's")
      assert.deepStrictEqual(yield* statuses(orderId, "EventChanged"), ["waiting"])
    }).pipe(Effect.scoped, Effect.provide(running))
  )
})
