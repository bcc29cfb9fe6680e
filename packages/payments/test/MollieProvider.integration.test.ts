import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { makeUuidV7, OrderId, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Clock, Effect, Redacted } from "effect"
import * as MollieProvider from "../src/MollieProvider.ts"
import { keys } from "../src/PaymentProvider.ts"
import * as FakeMollie from "./FakeMollie.ts"
import { mollieOptions } from "./MollieServer.ts"

const arranged = Effect.fnUntraced(function* (options: Partial<MollieProvider.MollieProviderOptions> = {}) {
  const fake = yield* FakeMollie.make
  const provider = yield* MollieProvider.make({ ...mollieOptions, apiBase: fake.url, ...options })
  const nowMs = yield* Clock.currentTimeMillis
  const intentId = PaymentIntentId.make(makeUuidV7(nowMs))
  const orderId = OrderId.make(makeUuidV7(nowMs))
  const authorise = (method = "tkn_ok", currency = "EUR") =>
    provider.authorise({ key: keys.authorise(intentId), intentId, orderId, amount: 4_200, currency, method })
  const capture = (reference: string) =>
    provider.capture({ key: keys.capture(intentId), intentId, reference, amount: 4_200, currency: "EUR" })
  /** Mollie carries a capture out after it has accepted it. */
  const captured = (reference: string) =>
    pollUntil(Effect.option(capture(reference)), (answer) => answer._tag === "Some")
  return { authorise, capture, captured, fake, intentId, orderId, provider }
})

const refundId = RefundId.make("019a0000-0000-7000-8000-000000000003")

