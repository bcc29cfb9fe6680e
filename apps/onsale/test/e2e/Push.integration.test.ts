/** Browsers that ask to be told of a hold or an order, and what Twilio tells of messages, over HTTP. */
import { assert, layer } from "@effect/vitest"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { maxSubscriptions } from "@onsale/notifications/push/PushSubscriptions"
import { Context, Effect, Layer, Schema } from "effect"
import { createECDH, createHmac, randomBytes, randomUUID } from "node:crypto"
import * as CompatWorld from "./CompatWorld.ts"
import * as Shop from "./Shop.ts"

const twilioToken = "token-of-the-account"

class World extends Context.Service<World, CompatWorld.World>()("World") {
  static readonly layer = Layer.effect(
    World,
    CompatWorld.makeWith("tok_ok", {
      env: {
        ONSALE_PUBLIC_URL: "https://tickets.example",
        ONSALE_SMS_PROVIDERS: `twilio+http://AC1:${twilioToken}@127.0.0.1:9?from=%2B15550001111`
      }
    })
  )
}

const Subscribed = Schema.Struct({ id: Schema.String })
const Key = Schema.Struct({ publicKey: Schema.String })

const path = "/api/v1/push/subscriptions"
const p256dh = createECDH("prime256v1").generateKeys("base64url")

/** A browser of a push service that no name leads to. */
const browser = () => ({
  endpoint: `https://push.invalid/${randomUUID()}`,
  keys: { p256dh, auth: randomBytes(16).toString("base64url") }
})

/** The id of one that was never made, beside one that was. */
const beside = (id: string) => `${id.slice(0, -1)}${id.endsWith("0") ? "1" : "0"}`

const newHold = Effect.gen(function* () {
  const { open, shop } = yield* World
  const { event } = yield* open()
  return yield* shop.hold(event.id, { bestAvailable: { quantity: 1, section: "Stalls" } })
})

const subscribe = (body: unknown) => Effect.flatMap(World, ({ shop }) => shop.send({ path, body }))
const unsubscribe = (id: string) =>
  Effect.flatMap(World, ({ shop }) => shop.send({ method: "DELETE", path: `${path}/${id}` }))
const subscribed = Shop.expect(201, Subscribed)

const isProblem = Effect.fnUntraced(function* (body: unknown, status: number, type: string) {
  const reply = yield* subscribe(body)
  assert.strictEqual(reply.status, status, `${JSON.stringify(body)}: ${reply.text}`)
  assert.strictEqual((yield* Shop.problemOf(reply)).type, `urn:onsale:problem:${type}`)
  return reply
})

