/** An organiser changes an event on sale: everybody who has to know is told once, and all that shows it shows it. */
import { assert, describe, it } from "@effect/vitest"
import { EventDetail } from "@onsale/contracts/catalog/Event"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { MessagePage } from "@onsale/contracts/notifications/Message"
import { WebhookWithSecret } from "@onsale/contracts/notifications/Webhook"
import { pollUntil } from "@onsale/testing/Poll"
import * as Smtp from "@onsale/testing/SmtpFixture"
import { Effect, Schema } from "effect"
import * as PdfText from "./PdfText.ts"
import * as RpcClients from "./RpcClients.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"
import * as WebhookReceiver from "./WebhookReceiver.ts"

const plan = "section,row,seat_from,seat_to,quantity,price\nStalls,A,1,40,,45.00"
const organiser = { headers: { authorization: `Bearer ${Service.organiserKey}` } }
const patience = { deadline: "60 seconds" } as const
const ada = "ada@example.org"
const grace = "grace@example.org"

const first = "2031-05-01T18:00:00.000Z"
const moved = "2031-07-01T17:30:00.000Z"
/** 19:30 in Berlin. */
const movedInWords = /July 1, 2031|1 July 2031/

const Found = Schema.Struct({
  events: Schema.Array(Schema.Struct({ id: Schema.String, startsAt: Schema.String }))
})
const EventMessage = Schema.fromJsonString(
  Schema.Struct({
    type: Schema.String,
    data: Schema.Struct({
      eventId: Schema.optionalKey(Schema.String),
      name: Schema.optionalKey(Schema.String),
      startsAt: Schema.optionalKey(Schema.String)
    })
  })
)