layer(NodeHttpClient.layerUndici, { excludeTestServices: true })("Mollie", (it) => {
  describe("what is sent to Mollie", () => {
    it.effect("to authorise is a payment that is captured later, with our key, and no other field", () =>
      Effect.gen(function* () {
        const { authorise, fake, intentId, orderId } = yield* arranged()
        yield* authorise()
        const [sent] = fake.calls
        assert.deepInclude(sent, { method: "POST", path: "/v2/payments", query: "" })
        assert.deepInclude(sent?.headers, {
          authorization: "Bearer test_fake",
          "content-type": "application/json",
          "idempotency-key": `${intentId}:authorise`
        })
        assert.deepStrictEqual(JSON.parse(sent?.body ?? ""), {
          amount: { currency: "EUR", value: "42.00" },
          description: `Order ${orderId}`,
          redirectUrl: `https://shop.test/orders/${orderId}`,
          webhookUrl: "https://shop.test/api/v1/webhooks/mollie?token=the-new-token",
          captureMode: "manual",
          metadata: { onsale_intent_id: intentId, onsale_order_id: orderId },
          method: "creditcard",
          cardToken: "tkn_ok"
        })
      })
    )

    it.effect("to capture and refund looks first, then names the amount and our key", () =>
      Effect.gen(function* () {
        const { authorise, captured, fake, intentId, provider } = yield* arranged()
        const { reference } = yield* authorise()
        yield* captured(reference)
        const key = keys.refund(intentId, refundId)
        yield* provider.refund({ key, intentId, reference, amount: 1_200, currency: "EUR" })
        const money = fake.calls.filter(({ method }) => method === "POST").slice(1)
        assert.deepStrictEqual(
          money.map(({ body, headers, path }) => [path, headers["idempotency-key"], JSON.parse(body)]),
          [
            [
              `/v2/payments/${reference}/captures`,
              `${intentId}:capture`,
              { amount: { currency: "EUR", value: "42.00" } }
            ],
            [
              `/v2/payments/${reference}/refunds`,
              key,
              {
                amount: { currency: "EUR", value: "12.00" },
                metadata: { onsale_intent_id: intentId, onsale_refund_key: key }
              }
            ]
          ]
        )
      })
    )

    it.effect(
      "is nothing for a method that cannot be captured later, or a currency that Mollie has not",
      () =>
        Effect.gen(function* () {
          const { authorise, fake } = yield* arranged()
          assert.deepInclude(yield* Effect.flip(authorise("ideal")), {
            kind: "declined",
            code: "method_unknown"
          })
          assert.deepInclude(yield* Effect.flip(authorise("creditcard", "KWD")), {
            kind: "declined",
            code: "currency_unknown"
          })
          assert.lengthOf(fake.calls, 0)
        })
    )
  })

  describe("an hour later, when Mollie has forgotten our keys", () => {
    it.effect("INV-04: a capture and a refund that were made are not made again", () =>
      Effect.gen(function* () {
        const { authorise, capture, captured, fake, intentId, provider } = yield* arranged()
        const { reference } = yield* authorise()
        // Accepted, and we were told that nobody knows yet.
        assert.deepInclude(yield* Effect.flip(capture(reference)), {
          kind: "unknown",
          code: "capture_pending"
        })
        fake.forgetKeys()
        yield* captured(reference)
        const refund = provider.refund({
          key: keys.refund(intentId, refundId),
          intentId,
          reference,
          amount: 1_200,
          currency: "EUR"
        })
        yield* refund
        fake.forgetKeys()
        yield* refund
        const payment = fake.payments.get(reference)
        assert.lengthOf(payment?.captures ?? [], 1)
        assert.lengthOf(payment?.refunds ?? [], 1)
      })
    )
  })

  describe("a payment that waits for the buyer", () => {
    it.effect("is cancelled where Mollie can, and else nobody says that it is", () =>
      Effect.gen(function* () {
        const { authorise, fake, intentId, provider } = yield* arranged()
        const { reference } = yield* authorise("creditcard")
        const step = { key: keys.void(intentId), intentId, reference }
        const payment = fake.payments.get(reference)
        if (payment !== undefined) payment.status = "pending"
        assert.deepInclude(yield* Effect.flip(provider.void(step)), {
          kind: "unknown",
          code: "not_cancelable"
        })
        if (payment !== undefined) payment.status = "open"
        assert.strictEqual((yield* provider.void(step)).status, "voided")
      })
    )

    it.effect("and expires has failed", () =>
      Effect.gen(function* () {
        const { authorise, fake, intentId, provider } = yield* arranged()
        const { reference } = yield* authorise("creditcard")
        const payment = fake.payments.get(reference)
        if (payment !== undefined) payment.status = "expired"
        const found = yield* provider.find({ key: keys.authorise(intentId), intentId, reference })
        assert.deepInclude(found, { status: "failed", failureCode: "expired" })
      })
    )
  })

  describe("a webhook of Mollie", () => {
    const bytes = (text: string) => new TextEncoder().encode(text)

    it.effect("without the token of the URL asks nothing of Mollie", () =>
      Effect.gen(function* () {
        const { authorise, fake, provider } = yield* arranged()
        const { reference } = yield* authorise()
        const before = fake.calls.length
        for (const token of [undefined, "", "a-guess", "the-new-toke", "the-new-token "]) {
          yield* Effect.flip(provider.readWebhook(bytes(`id=${reference}`), {}, token))
        }
        assert.lengthOf(fake.calls, before)
      })
    )

    it.effect("tells another state by another id, and none of ours by none", () =>
      Effect.gen(function* () {
        const { authorise, captured, intentId, provider } = yield* arranged()
        const { reference } = yield* authorise()
        const read = provider.readWebhook(bytes(`id=${reference}`), {}, "the-old-token")
        const first = yield* read
        assert.deepInclude(first, { intentId, status: "authorised" })
        yield* captured(reference)
        const second = yield* read
        assert.deepInclude(second, { intentId, status: "captured" })
        assert.notStrictEqual(second.eventId, first.eventId)
        const foreign = yield* provider.readWebhook(bytes("id=tr_nobody"), {}, "the-new-token")
        assert.isNull(foreign.intentId)
      })
    )

    it.effect("of another shape is refused, and while Mollie is away it has to come again", () =>
      Effect.gen(function* () {
        const { provider } = yield* arranged({ apiKey: Redacted.make("test_wrong") })
        for (const body of ["", "id=", "id=../payments", "id=ord_1", "nonsense", `id=tr_${"x".repeat(65)}`]) {
          const error = yield* Effect.flip(provider.readWebhook(bytes(body), {}, "the-new-token"))
          assert.strictEqual(error.reason, "body_invalid")
        }
        const large = yield* Effect.flip(provider.readWebhook(new Uint8Array(2_000), {}, "the-new-token"))
        assert.strictEqual(large.reason, "too_large")
        const away = yield* Effect.flip(provider.readWebhook(bytes("id=tr_1"), {}, "the-new-token"))
        assert.strictEqual(away.reason, "provider_unavailable")
      })
    )
  })
})
