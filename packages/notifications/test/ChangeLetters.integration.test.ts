/** An event that is changed again before its buyers heard of the change: they hear once, of what is other for them. */
import { assert, describe, it } from "@effect/vitest"
import { OrderEvent, type OrderTicket } from "@onsale/contracts/booking/Order"
import { CatalogEvent, type EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { OrderId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect } from "effect"
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
