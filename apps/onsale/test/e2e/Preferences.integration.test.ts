/** What customers say they want to hear, over HTTP: by a token, by the link in a message, and by their browser's language. */
import { assert, layer } from "@effect/vitest"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { defaults } from "@onsale/contracts/notifications/Preferences"
import { Preferences } from "@onsale/notifications/Preferences"
import { UnsubscribeLinks } from "@onsale/notifications/UnsubscribeLinks"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { Context, Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import * as CompatWorld from "./CompatWorld.ts"
import * as Shop from "./Shop.ts"

class World extends Context.Service<World, CompatWorld.World>()("World") {
  static readonly layer = Layer.effect(
    World,
    Effect.flatMap(TestDatabase, ({ url }) =>
      CompatWorld.makeWith("tok_ok", { env: { ONSALE_DATABASE_URL: url } })
    )
  )
}

/** A database with a service over it, and those of its tables that a test looks into. */
const world = Layer.mergeAll(World.layer, Preferences.layer, UnsubscribeLinks.layer).pipe(
  Layer.provideMerge(layerDatabase)
)

const path = "/api/v1/preferences"
const german = { ...defaults, locale: "de", reminders: { email: false, sms: false, push: false } }
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const newAddress = () => `${randomUUID()}@example.org`

/** Where a link leads, whatever host it names. */
const pathOf = (url: string) => new URL(url).pathname

layer(world, { timeout: "180 seconds", excludeTestServices: true })("Preferences over HTTP", (it) => {
  it.effect("are read and said anew by whom a token names, for the address that it proves", () =>
    Effect.gen(function* () {
      const { shop, token } = yield* World
      const email = newAddress()
      const headers = bearer(yield* token(randomUUID(), email))
      const first = yield* shop.send({ path, headers })
      assert.strictEqual(first.status, 200, first.text)
      assert.deepStrictEqual(first.json, defaults)
      const put = yield* shop.send({ method: "PUT", path, headers, body: german })
      assert.strictEqual(put.status, 200, put.text)
      assert.deepStrictEqual(put.json, german)
      assert.deepStrictEqual((yield* shop.send({ path, headers })).json, german)
      const other = bearer(yield* token(randomUUID(), newAddress()))
      assert.deepStrictEqual((yield* shop.send({ path, headers: other })).json, defaults)
    })
  )

  it.effect("401 without a token that holds, 403 with one that proves no address, 400 for what is none", () =>
    Effect.gen(function* () {
      const { shop, token } = yield* World
      const proved = bearer(yield* token(randomUUID(), newAddress()))
      const unproved = bearer(yield* token(randomUUID()))
      const cases: ReadonlyArray<readonly [Readonly<Record<string, string>>, unknown, number, string]> = [
        [{}, german, 401, "unauthorized"],
        [bearer("x"), german, 401, "token-rejected"],
        [unproved, german, 403, "address-not-proved"],
        [proved, { ...german, locale: "tlh" }, 400, "request-invalid"],
        [proved, { ...german, phone: "030 1234" }, 400, "request-invalid"],
        [proved, { locale: "de" }, 400, "request-invalid"],
        [proved, "{", 400, "request-invalid"]
      ]
      for (const [headers, body, status, type] of cases) {
        const reply = yield* shop.send({ method: "PUT", path, headers, body })
        assert.strictEqual(reply.status, status, reply.text)
        assert.strictEqual((yield* Shop.problemOf(reply)).type, `urn:onsale:problem:${type}`)
        if (status === 400) continue
        assert.strictEqual((yield* shop.send({ path, headers })).status, status)
      }
    })
  )

  it.effect(
    "a link asks first, declines with one click, and again without harm; a wrong one declines nothing",
    () =>
      Effect.gen(function* () {
        const { shop } = yield* World
        const links = yield* UnsubscribeLinks
        const preferences = yield* Preferences
        const email = newAddress()
        const link = pathOf(yield* links.url({ email, topic: "news" }))
        const asked = yield* shop.send({ path: link, headers: { "accept-language": "ar" } })
        assert.strictEqual(asked.status, 200, asked.text)
        assert.include(asked.text, 'dir="rtl"')
        assert.include(asked.text, '<form method="post">')
        assert.strictEqual(asked.headers["cache-control"], "no-store")
        assert.strictEqual(asked.headers["referrer-policy"], "no-referrer")
        assert.include(asked.headers["content-security-policy"] ?? "", "default-src 'none'")
        assert.isTrue((yield* preferences.of(email)).news.email, "who only looks at it declines nothing")

        // As mail programs send it (RFC 8058), of either content type.
        const boundary = "----x"
        const oneClick = [
          ["application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"],
          [
            `multipart/form-data; boundary=${boundary}`,
            `--${boundary}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--${boundary}--\r\n`
          ]
        ] as const
        for (const [type, body] of oneClick) {
          const done = yield* shop.send({
            method: "POST",
            path: link,
            headers: { "content-type": type },
            body
          })
          assert.strictEqual(done.status, 200, done.text)
          const now = yield* preferences.of(email)
          assert.deepStrictEqual(now, { ...defaults, news: { ...defaults.news, email: false } })
        }

        const other = newAddress()
        const good = pathOf(yield* links.url({ email: other, topic: "news" }))
        const middle = good.lastIndexOf(".") - 8
        const changed = `${good.slice(0, middle)}${good[middle] === "A" ? "B" : "A"}${good.slice(middle + 1)}`
        for (const wrong of [changed, good.slice(0, -4), "/api/v1/unsubscribe/x"]) {
          for (const method of ["GET", "POST"]) {
            const reply = yield* shop.send({ method, path: wrong })
            assert.strictEqual(reply.status, 404, `${method} ${wrong}`)
          }
        }
        const long = yield* shop.send({ path: `/api/v1/unsubscribe/${"x".repeat(2_000)}` })
        assert.oneOf(long.status, [400, 404])
        assert.deepStrictEqual(yield* preferences.of(other), defaults)
      })
  )

  it.effect("a buyer is written to in what the order says, else what the browser reads, else English", () =>
    Effect.gen(function* () {
      const { open, shop } = yield* World
      const { event, seats } = yield* open()
      const cases: ReadonlyArray<
        readonly [header: string | undefined, locale: string | undefined, subject: RegExp]
      > = [
        ["ar", undefined, /^تذا?كر/],
        ["tlh, de-AT;q=0.8, fr;q=0.9", undefined, /^Vo(s|tre) billet/],
        ["fr", "es-MX", /^Tus? entrada/],
        [";;q=,\u00ff,*", undefined, /^Your ticket/],
        [`de,${"x".repeat(6_000)}`, undefined, /^Ihre? Ticket/],
        [undefined, undefined, /^Your ticket/]
      ]
      for (const [i, [header, locale, subject]] of cases.entries()) {
        const email = newAddress()
        const seat = seats[i]
        assert.isDefined(seat)
        const hold = yield* shop.hold(event.id, { seats: [seat] })
        const ask = (accept: string | undefined, key: string) =>
          shop.send({
            path: "/api/v1/orders",
            headers: {
              "idempotency-key": key,
              ...(accept === undefined ? {} : { "accept-language": accept })
            },
            body: {
              holdId: hold.id,
              customer: { name: "Ada", email, ...(locale === undefined ? {} : { locale }) },
              payment: { method: "tok_ok" }
            }
          })
        const key = Shop.newKey()
        const order = yield* Effect.flatMap(ask(header, key), Shop.expect(201, Order))
        // A repeat from another program is a repeat.
        assert.strictEqual((yield* Effect.flatMap(ask("es", key), Shop.expect(201, Order))).id, order.id)
        const { mails } = yield* pollUntil(shop.mailsTo(email), ({ mails }) => mails.length > 0, {
          deadline: "60 seconds"
        })
        assert.match(mails[0]?.subject ?? "", subject, header?.slice(0, 40))
        assert.deepStrictEqual(
          mails[0]?.attachments.map(({ filename }) => filename),
          ["tickets.pdf", "event.ics"]
        )
      }
      const wrong = yield* shop.send({
        path: "/api/v1/orders",
        headers: { "idempotency-key": Shop.newKey() },
        body: {
          holdId: randomUUID(),
          customer: { name: "Ada", email: newAddress(), locale: "not a tag" },
          payment: { method: "tok_ok" }
        }
      })
      assert.strictEqual(wrong.status, 400)
    })
  )
})