layer(World.layer, { timeout: "180 seconds", excludeTestServices: true })("Pushes over HTTP", (it) => {
  it.effect("the key that browsers subscribe by is a point of P-256, and stays the same", () =>
    Effect.gen(function* () {
      const { shop } = yield* World
      const read = Effect.flatMap(shop.send({ path: shop.api("/push/key") }), Shop.expect(200, Key))
      const { publicKey } = yield* read
      assert.strictEqual(Buffer.from(publicKey, "base64url").length, 65)
      assert.strictEqual((yield* read).publicKey, publicKey)
    })
  )

  it.effect(
    "whoever knows a hold or an order is told of it; the same browser again is the same subscription",
    () =>
      Effect.gen(function* () {
        const { shop } = yield* World
        const hold = yield* newHold
        const one = browser()
        const first = yield* Effect.flatMap(subscribe({ ...one, for: { holdId: hold.id } }), subscribed)
        const again = yield* Effect.flatMap(subscribe({ ...one, for: { holdId: hold.id } }), subscribed)
        assert.deepStrictEqual(again, first)
        const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok"), Shop.expect(201, Order))
        const other = yield* Effect.flatMap(subscribe({ ...one, for: { orderId: order.id } }), subscribed)
        assert.notStrictEqual(other.id, first.id)
      })
  )

  it.effect("a subscription is ended by its id, a second time without harm, and then makes room", () =>
    Effect.gen(function* () {
      const hold = yield* newHold
      const about = { for: { holdId: hold.id } }
      const browsers = Array.from({ length: maxSubscriptions }, browser)
      const ids = yield* Effect.forEach(browsers, (each) =>
        Effect.flatMap(subscribe({ ...each, ...about }), subscribed)
      )
      const late = browser()
      const full = yield* isProblem({ ...late, ...about }, 409, "push-subscriptions-full")
      assert.deepInclude(full.json, { limit: maxSubscriptions })
      // One that is there already is no further one.
      yield* Effect.flatMap(subscribe({ ...browsers[0], ...about }), subscribed)
      const first = ids[0]?.id ?? assert.fail("none")
      assert.strictEqual((yield* unsubscribe(first)).status, 204)
      assert.strictEqual((yield* unsubscribe(first)).status, 204)
      yield* Effect.flatMap(subscribe({ ...late, ...about }), subscribed)
      assert.strictEqual((yield* unsubscribe("x")).status, 400)
    })
  )

  it.effect("404 for a hold or an order that is not there, or no more", () =>
    Effect.gen(function* () {
      const { shop } = yield* World
      const hold = yield* newHold
      yield* isProblem({ ...browser(), for: { holdId: beside(hold.id) } }, 404, "hold-not-found")
      yield* isProblem({ ...browser(), for: { orderId: randomUUID() } }, 400, "request-invalid")
      yield* isProblem({ ...browser(), for: { orderId: hold.id } }, 404, "order-not-found")
      const released = yield* shop.send({ method: "DELETE", path: shop.api(`/holds/${hold.id}`) })
      assert.strictEqual(released.status, 204)
      yield* isProblem({ ...browser(), for: { holdId: hold.id } }, 404, "hold-not-found")
    })
  )

  it.effect(
    "nothing is kept that could not be sent to: endpoints of a network, keys that are none, other bodies",
    () =>
      Effect.gen(function* () {
        const hold = yield* newHold
        const good = { ...browser(), for: { holdId: hold.id } }
        const { auth } = good.keys
        const beyond = Buffer.from(p256dh, "base64url")
        beyond[64] = (beyond[64] ?? 0) ^ 1
        const endpoints = [
          "http://push.invalid/1",
          "https://localhost/",
          "https://127.0.0.1/",
          "https://[::1]/",
          "https://10.0.0.1/",
          "https://169.254.169.254/",
          "https://push.invalid:22/",
          "https://user:secret@push.invalid/",
          "push"
        ]
        for (const endpoint of endpoints) {
          yield* isProblem({ ...good, endpoint }, 422, "push-endpoint-refused")
        }
        const offCurve = { p256dh: beyond.toString("base64url"), auth }
        yield* isProblem({ ...good, keys: offCurve }, 422, "push-keys-refused")
        const bodies: ReadonlyArray<unknown> = [
          { ...good, keys: { p256dh: p256dh.slice(1), auth } },
          { ...good, keys: { p256dh, auth: auth.slice(2) } },
          { ...good, keys: { p256dh, auth: `${auth}AA` } },
          { ...good, keys: { p256dh } },
          { ...good, endpoint: "" },
          { ...good, endpoint: `https://push.invalid/${"x".repeat(2_000)}` },
          { ...good, for: {} },
          { ...good, for: { holdId: "x" } },
          browser(),
          "{"
        ]
        for (const body of bodies) yield* isProblem(body, 400, "request-invalid")
        // Not one of them counts among those that it has.
        yield* Effect.forEach(Array.from({ length: maxSubscriptions }, browser), (each) =>
          Effect.flatMap(subscribe({ ...each, for: good.for }), subscribed)
        )
      })
  )

  it.effect("Twilio is heard where its signature holds for the public address, and nobody else", () =>
    Effect.gen(function* () {
      const { shop } = yield* World
      const callback = "/api/v1/webhooks/sms/twilio"
      const form = [
        ["MessageSid", "SM00000000000000000000000000000000"],
        ["MessageStatus", "delivered"],
        ["To", "+4930901820"]
      ]
      const signatureOf = (fields: typeof form) =>
        createHmac("sha1", twilioToken)
          .update(`https://tickets.example${callback}${fields.flat().join("")}`)
          .digest("base64")
      const signature = signatureOf(form)
      const tell = (headers: Readonly<Record<string, string>>, fields = form) =>
        shop.send({
          method: "POST",
          path: callback,
          headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
          body: new URLSearchParams(fields).toString()
        })
      assert.strictEqual((yield* tell({ "x-twilio-signature": signature })).status, 204)
      for (const headers of [{}, { "x-twilio-signature": signature.toLowerCase() }]) {
        const refused = yield* tell(headers)
        assert.strictEqual(refused.status, 400, refused.text)
        assert.strictEqual((yield* Shop.problemOf(refused)).type, "urn:onsale:problem:webhook-rejected")
      }
      // Twilio's own, and nothing that can be taken.
      for (const fields of [[["Body", "STOP"]], [...form.slice(0, 2), ["To", "+4930901820\0"]]]) {
        const refused = yield* tell({ "x-twilio-signature": signatureOf(fields) }, fields)
        assert.strictEqual(refused.status, 400, refused.text)
        assert.strictEqual((yield* Shop.problemOf(refused)).type, "urn:onsale:problem:webhook-unreadable")
      }
    })
  )
})
