import { assert, describe, it } from "@effect/vitest"
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import type { OrderId } from "@onsale/contracts/Ids"
import { defaults } from "@onsale/contracts/notifications/Preferences"
import { pollUntil } from "@onsale/testing/Poll"
import { Clock, Effect } from "effect"
import { MessageLog } from "../src/MessageLog.ts"
import { Notifications } from "../src/Notifications.ts"
import { Preferences } from "../src/Preferences.ts"
import type { DocumentOptions } from "../src/TicketDocuments.ts"
import { UnsubscribeLinks } from "../src/UnsubscribeLinks.ts"
import { mailsTo, plainOf } from "./MailReading.ts"
import { catalog, patience, place, publish, running, untilSettled } from "./NoticeWorld.ts"
import { event } from "./Samples.ts"

const hour = 3_600_000
const grace = { name: "Grace Hopper", email: "grace@example.org", locale: "de" }
const alan = { name: "Alan Turing", email: "alan@example.org" }

const told = (orderId: OrderId) =>
  Effect.flatMap(MessageLog, (log) =>
    Effect.map(Effect.orDie(log.page({ order: orderId })), ({ notifications }) =>
      notifications.map(({ notice, recipient, status }) => `${notice._tag} ${status} ${recipient}`)
    )
  )
const untilTold = (orderId: OrderId, ...expected: ReadonlyArray<string>) =>
  pollUntil(told(orderId), (all) => expected.every((one) => all.includes(one)), patience)

const startsIn = (ms: number) =>
  Effect.map(Clock.currentTimeMillis, (now) => ({ ...event, startsAt: new Date(now + ms).toISOString() }))