describe("A published event", () => {
  it.live(
    "is changed by its organiser: buyers, holders and webhooks are told once, and everything shows it",
    () =>
      Effect.gen(function* () {
        const smtp = yield* Smtp.make()
        const { received, url } = yield* WebhookReceiver.make
        const service = yield* Service.start({ env: { ...WebhookReceiver.env, ONSALE_SMTP_URL: smtp.url } })
        const shop = Shop.at(service.url)
        yield* Effect.flatMap(
          shop.send({ path: shop.api("/organiser/webhooks"), ...organiser, body: { url } }),
          Shop.expect(201, WebhookWithSecret)
        )
        const event = yield* shop.openEvent(yield* shop.importPlan("csv", plan), {
          tiers: [],
          currency: "EUR",
          startsAt: first
        })
        const patch = (body: object) => shop.organise(event.id, "", body, "PATCH")
        const detail = Effect.flatMap(
          shop.send({ path: shop.api(`/events/${event.id}`) }),
          Shop.expect(200, EventDetail)
        )
        /** Ids of what was sent to an address, but for the tickets themselves. */
        const changesTold = (address: string) =>
          Effect.map(
            Effect.flatMap(
              shop.send({
                path: shop.api(`/organiser/notifications?limit=100`),
                ...organiser
              }),
              Shop.expect(200, MessagePage)
            ),
            ({ notifications }) =>
              notifications
                .filter(({ recipient, status }) => recipient === address && status === "sent")
                .flatMap(({ notice, subject }) =>
                  notice._tag === "EventChanged" ? [`${notice.change} ${subject}`] : []
                )
                .toSorted()
          )
        const mailsTo = (address: string) => smtp.received.filter(({ to }) => to === address)

        // --- bought, and one ticket of two given to somebody
        const hold = yield* shop.hold(event.id, { bestAvailable: { quantity: 2 } })
        const order = yield* Effect.flatMap(
          shop.tryOrder(hold.id, "tok_ok", { email: ada }),
          Shop.expect(201, Order)
        )
        yield* Effect.flatMap(
          shop.send({
            path: shop.api(`/orders/${order.id}/tickets/${order.tickets[1]?.id}/transfer`),
            headers: { "idempotency-key": Shop.newKey() },
            body: { name: "Grace Hopper", email: grace }
          }),
          Shop.expect(200, Order)
        )
        yield* pollUntil(
          Effect.sync(() => [ada, grace].map((address) => mailsTo(address).length)),
          (counts) => counts.every((count) => count > 0),
          patience
        )
        yield* detail

        // --- by whom, and what not
        const stranger = yield* shop.send({
          method: "PATCH",
          path: shop.api(`/organiser/events/${event.id}`),
          body: { startsAt: moved }
        })
        assert.strictEqual(stranger.status, 401)
        const cases: ReadonlyArray<readonly [object, number, string]> = [
          [{ startsAt: "2020-01-01T00:00:00Z" }, 422, "event-invalid"],
          [{ startsAt: moved, tiers: [] }, 400, "request-invalid"],
          [{ startsAt: moved, venueId: event.venue.id }, 400, "request-invalid"],
          [{ startsAt: "soon" }, 400, "request-invalid"],
          [{ name: "" }, 400, "request-invalid"]
        ]
        for (const [body, status, type] of cases) {
          const refused = yield* patch(body)
          assert.strictEqual(refused.status, status, refused.text)
          assert.strictEqual((yield* Shop.problemOf(refused)).type, `urn:onsale:problem:${type}`)
        }
        assert.deepStrictEqual(yield* detail, event)

        // --- moved, by three repeats of one request at the same time
        const answers = yield* Effect.forEach([1, 2, 3], () => patch({ startsAt: moved }), {
          concurrency: "unbounded"
        })
        for (const reply of answers) {
          const answer = yield* Shop.expect(200, EventDetail)(reply)
          assert.deepStrictEqual(answer, { ...event, startsAt: moved, saleEndsAt: moved })
        }
        assert.strictEqual((yield* detail).startsAt, moved)
        const { text: calendar } = yield* shop.send({ path: shop.api(`/orders/${order.id}/calendar.ics`) })
        assert.include(calendar, "DTSTART:20310701T173000Z")
        const [page] = yield* Effect.flatMap(shop.pdf(order.id), ({ body }) => PdfText.read(body))
        assert.match(page ?? "", movedInWords)

        // --- told once: what is changed after it is told after it, so nothing more of the first is on its way
        yield* pollUntil(changesTold(ada), ({ length }) => length > 0, patience)
        yield* pollUntil(changesTold(grace), ({ length }) => length > 0, patience)
        const renamed = yield* Service.run(
          service,
          [
            "event",
            "change",
            event.id,
            "--name",
            "Morning Symphony",
            "--url",
            service.url,
            "--key",
            Service.organiserKey
          ],
          { PORT: new URL(service.url).port }
        )
        assert.strictEqual(renamed.code, 0, renamed.stderr)
        assert.match(renamed.stdout, /^Name +Morning Symphony$/m)
        assert.match(renamed.stdout, /^Starts +2031-07-01 19:30 Europe\/Berlin$/m)
        const told = ["2 New time for Midnight Symphony", "3 What is new about Morning Symphony"]
        for (const address of [ada, grace]) {
          const subjects = yield* pollUntil(changesTold(address), ({ length }) => length > 1, patience)
          assert.deepStrictEqual(
            subjects.map((subject) => subject.replaceAll(/[\u2066-\u2069]/g, "")),
            told,
            address
          )
        }
        const letters = [...mailsTo(ada), ...mailsTo(grace)].filter(({ messageId }) =>
          messageId.includes("event-changed")
        )
        assert.lengthOf(letters, 4)
        for (const { raw } of letters) assert.match(raw.replaceAll("=\r\n", ""), movedInWords)
        assert.strictEqual(new Set(letters.map(({ messageId }) => messageId)).size, 4)

        // --- webhooks, in the order of the changes
        const messages = yield* pollUntil(
          Effect.forEach(received, ({ body }) => Schema.decodeUnknownEffect(EventMessage)(body)),
          (messages) => messages.some(({ data }) => data.name === "Morning Symphony"),
          patience
        )
        assert.deepStrictEqual(
          messages
            .filter(({ type }) => type.startsWith("event."))
            .map(({ data, type }) => [type, data.eventId, data.name, data.startsAt]),
          [
            ["event.published", event.id, "Midnight Symphony", first],
            ["event.changed", event.id, "Midnight Symphony", moved],
            ["event.changed", event.id, "Morning Symphony", moved]
          ]
        )

        // --- found by its new name, and over RPC the same once more
        const found = yield* pollUntil(
          Effect.flatMap(
            shop.send({ path: shop.api("/search/events?q=morning%20symphony") }),
            Shop.expect(200, Found)
          ),
          ({ events }) => events.some(({ id }) => id === event.id),
          patience
        )
        assert.strictEqual(found.events.find(({ id }) => id === event.id)?.startsAt, moved)
        const rpc = yield* RpcClients.make("HTTP", service.url)
        const change = { eventId: event.id, change: { name: "Morning Symphony", description: "At dawn." } }
        assert.strictEqual((yield* Effect.flip(rpc.ChangeEvent(change)))._tag, "Unauthorized")
        assert.strictEqual((yield* rpc.ChangeEvent(change, organiser)).description, "At dawn.")
        assert.strictEqual((yield* detail).description, "At dawn.")
        const past = { eventId: event.id, change: { startsAt: "2020-01-01T00:00:00Z" } }
        assert.strictEqual((yield* Effect.flip(rpc.ChangeEvent(past, organiser)))._tag, "EventInvalid")
        const draft = yield* rpc.CreateEvent(
          {
            event: {
              venueId: event.venue.id,
              name: "Draft",
              description: "",
              startsAt: first,
              performers: [],
              tiers: [],
              currency: "EUR",
              quotas: []
            }
          },
          organiser
        )
        const unpublished = { eventId: draft.id, change: { name: "x" } }
        assert.strictEqual(
          (yield* Effect.flip(rpc.ChangeEvent(unpublished, organiser)))._tag,
          "EventNotPublished"
        )
        assert.strictEqual((yield* shop.organise(event.id, "/cancel", { reason: "Rain" })).status, 200)
        const cancelled = yield* Effect.flip(rpc.ChangeEvent(change, organiser))
        assert.strictEqual(cancelled._tag, "EventCancelled")
        yield* Service.assertNothingBroke(service)
        yield* Service.assertAudited(service)
      }),
    240_000
  )
})
