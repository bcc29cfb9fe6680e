import { assert, describe, it } from "@effect/vitest"
import { type Customer, OrderEvent, type OrderTicket } from "@onsale/contracts/booking/Order"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { makeUuidV7, type OrderId, RefundId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { SmtpFixture } from "@onsale/testing/SmtpFixture"
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { MessageLog } from "../src/MessageLog.ts"
import { FanOut, fanOutId, NoticeJobs } from "../src/NoticeJobs.ts"
import { Preferences } from "../src/Preferences.ts"
import { Suppressions } from "../src/Suppressions.ts"
import { mailsTo, plainOf } from "./MailReading.ts"
import {
  catalog,
  channels,
  customer,
  patience,
  place,
  publish,
  runner,
  running,
  untilSettled,
  withoutRunner
} from "./NoticeWorld.ts"
import { event, eventId, nowMs } from "./Samples.ts"

const hour = 3_600_000
const grace = { name: "Grace Hopper", email: "grace@example.org", locale: "de" }
const alan = { name: "Alan Turing", email: "alan@example.org" }
const buyer = customer.email

/** What is on record of an order, by the notice, what became of it, and the address; null where it had none yet. */
const told = (orderId: OrderId) =>
  Effect.flatMap(MessageLog, (log) =>
    Effect.map(Effect.orDie(log.page({ order: orderId, limit: 100 })), ({ notifications }) =>
      notifications.map(({ notice, recipient, status }) => `${notice._tag} ${status} ${recipient}`)
    )
  )
const untilTold = (orderId: OrderId, ...expected: ReadonlyArray<string>) =>
  pollUntil(told(orderId), (all) => expected.every((one) => all.includes(one)), patience)
/** All that an address was sent of an order, sorted. */
const toldTo = (orderId: OrderId, address: string) =>
  Effect.map(told(orderId), (all) =>
    all
      .filter((one) => one.endsWith(` ${address}`))
      .map((one) => one.split(" ", 2).join(" "))
      .sort()
  )

const startsIn = (ms: number) =>
  Effect.map(Clock.currentTimeMillis, (now) => ({ ...event, startsAt: new Date(now + ms).toISOString() }))
const moved = (version: number, ms: number) =>
  Effect.flatMap(startsIn(ms), (facts) => catalog(version, CatalogEvent.cases.EventChanged.make({ facts })))

const give = (ticket: OrderTicket | undefined, codeVersion: number, holder?: Customer) =>
  OrderEvent.cases.TicketReissued.make({
    ticketId: (ticket ?? assert.fail()).id,
    codeVersion,
    ...(holder === undefined ? {} : { holder })
  })
const refund = (tickets: ReadonlyArray<OrderTicket>, cause: "customer" | "event_cancelled") =>
  OrderEvent.cases.RefundRequested.make({
    refundId: RefundId.make(makeUuidV7(nowMs)),
    amount: 4_950 * tickets.length,
    cause,
    tickets: tickets.map(({ id }) => id),
    reason: "rain"
  })

describe("TicketHolders", () => {
  it.live("whoever was given a ticket hears what becomes of the event, once, in a letter of their own", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* publish(yield* startsIn(200 * hour))
      const { append, confirm, orderId, tickets } = yield* place(3, { agoMs: 6 * hour, locale: "fr" })
      yield* confirm
      yield* append(3, [give(tickets[1], 2, grace)])
      yield* append(4, [give(tickets[2], 2, alan)])
      const given = ["TicketReissued sent grace@example.org", "TicketReissued sent alan@example.org"]
      yield* untilTold(orderId, `OrderConfirmed sent ${buyer}`, ...given)

      yield* moved(2, 20 * hour)
      const all = (tag: string) => [grace.email, alan.email, buyer].map((to) => `${tag} sent ${to}`)
      yield* untilTold(orderId, ...all("EventChanged"), ...all("EventReminder"))
      yield* untilSettled

      // All of it is seen once more, as after a crash before its end was on record.
      yield* sql`DELETE FROM notifications.jobs WHERE queue = 'notice'`
      yield* sql`UPDATE notifications.fan_outs SET last_order = NULL`
      yield* sql`UPDATE notifications.jobs SET done_at = NULL WHERE queue = 'fan-out'`
      yield* pollUntil(
        sql`SELECT 1 FROM notifications.jobs WHERE queue = 'notice' AND done_at IS NOT NULL`,
        (rows) => rows.length === 6,
        patience
      )
      yield* untilSettled

      yield* catalog(3, CatalogEvent.cases.EventCancelled.make({ eventId, reason: "rain" }))
      const cancelled = refund(tickets, "event_cancelled")
      yield* append(5, [cancelled])
      yield* append(6, [OrderEvent.cases.Refunded.make({ refundId: cancelled.refundId })])
      yield* untilTold(orderId, ...all("EventCancelled"), `Refunded sent ${buyer}`)
      yield* untilSettled
      yield* sql`DELETE FROM notifications.jobs WHERE queue = 'notice'`
      yield* sql`DELETE FROM notifications.cursor WHERE name = 'booking'`
      yield* append(7, [OrderEvent.cases.SeatsReturned.make({ refundId: cancelled.refundId })])
      yield* pollUntil(
        sql`SELECT 1 FROM notifications.jobs WHERE queue = 'notice' AND id LIKE '%:event-cancelled'
            AND done_at IS NOT NULL`,
        (rows) => rows.length === 3,
        patience
      )
      yield* untilSettled

      const mails = (address: string) => Effect.map(mailsTo(address), ({ length }) => length)
      const due = ["EventCancelled sent", "EventChanged sent", "EventReminder sent", "TicketReissued sent"]
      for (const { email } of [grace, alan]) {
        assert.deepStrictEqual(yield* toldTo(orderId, email), due)
        assert.strictEqual(yield* mails(email), 4)
      }
      assert.deepStrictEqual(yield* toldTo(orderId, buyer), [
        "EventCancelled sent",
        "EventChanged sent",
        "EventReminder sent",
        "OrderConfirmed sent",
        "Refunded sent",
        "TicketGiven sent",
        "TicketGiven sent"
      ])
      assert.strictEqual(yield* mails(buyer), 7)

      const strangers = [...(yield* mailsTo(grace.email)), ...(yield* mailsTo(alan.email))].map(
        ({ raw }) => raw + plainOf(raw)
      )
      for (const raw of strangers) {
        assert.notInclude(raw, orderId)
        assert.notInclude(raw, "€")
      }
      const letterTo = (address: string, notice: string) =>
        Effect.map(mailsTo(address), (mails) =>
          plainOf(mails.find(({ messageId }) => messageId.includes(notice))?.raw ?? "")
        )
      const changed = yield* letterTo(grace.email, "event-changed")
      assert.include(changed, "filename=event.ics")
      assert.include(changed, "Guten Tag Grace Hopper")
      assert.include(yield* letterTo(grace.email, "reminder"), "als es Ihnen überlassen wurde")
      assert.match(yield* letterTo(grace.email, "event-cancelled"), /Den Kaufpreis bekommt .*Łukasz.* zurück/)
      // Without a language of his own he reads that of the order.
      assert.include(yield* letterTo(alan.email, "event-changed"), "Vos billets restent valables")
    }).pipe(Effect.provide(running))
  )

  it.live("whose ticket was returned hears it, in one letter for several, and of no money", () =>
    Effect.gen(function* () {
      yield* publish()
      const { append, confirm, orderId, tickets } = yield* place(4)
      yield* confirm
      yield* append(3, [give(tickets[1], 2, grace), give(tickets[2], 2, grace), give(tickets[3], 2, alan)])
      yield* pollUntil(mailsTo(grace.email), ({ length }) => length === 2, patience)
      yield* pollUntil(mailsTo(alan.email), ({ length }) => length === 1, patience)
      const returned = refund(tickets.slice(0, 3), "customer")
      yield* append(4, [returned])
      yield* untilTold(orderId, "TicketReturned sent grace@example.org")
      yield* append(5, [OrderEvent.cases.Refunded.make({ refundId: returned.refundId })])
      yield* untilTold(orderId, `Refunded sent ${buyer}`)
      yield* untilSettled
      const [, , letter, ...more] = yield* mailsTo(grace.email)
      assert.deepStrictEqual(more, [])
      const text = plainOf(letter?.raw ?? "")
      assert.include(text, "2 Tickets für Midnight Symphony")
      for (const label of [tickets[1]?.label, tickets[2]?.label]) assert.include(text, label ?? assert.fail())
      for (const other of [orderId, "€", tickets[0]?.label ?? "", tickets[3]?.label ?? ""])
        assert.notInclude(text, other)
      assert.notInclude(letter?.raw, "tickets.pdf")
      assert.deepStrictEqual(yield* toldTo(orderId, alan.email), ["TicketReissued sent"])
    }).pipe(Effect.provide(running))
  )

  it.live(
    "who paid and has no ticket left by then gets the confirmation: it says where each of them is",
    () =>
      Effect.gen(function* () {
        yield* publish()
        const ada = "ada@example.org"
        const mixed = yield* place(2)
        yield* mixed.confirm
        yield* mixed.append(3, [give(mixed.tickets[0], 2, grace)])
        yield* mixed.append(4, [refund(mixed.tickets.slice(1), "customer")])
        const given = yield* place(2, { email: ada })
        yield* given.confirm
        yield* given.append(3, [give(given.tickets[0], 2, grace), give(given.tickets[1], 2, alan)])
        const returned = yield* place(1)
        yield* returned.confirm
        yield* returned.append(3, [refund(returned.tickets, "customer")])
        // All of it has happened before the first letter is written.
        yield* Effect.gen(function* () {
          yield* untilTold(mixed.orderId, `OrderConfirmed sent ${buyer}`)
          yield* untilTold(given.orderId, `OrderConfirmed sent ${ada}`)
          yield* untilTold(returned.orderId, "OrderConfirmed skipped null")
          yield* untilSettled
        }).pipe(Effect.provide(runner.pipe(Layer.provide(channels))))
        const letterOf = (orderId: OrderId, address: string) =>
          Effect.map(mailsTo(address), (mails) => {
            const [letter, ...more] = mails.filter(({ messageId }) =>
              messageId.includes(`${orderId}.confirmed`)
            )
            assert.deepStrictEqual(more, [])
            assert.notMatch(letter?.raw ?? "filename=", /filename=/)
            return plainOf(letter?.raw ?? "")
          })
        const half = yield* letterOf(mixed.orderId, buyer)
        assert.include(half, `${mixed.tickets[0]?.label}: €49.50 · given to Grace Hopper`)
        assert.include(half, `${mixed.tickets[1]?.label}: €49.50 · returned`)
        assert.include(half, "Total: €99.00")
        const whole = yield* letterOf(given.orderId, ada)
        assert.include(whole, "given to Alan Turing")
        assert.notInclude(whole, "returned")
        const log = yield* MessageLog
        const { notifications } = yield* Effect.orDie(log.page({ order: returned.orderId }))
        const skipped = notifications.find(({ notice }) => notice._tag === "OrderConfirmed")
        assert.strictEqual(skipped?.reason, "all of its tickets were refunded")
      }).pipe(Effect.provide(withoutRunner))
  )

  it.live("who gave all tickets away is not reminded; who declined is not, nor who has them no more", () =>
    Effect.gen(function* () {
      const preferences = yield* Preferences
      const suppressions = yield* Suppressions
      yield* publish(yield* startsIn(200 * hour))
      const { append, confirm, orderId, tickets } = yield* place(2, { agoMs: 6 * hour })
      yield* confirm
      yield* untilTold(orderId, `OrderConfirmed sent ${buyer}`)
      yield* append(3, [give(tickets[0], 2, grace)])
      yield* append(4, [give(tickets[1], 2, alan)])
      yield* untilTold(
        orderId,
        "TicketReissued sent grace@example.org",
        "TicketReissued sent alan@example.org"
      )
      const ada = { name: "Ada Lovelace", email: "ada@example.org" }
      yield* append(5, [give(tickets[0], 3, ada)])
      yield* untilTold(orderId, "TicketReissued sent ada@example.org", "TicketGiven sent grace@example.org")
      yield* preferences.decline(alan.email, "reminders")
      yield* moved(2, 20 * hour)
      yield* untilTold(
        orderId,
        "EventReminder sent ada@example.org",
        `EventChanged sent ${buyer}`,
        "EventChanged sent alan@example.org"
      )
      yield* pollUntil(
        told(orderId),
        (all) => all.filter((one) => one === "EventReminder skipped null").length === 2,
        patience
      )
      const [changed] = (yield* mailsTo(buyer)).slice(-1)
      assert.include(plainOf(changed?.raw ?? ""), "The tickets that you gave to others stay valid")
      assert.notInclude(changed?.raw, "event.ics")
      // An address that bounces is not written to, whoever gave it to us.
      yield* suppressions.add("sandbox", [{ address: ada.email, reason: "no such user", messageId: null }])
      yield* moved(3, 100 * hour)
      yield* untilTold(orderId, "EventChanged dead ada@example.org")
      yield* untilSettled
      assert.deepStrictEqual(yield* toldTo(orderId, grace.email), ["TicketGiven sent", "TicketReissued sent"])
    }).pipe(Effect.provide(running))
  )

  it.live(
    "who is given a ticket after a change knows it; a ticket of a cancelled event is sent to nobody",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* publish()
        const { append, confirm, orderId, placedAtMs, tickets } = yield* place(2, { agoMs: 6 * hour })
        yield* confirm
        yield* untilTold(orderId, `OrderConfirmed sent ${buyer}`)
        yield* append(3, [give(tickets[0], 2, alan)])
        yield* append(4, [give(tickets[1], 2, grace)])
        yield* pollUntil(mailsTo(grace.email), ({ length }) => length === 1, patience)
        yield* catalog(2, CatalogEvent.cases.EventChanged.make({ facts: yield* startsIn(100 * hour) }))
        yield* untilTold(orderId, `EventChanged sent ${buyer}`, "EventChanged sent alan@example.org")
        yield* untilSettled
        // The next change comes between the two gifts.
        yield* sql`UPDATE notifications.event_changes SET change = 9,
        at = to_timestamp(${placedAtMs + 2_500}::float8 / 1000)`
        const { fanOuts } = yield* NoticeJobs
        const fanOut = FanOut.cases.EventChanged.make({ eventId, change: 9 })
        yield* fanOuts.offer(fanOutId(fanOut), fanOut)
        yield* untilTold(orderId, "EventChanged skipped null")
        yield* untilSettled
        const changes = (address: string) =>
          Effect.map(
            toldTo(orderId, address),
            (all) => all.filter((one) => one === "EventChanged sent").length
          )
        assert.deepStrictEqual([yield* changes(alan.email), yield* changes(grace.email)], [2, 1])

        yield* catalog(3, CatalogEvent.cases.EventCancelled.make({ eventId, reason: "rain" }))
        yield* pollUntil(
          sql`SELECT 1 FROM notifications.events WHERE cancelled_at IS NOT NULL`,
          (rows) => rows.length === 1,
          patience
        )
        const ada = { name: "Ada Lovelace", email: "ada@example.org" }
        yield* append(5, [give(tickets[0], 3, ada)])
        yield* untilTold(orderId, "TicketReissued skipped null", "TicketGiven sent alan@example.org")
        yield* append(6, [refund(tickets, "event_cancelled")])
        yield* untilTold(
          orderId,
          "EventCancelled sent ada@example.org",
          "EventCancelled sent grace@example.org"
        )
        yield* untilSettled
        assert.deepStrictEqual(yield* toldTo(orderId, ada.email), ["EventCancelled sent"])
        assert.notInclude(yield* toldTo(orderId, alan.email), "EventCancelled sent")
      }).pipe(Effect.provide(running))
  )

  it.live("who is given a ticket after a change that somebody else had it before knows it too", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* publish()
      const { append, confirm, orderId, placedAtMs, tickets } = yield* place(2, { agoMs: 6 * hour })
      yield* confirm
      yield* append(3, [give(tickets[0], 2, alan)])
      yield* append(4, [give(tickets[0], 3, grace)])
      yield* pollUntil(mailsTo(grace.email), ({ length }) => length === 1, patience)
      // The change comes between the two gifts.
      yield* sql`INSERT INTO notifications.event_changes (event_id, change, before, at)
        VALUES (${eventId}::uuid, 9, ${JSON.stringify({ ...event, name: "As it was" })}::json,
          to_timestamp(${placedAtMs + 2_500}::float8 / 1000))`
      const { fanOuts } = yield* NoticeJobs
      const fanOut = FanOut.cases.EventChanged.make({ eventId, change: 9 })
      yield* fanOuts.offer(fanOutId(fanOut), fanOut)
      yield* untilTold(orderId, "EventChanged skipped null", `EventChanged sent ${buyer}`)
      yield* untilSettled
      assert.notInclude(yield* toldTo(orderId, grace.email), "EventChanged sent")
    }).pipe(Effect.provide(running))
  )

  it.live("who was given a ticket only for a moment hears nothing of it; the last one has it", () =>
    Effect.gen(function* () {
      yield* publish()
      const { append, confirm, orderId, tickets } = yield* place(1)
      yield* confirm
      yield* untilTold(orderId, `OrderConfirmed sent ${buyer}`)
      const last = { name: "Ada Lovelace", email: "ada@example.org" }
      yield* append(3, [give(tickets[0], 2, grace), give(tickets[0], 3, alan), give(tickets[0], 4, last)])
      yield* untilTold(orderId, "TicketReissued sent ada@example.org", `TicketGiven sent ${buyer}`)
      yield* pollUntil(
        told(orderId),
        (all) => all.filter((one) => one.endsWith("skipped null")).length === 4,
        patience
      )
      yield* untilSettled
      for (const { email } of [grace, alan]) assert.deepStrictEqual(yield* mailsTo(email), [])
      assert.strictEqual((yield* mailsTo(last.email)).length, 1)
      const [, given] = yield* mailsTo(buyer)
      assert.include(plainOf(given?.raw ?? ""), "now belongs to Ada Lovelace")
    }).pipe(Effect.provide(running))
  )

  it.live(
    "who may have got a ticket hears that it went on; whom it never reached is given the newer code",
    () =>
      Effect.gen(function* () {
        const smtp = yield* SmtpFixture
        yield* publish()
        const { append, confirm, orderId, tickets } = yield* place(2)
        yield* confirm
        yield* untilTold(orderId, `OrderConfirmed sent ${buyer}`)

        // --- taken, and nobody said so
        smtp.otherwise = () => "vanish"
        yield* append(3, [give(tickets[0], 2, grace)])
        yield* pollUntil(mailsTo(grace.email), ({ length }) => length > 0, patience)
        yield* append(4, [give(tickets[0], 3, alan)])
        smtp.otherwise = () => "take"
        yield* untilTold(
          orderId,
          "TicketReissued sent alan@example.org",
          "TicketGiven sent grace@example.org"
        )

        // --- refused, and made anew
        yield* untilSettled
        smtp.otherwise = () => ({ code: 550 })
        yield* append(5, [give(tickets[1], 2, grace)])
        yield* untilTold(orderId, "TicketReissued dead grace@example.org")
        yield* untilSettled
        smtp.otherwise = () => "take"
        const count = (yield* mailsTo(grace.email)).length
        yield* append(6, [give(tickets[1], 3)])
        const mails = yield* pollUntil(mailsTo(grace.email), ({ length }) => length > count, patience)
        assert.include(plainOf(mails[count]?.raw ?? ""), "hat Ihnen ein Ticket")
      }).pipe(Effect.provide(running))
  )
})