describe("Readers", () => {
  it.live(
    "who was given a ticket gets it alone and never the order; who gave it is told without a code",
    () =>
      Effect.gen(function* () {
        yield* publish()
        const { append, confirm, orderId, tickets } = yield* place(2)
        const [ticket] = tickets
        assert.isDefined(ticket)
        yield* confirm
        yield* untilTold(orderId, "OrderConfirmed sent buyer@example.org")
        const reissue = (version: number, codeVersion: number, holder?: typeof alan) =>
          append(version, [
            OrderEvent.cases.TicketReissued.make({
              ticketId: ticket.id,
              codeVersion,
              ...(holder === undefined ? {} : { holder })
            })
          ])

        // --- to Grace, in her language
        yield* reissue(3, 2, grace)
        yield* untilTold(
          orderId,
          "TicketReissued sent grace@example.org",
          "TicketGiven sent buyer@example.org"
        )
        const [given] = yield* mailsTo(grace.email)
        assert.isDefined(given)
        assert.include(plainOf(given.raw), "hat Ihnen ein Ticket")
        assert.include(given.raw, "filename=tickets.pdf")
        const [, gone] = yield* mailsTo("buyer@example.org")
        assert.isDefined(gone)
        assert.include(plainOf(gone.raw), "now belongs to Grace Hopper")
        assert.notInclude(gone.raw, "tickets.pdf")

        // --- lost by Grace
        yield* reissue(4, 3)
        yield* pollUntil(mailsTo(grace.email), ({ length }) => length === 2, patience)

        // --- and given on, to somebody who then is the only one with a code
        yield* reissue(5, 4, alan)
        yield* untilTold(
          orderId,
          "TicketReissued sent alan@example.org",
          "TicketGiven sent grace@example.org"
        )
        yield* untilSettled
        const strangers = [...(yield* mailsTo(grace.email)), ...(yield* mailsTo(alan.email))]
        assert.deepStrictEqual(
          strangers.map(({ raw }) => raw.includes("filename=tickets.pdf")),
          [true, true, false, true]
        )
        for (const { raw } of strangers) {
          assert.notInclude(raw, orderId)
          assert.notInclude(plainOf(raw), orderId)
        }
        assert.strictEqual((yield* mailsTo("buyer@example.org")).length, 2)
      }).pipe(Effect.provide(running))
  )

  it.live("the language is that of the order, until the customer says another", () =>
    Effect.gen(function* () {
      const preferences = yield* Preferences
      yield* publish()
      const arabic = yield* place(1, { email: "layla@example.org", locale: "ar-EG" })
      yield* arabic.confirm
      const [mail] = yield* pollUntil(mailsTo("layla@example.org"), ({ length }) => length === 1, patience)
      assert.isDefined(mail)
      assert.include(plainOf(mail.raw), 'dir="rtl"')
      assert.include(plainOf(mail.raw), "PRODID:-//Onsale//Tickets//AR")
      yield* preferences.set({ email: "Layla@example.org" }, { ...defaults, locale: "fr" })
      const french = yield* place(1, { email: "layla@example.org", locale: "ar-EG" })
      yield* french.confirm
      const mails = yield* pollUntil(mailsTo("layla@example.org"), ({ length }) => length === 2, patience)
      assert.include(plainOf(mails[1]?.raw ?? ""), 'lang="fr"')
    }).pipe(Effect.provide(running))
  )

  it.live("what goes with a letter is in its language, what the order's address shows in the order's", () =>
    Effect.gen(function* () {
      const notifications = yield* Notifications
      const preferences = yield* Preferences
      const email = "carmen@example.org"
      yield* publish()
      yield* preferences.set({ email }, { ...defaults, locale: "es" })
      const { append, confirm, orderId, tickets } = yield* place(2, { email, locale: "de-AT" })
      const [kept = assert.fail(), given = assert.fail()] = tickets
      yield* confirm
      const [bought] = yield* pollUntil(mailsTo(email), ({ length }) => length === 1, patience)
      const anne = { name: "Anne", email: "anne@example.org", locale: "fr" }
      yield* append(3, [
        OrderEvent.cases.TicketReissued.make({ ticketId: given.id, codeVersion: 2, holder: anne })
      ])
      const [gift] = yield* pollUntil(mailsTo(anne.email), ({ length }) => length === 1, patience)

      const drawn = Effect.fnUntraced(function* (of: typeof tickets, options?: DocumentOptions) {
        const document = yield* notifications.documentOf(orderId, of, options)
        return Buffer.from(yield* notifications.renderTickets(document))
      })
      const now = [kept, { ...given, codeVersion: 2, holder: anne }]
      const letters = [
        [bought, yield* drawn(tickets, { locale: "es" }), "es"],
        [gift, yield* drawn(now, { ticketId: given.id, locale: "fr" }), "fr"]
      ] as const
      for (const [letter, pdf, locale] of letters) {
        const raw = letter?.raw ?? ""
        assert.include(plainOf(raw), `lang="${locale}"`)
        assert.include(raw.replace(/\s/g, ""), pdf.toString("base64"))
        assert.include(pdf.toString("latin1"), `/Lang (${locale})`)
        assert.include(plainOf(raw), `PRODID:-//Onsale//Tickets//${locale.toUpperCase()}`)
      }
      const shown = yield* drawn(now)
      assert.include(shown.toString("latin1"), "/Lang (de)")
      // The same version of the order in the same language has the same bytes, whatever was printed between.
      assert.isTrue(shown.equals(yield* drawn(now)))
      assert.isTrue(shown.equals(Buffer.from(yield* notifications.documentFor(orderId))))
    }).pipe(Effect.provide(running))
  )

  it.live(
    "what may be declined has the link for it in the message and its headers, and is not sent once declined",
    () =>
      Effect.gen(function* () {
        const links = yield* UnsubscribeLinks
        const preferences = yield* Preferences
        yield* publish(yield* startsIn(200 * hour))
        const ada = yield* place(1, { email: "ada@example.org", agoMs: 6 * hour })
        yield* ada.confirm
        yield* untilTold(ada.orderId, "OrderConfirmed sent ada@example.org")
        yield* catalog(2, CatalogEvent.cases.EventChanged.make({ facts: yield* startsIn(20 * hour) }))
        yield* untilTold(
          ada.orderId,
          "OrderConfirmed sent ada@example.org",
          "EventReminder sent ada@example.org"
        )
        const mails = yield* mailsTo("ada@example.org")
        const reminder = mails.find(({ messageId }) => messageId.includes(".reminder."))
        const confirmed = mails.find(({ messageId }) => messageId.includes(".confirmed"))
        assert.isDefined(reminder)
        assert.notMatch(confirmed?.raw ?? "List-Unsubscribe", /List-Unsubscribe/)
        const text = plainOf(reminder.raw)
        assert.include(text, "List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        const url = /List-Unsubscribe: ?<([^>]+)>/.exec(text)?.[1] ?? ""
        assert.strictEqual(text.split(url).length, 4, "in the header, the text and the HTML")
        const claim = yield* links.open(url.slice(url.lastIndexOf("/") + 1))
        assert.deepStrictEqual(claim, { email: "ada@example.org", topic: "reminders" })
        yield* preferences.decline(claim.email, claim.topic)
        // Who has declined it is not reminded of the new time; that it is new is said all the same.
        yield* catalog(3, CatalogEvent.cases.EventChanged.make({ facts: yield* startsIn(19 * hour) }))
        yield* untilTold(ada.orderId, "EventReminder skipped null")
        yield* untilSettled
        const after = yield* mailsTo("ada@example.org")
        assert.strictEqual(after.filter(({ messageId }) => messageId.includes(".reminder.")).length, 1)
        assert.strictEqual(after.filter(({ messageId }) => messageId.includes(".event-changed.")).length, 2)
      }).pipe(Effect.provide(running))
  )
})
