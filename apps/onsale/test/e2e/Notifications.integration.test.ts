/** What support sees and does about mails: over HTTP, on the command line, and by the mail provider's webhook. */
import { assert, describe, it } from "@effect/vitest"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { Message, MessagePage } from "@onsale/contracts/notifications/Message"
import { pollUntil } from "@onsale/testing/Poll"
import * as Smtp from "@onsale/testing/SmtpFixture"
import { Effect } from "effect"
import { createHmac } from "node:crypto"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const plan = "section,row,seat_from,seat_to,quantity,price\nStalls,A,1,40,,45.00"
const secret = "secret-of-the-mail-provider"
const organiser = { authorization: `Bearer ${Service.organiserKey}` }
const patience = { deadline: "60 seconds" } as const

describe("Notifications", () => {
  it.live(
    "every message is listed with its attempts and sent again on demand; who bounced is not written to",
    () =>
      Effect.gen(function* () {
        const smtp = yield* Smtp.make()
        const service = yield* Service.start({
          env: { ONSALE_SMTP_URL: smtp.url, ONSALE_MAIL_WEBHOOK_SECRET: secret }
        })
        const shop = Shop.at(service.url)
        const event = yield* shop.openEvent(yield* shop.importPlan("csv", plan))
        const buy = Effect.fnUntraced(function* (email: string) {
          const hold = yield* shop.hold(event.id, { bestAvailable: { quantity: 1 } })
          return yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok", { email }), Shop.expect(201, Order))
        })
        const list = (query: string) =>
          Effect.flatMap(
            shop.send({ path: shop.api(`/organiser/notifications?${query}`), headers: organiser }),
            Shop.expect(200, MessagePage)
          )
        const untilStatus = (orderId: string, status: string) =>
          pollUntil(
            list(`order=${orderId}`),
            ({ notifications }) => notifications.some((message) => message.status === status),
            patience
          ).pipe(Effect.map(({ notifications }) => notifications[0] ?? assert.fail("none")))
        const replay = (id: string) =>
          shop.send({
            path: shop.api(`/organiser/notifications/${encodeURIComponent(id)}/replay`),
            method: "POST",
            headers: organiser
          })

        // --- a dead letter, seen and replayed
        smtp.next.push({ code: 550, at: "recipient" })
        const order = yield* buy("ada@example.org")
        const dead = yield* untilStatus(order.id, "dead")
        assert.strictEqual(dead.id, `${order.id}:confirmed:email`)
        assert.include(dead.reason ?? "", "550")
        assert.deepStrictEqual(
          dead.tries.map(({ outcome }) => outcome),
          ["refused"]
        )
        assert.deepStrictEqual(
          (yield* list("status=dead")).notifications.map(({ id }) => id),
          [dead.id]
        )
        const told = yield* Service.run(service, ["notifications", "dead", "--json"])
        assert.strictEqual(told.code, 1, told.stderr)
        assert.include(told.stdout, dead.id)
        yield* Effect.flatMap(replay(dead.id), Shop.expect(200, Message))
        const sent = yield* untilStatus(order.id, "sent")
        assert.strictEqual(sent.recipient, "ada@example.org")
        assert.strictEqual(sent.provider, `127.0.0.1:${smtp.port}`)
        assert.strictEqual(sent.tries.length, 2)

        // --- once more on purpose: it is another message
        yield* Effect.flatMap(replay(dead.id), Shop.expect(200, Message))
        yield* pollUntil(
          Effect.sync(() => smtp.received),
          ({ length }) => length === 2,
          patience
        )
        assert.strictEqual(new Set(smtp.received.map(({ messageId }) => messageId)).size, 2)
        const shown = yield* Service.run(service, ["notifications", "show", order.id])
        assert.strictEqual(shown.code, 0, shown.stderr)
        assert.include(shown.stdout, "refused at")

        // --- only with the key, page by page
        assert.strictEqual((yield* shop.send({ path: shop.api("/organiser/notifications") })).status, 401)
        assert.strictEqual((yield* replay("nobody:knows")).status, 404)
        const other = yield* buy("bob@example.org")
        yield* untilStatus(other.id, "sent")
        const first = yield* list("limit=1")
        const second = yield* list(`limit=1&cursor=${first.nextCursor}`)
        assert.deepStrictEqual(
          [...first.notifications, ...second.notifications].map(({ orderId }) => orderId),
          [other.id, order.id]
        )
        const wrong = yield* shop.send({
          path: shop.api("/organiser/notifications?cursor=bm9uZQ"),
          headers: organiser
        })
        assert.strictEqual(wrong.status, 400)

        // --- a bounce: nothing more is sent to the address, until somebody says so
        const body = JSON.stringify({
          bounces: [
            {
              address: "Bob@Example.org",
              reason: "no such user",
              messageId: `<${other.id}.confirmed@onsale.example>`
            }
          ]
        })
        const bounce = (headers: Record<string, string>, text = body) =>
          shop.send({ path: shop.api("/webhooks/mail/mailhost"), headers, body: text })
        assert.strictEqual((yield* bounce({})).status, 400)
        assert.strictEqual((yield* bounce({ authorization: "Bearer guess" })).status, 400)
        const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`
        assert.strictEqual((yield* bounce({ "x-onsale-signature": signature }, `${body} `)).status, 400)
        assert.strictEqual((yield* bounce({ "x-onsale-signature": signature })).status, 204)
        // Who has the secret is told that it is the body, and nobody else.
        for (const text of ["no JSON", "{}", `{"bounces":[{"address":"a\\u0000@b.example","reason":""}]}`]) {
          for (const [key, type] of [
            [secret, "webhook-unreadable"],
            ["guess", "webhook-rejected"]
          ] as const) {
            const refused = yield* bounce({ authorization: `Bearer ${key}` }, text)
            assert.strictEqual(refused.status, 400, refused.text)
            assert.strictEqual((yield* Shop.problemOf(refused)).type, `urn:onsale:problem:${type}`)
          }
        }
        assert.strictEqual(
          (yield* bounce({ authorization: `Bearer ${secret}` }, "x".repeat(70_000))).status,
          413
        )
        const bounced = yield* list(`order=${other.id}`)
        assert.isNotNull(bounced.notifications[0]?.bouncedAt)
        const third = yield* buy("bob@example.org")
        const suppressed = yield* untilStatus(third.id, "dead")
        assert.include(suppressed.reason ?? "", "no such user")
        assert.strictEqual(smtp.received.length, 3)
        const lifted = yield* Service.run(service, ["notifications", "lift", "bob@example.org"])
        assert.strictEqual(lifted.code, 0, lifted.stderr)
        const again = yield* shop.send({
          path: shop.api("/organiser/suppressions/bob@example.org"),
          method: "DELETE",
          headers: organiser
        })
        assert.strictEqual(again.status, 404)
        const replayed = yield* Service.run(service, ["notifications", "replay", "--dead"])
        assert.strictEqual(replayed.code, 0, replayed.stderr)
        yield* untilStatus(third.id, "sent")
        yield* Service.assertAudited(service)
      }),
    240_000
  )
})
