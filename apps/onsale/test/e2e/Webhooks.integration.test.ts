/** What organisers' own services are told, over HTTP and on the command line. */
import { assert, describe, it } from "@effect/vitest"
import { EventId } from "@onsale/contracts/Ids"
import { ScanReports } from "@onsale/contracts/http/CheckInsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { Delivery, DeliveryDetail, Webhook, WebhookWithSecret } from "@onsale/contracts/notifications/Webhook"
import { pollUntil } from "@onsale/testing/Poll"
import { Clock, Effect, Schema } from "effect"
import * as RpcClients from "./RpcClients.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"
import * as WebhookReceiver from "./WebhookReceiver.ts"

/** Of nothing that there is. */
const unknownId = "019aa000-0000-7000-8000-0000000000ff"

const plan = "section,row,seat_from,seat_to,quantity,price\nStalls,A,1,40,,45.00"

const decodeSecret = Schema.decodeUnknownEffect(Schema.fromJsonString(WebhookWithSecret))
const List = Schema.Struct({ webhooks: Schema.Array(Webhook) })
const Page = Schema.Struct({ deliveries: Schema.Array(Delivery), nextCursor: Schema.NullOr(Schema.String) })

describe("Webhooks of organisers", () => {
  it.live("are made, told of a purchase, listed, tried and replayed", () =>
    Effect.gen(function* () {
      const { received, url } = yield* WebhookReceiver.make
      const service = yield* Service.start({ env: WebhookReceiver.env })
      const shop = Shop.at(service.url)
      const call = (path: string, body?: unknown, method = body === undefined ? "GET" : "POST") =>
        shop.send({
          method,
          path: shop.api(`/organiser/webhooks${path}`),
          headers: { authorization: `Bearer ${Service.organiserKey}` },
          ...(body === undefined ? {} : { body })
        })
      const cli = (...args: ReadonlyArray<string>) =>
        Service.run(
          service,
          ["webhooks", ...args, "--json", "--url", service.url, "--key", Service.organiserKey],
          { PORT: new URL(service.url).port }
        )

      // --- nobody without the key
      const stranger = yield* shop.send({ path: shop.api("/organiser/webhooks"), body: { url } })
      assert.strictEqual(stranger.status, 401)
      const refused = yield* call("", { url: "http://user:secret@example.org/" })
      assert.strictEqual(refused.status, 422, refused.text)
      assert.deepInclude(refused.json, { type: "urn:onsale:problem:webhook-url-refused" })

      // It would hear nothing for ever.
      const ofNothing = yield* call("", { url, eventId: unknownId })
      assert.strictEqual(ofNothing.status, 404, ofNothing.text)
      assert.deepInclude(ofNothing.json, { type: "urn:onsale:problem:event-not-found" })

      const webhook = yield* Effect.flatMap(call("", { url }), Shop.expect(201, WebhookWithSecret))
      assert.match(webhook.secret, /^whsec_/)
      const { webhooks } = yield* Effect.flatMap(call(""), Shop.expect(200, List))
      assert.deepStrictEqual(
        webhooks.map(({ id }) => id),
        [webhook.id]
      )
      assert.notInclude(JSON.stringify(webhooks), webhook.secret)

      // --- a purchase
      const event = yield* shop.openEvent(yield* shop.importPlan("csv", plan), { tiers: [], currency: "EUR" })
      const hold = yield* shop.hold(event.id, { bestAvailable: { quantity: 2 } })
      const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok"), Shop.expect(201, Order))
      yield* pollUntil(
        Effect.sync(() => received.filter(({ body }) => body.includes(order.id))),
        (orders) => orders.length > 0,
        { deadline: "45 seconds" }
      )
      const { deliveries } = yield* pollUntil(
        Effect.flatMap(call(`/${webhook.id}/deliveries?status=delivered`), Shop.expect(200, Page)),
        ({ deliveries }) => deliveries.length === 2,
        { deadline: "45 seconds" }
      )
      assert.deepStrictEqual(
        deliveries.map(({ type }) => type),
        ["order.confirmed", "event.published"]
      )

      // --- narrowed down to an event that there is, and to none
      const narrow = (eventId: string | null, id: string = webhook.id) => call(`/${id}`, { eventId }, "PATCH")
      for (const [reply, type] of [
        [yield* narrow(unknownId), "event-not-found"],
        [yield* narrow(event.id, unknownId), "webhook-not-found"]
      ] as const) {
        assert.strictEqual(reply.status, 404, reply.text)
        assert.deepInclude(reply.json, { type: `urn:onsale:problem:${type}` })
      }
      assert.deepInclude((yield* call(`/${webhook.id}`)).json, { eventId: null })
      assert.deepInclude((yield* narrow(event.id)).json, { eventId: event.id })
      assert.deepInclude((yield* narrow(null)).json, { eventId: null })

      // --- the command line
      const listed = yield* cli("list")
      assert.strictEqual(listed.code, 0, listed.stderr)
      assert.include(listed.stdout, webhook.id)
      const pinged = yield* cli("ping", webhook.id)
      assert.strictEqual(pinged.code, 0, pinged.stderr)
      yield* pollUntil(
        Effect.sync(() => received.filter(({ body }) => body.includes("webhook.ping"))),
        (pings) => pings.length === 1,
        { deadline: "45 seconds" }
      )
      const confirmed = deliveries[0] ?? assert.fail("none")
      const replayed = yield* cli("replay", webhook.id, confirmed.id)
      assert.strictEqual(replayed.code, 0, replayed.stderr)
      const detail = yield* pollUntil(
        Effect.flatMap(call(`/${webhook.id}/deliveries/${confirmed.id}`), Shop.expect(200, DeliveryDetail)),
        ({ log }) => log.length === 2,
        { deadline: "45 seconds" }
      )
      assert.deepStrictEqual(
        detail.log.map(({ outcome, response }) => [outcome, response]),
        [
          ["delivered", "thanks"],
          ["delivered", "thanks"]
        ]
      )
      assert.strictEqual(received.filter(({ headers }) => headers["webhook-id"] === confirmed.id).length, 2)
      const shown = yield* cli("deliveries", webhook.id, "--status", "delivered")
      assert.strictEqual(JSON.parse(shown.stdout).length, 3)
      const range = yield* call(`/${webhook.id}/replay`, {
        from: "2026-11-26T00:00:00Z",
        until: "2026-11-25T00:00:00Z"
      })
      assert.strictEqual(range.status, 400, range.text)

      // --- the door: the same scans twice are one admission
      const scannedAtMs = yield* Clock.currentTimeMillis
      const upload = (place: number) => {
        const code = order.tickets[place]?.code ?? ""
        const scans = [{ scanId: `scan-${place}`, code, atMs: scannedAtMs }]
        return Effect.flatMap(
          shop.send({
            path: shop.api(`/organiser/events/${event.id}/scans`),
            headers: { authorization: `Bearer ${Service.organiserKey}` },
            body: { gate: "North", clockMs: scannedAtMs, scans }
          }),
          Shop.expect(200, ScanReports)
        )
      }
      for (const place of [0, 0, 1]) {
        assert.deepInclude((yield* upload(place)).scans[0], { result: "admitted" })
      }
      const admitted = yield* pollUntil(
        Effect.sync(() => received.filter(({ body }) => body.includes("ticket.admitted"))),
        (messages) => messages.some(({ body }) => body.includes("scan-1")),
        { deadline: "45 seconds" }
      )
      assert.strictEqual(admitted.filter(({ body }) => body.includes("scan-0")).length, 1)

      // --- and gone
      assert.strictEqual((yield* call(`/${webhook.id}`, undefined, "DELETE")).status, 204)
      assert.strictEqual((yield* call(`/${webhook.id}`)).status, 404)
      const metrics = yield* shop.send({ path: "/metrics" })
      assert.match(metrics.text, /onsale_webhook_attempts_total\{.*outcome="delivered".*\} \d/)
      yield* Service.assertNothingBroke(service)
      yield* Service.assertAudited(service)
    })
  )

  it.live(
    "are made, changed, rotated and removed by RPC and on the command line, with the organiser's key",
    () =>
      Effect.gen(function* () {
        const { received, url } = yield* WebhookReceiver.make
        const service = yield* Service.start({ env: WebhookReceiver.env })
        const rpc = yield* RpcClients.make("WebSocket", service.url)
        const key = { headers: { authorization: `Bearer ${Service.organiserKey}` } }
        const cli = (...args: ReadonlyArray<string>) =>
          Service.run(
            service,
            ["webhooks", ...args, "--json", "--url", service.url, "--key", Service.organiserKey],
            { PORT: new URL(service.url).port }
          )
        const listed = Effect.map(rpc.ListWebhooks(undefined, key), ({ webhooks }) => webhooks)

        // --- nobody without the key
        const wrongKey = { headers: { authorization: "Bearer another" } }
        assert.strictEqual((yield* Effect.flip(rpc.CreateWebhook({ webhook: { url } })))._tag, "Unauthorized")
        assert.strictEqual((yield* Effect.flip(rpc.ListWebhooks(undefined)))._tag, "Unauthorized")
        assert.strictEqual((yield* Effect.flip(rpc.ListWebhooks(undefined, wrongKey)))._tag, "Unauthorized")
        assert.deepStrictEqual(yield* listed, [])

        // --- by RPC
        const refused = yield* Effect.flip(rpc.CreateWebhook({ webhook: { url: "ftp://example.org/" } }, key))
        assert.strictEqual(refused._tag, "WebhookUrlRefused")
        const ofNothing = { url, eventId: EventId.make(unknownId) }
        assert.strictEqual(
          (yield* Effect.flip(rpc.CreateWebhook({ webhook: ofNothing }, key)))._tag,
          "EventNotFound"
        )
        const { id, secret } = yield* rpc.CreateWebhook({ webhook: { url, description: "till" } }, key)
        const webhookId = { webhookId: id }
        assert.deepInclude(yield* rpc.GetWebhook(webhookId, key), { id, description: "till" })
        const elsewhere = { ...webhookId, change: { eventId: ofNothing.eventId } }
        assert.strictEqual((yield* Effect.flip(rpc.ChangeWebhook(elsewhere, key)))._tag, "EventNotFound")
        const changed = yield* rpc.ChangeWebhook({ ...webhookId, change: { description: "crm" } }, key)
        assert.strictEqual(changed.description, "crm")
        assert.notStrictEqual((yield* rpc.RotateWebhook(webhookId, key)).secret, secret)
        const delivery = { ...webhookId, deliveryId: (yield* rpc.PingWebhook(webhookId, key)).id }
        const isTold = (times: number) =>
          pollUntil(rpc.GetDelivery(delivery, key), ({ log }) => log.length === times, {
            deadline: "45 seconds"
          })
        yield* isTold(1)
        yield* rpc.ReplayDelivery(delivery, key)
        yield* isTold(2)
        const from = "2020-01-01T00:00:00Z"
        const until = "2099-01-01T00:00:00Z"
        const again = yield* rpc.ReplayDeliveries(
          { ...webhookId, replay: { from, until, status: "delivered" } },
          key
        )
        assert.deepStrictEqual(again, { replayed: 1, more: false })
        yield* isTold(3)
        const page = yield* rpc.ListDeliveries({ ...webhookId, query: {} }, key)
        assert.deepStrictEqual(
          page.deliveries.map(({ type }) => type),
          ["webhook.ping"]
        )
        yield* rpc.RemoveWebhook(webhookId, key)
        assert.strictEqual((yield* Effect.flip(rpc.GetWebhook(webhookId, key)))._tag, "WebhookNotFound")

        // --- on the command line
        const made = yield* cli("create", url, "--type", "order.confirmed", "--type", "ticket.admitted")
        assert.strictEqual(made.code, 0, made.stderr)
        const webhook = yield* decodeSecret(made.stdout)
        assert.deepStrictEqual(webhook.eventTypes, ["order.confirmed", "ticket.admitted"])
        assert.include((yield* cli("list")).stdout, webhook.id)
        assert.notInclude((yield* cli("list")).stdout, webhook.secret)
        const rotated = yield* cli("rotate", webhook.id)
        assert.strictEqual(rotated.code, 0, rotated.stderr)
        assert.notStrictEqual((yield* decodeSecret(rotated.stdout)).secret, webhook.secret)
        assert.include((yield* cli("disable", webhook.id)).stdout, '"disabledReason": "organiser"')
        assert.include((yield* cli("enable", webhook.id)).stdout, '"disabledReason": null')
        const nowhere = yield* cli("create", "ftp://example.org/")
        assert.notStrictEqual(nowhere.code, 0)
        assert.include(nowhere.stderr + nowhere.stdout, "https")
        const unheard = yield* cli("create", url, "--event", unknownId)
        assert.notStrictEqual(unheard.code, 0)
        assert.include(unheard.stderr + unheard.stdout, "There is no such event")
        const removed = yield* cli("delete", webhook.id)
        assert.strictEqual(removed.code, 0, removed.stderr)
        assert.deepStrictEqual(yield* listed, [])
        assert.notStrictEqual((yield* cli("delete", webhook.id)).code, 0)
        assert.strictEqual(received.length, 3)
        yield* Service.assertNothingBroke(service)
      }),
    180_000
  )
})
