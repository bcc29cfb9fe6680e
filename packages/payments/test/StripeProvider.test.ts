import { assert, describe, it } from "@effect/vitest"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect, Fiber, Redacted } from "effect"
import { HttpClient, HttpClientError } from "effect/http"
import { TestClock } from "effect/testing"
import { keys, type ProviderFailure } from "../src/PaymentProvider.ts"
import * as StripeProvider from "../src/StripeProvider.ts"
import { authorise, intentId, orderId, payment, recorded, refundId } from "./StripeRecorder.ts"
import { layerMac, stripeOptions } from "./StripeServer.ts"

const step = { intentId, reference: payment.id, amount: 4_200, currency: "EUR" }
const lists = { object: "list", has_more: false, data: [] }

describe("what is sent to Stripe", () => {
  const headers = {
    authorization: "Bearer sk_test_fake",
    "content-type": "application/x-www-form-urlencoded",
    "stripe-version": "2026-10-28.endive",
    accept: "application/json"
  }

  it.effect(
    "to authorise is a PaymentIntent that is confirmed at once and captured later, and no other field",
    () =>
      Effect.gen(function* () {
        const { provider, sent } = yield* recorded(() => ({ status: 200, body: payment }))
        yield* authorise(provider)
        assert.lengthOf(sent, 1)
        assert.deepInclude(sent[0], {
          method: "POST",
          path: "https://api.stripe.com/v1/payment_intents",
          query: ""
        })
        assert.deepInclude(sent[0]?.headers, { ...headers, "idempotency-key": `${intentId}:authorise` })
        assert.deepStrictEqual(sent[0]?.form.split("&").sort(), [
          "allowed_payment_method_types[0]=card",
          "amount=4200",
          "capture_method=manual",
          "confirm=true",
          "currency=eur",
          "expand[0]=latest_charge",
          `metadata[onsale_intent_id]=${intentId}`,
          `metadata[onsale_order_id]=${orderId}`,
          "payment_method=pm_card_visa",
          `return_url=https://shop.test/orders/${orderId}`
        ])
      })
  )

  it.effect("to capture, void and refund names the payment, our key and the amount, and no other field", () =>
    Effect.gen(function* () {
      const { provider, sent } = yield* recorded(({ method, path }) => ({
        status: 200,
        body:
          method === "GET"
            ? lists
            : path.endsWith("/refunds")
              ? { id: "re_1", object: "refund", status: "succeeded", metadata: {} }
              : {
                  ...payment,
                  status: path.endsWith("/capture") ? "succeeded" : "canceled",
                  amount_received: 4_200
                }
      }))
      yield* provider.capture({ ...step, key: keys.capture(intentId) })
      yield* provider.void({ ...step, key: keys.void(intentId) })
      yield* provider.refund({ ...step, key: keys.refund(intentId, refundId), amount: 1_200 })
      const base = "https://api.stripe.com/v1"
      assert.deepStrictEqual(
        sent.map(({ form, headers, method, path, query }) => [
          `${method} ${path.replace(base, "")}`,
          headers["idempotency-key"] ?? null,
          method === "GET" ? query : form
        ]),
        [
          [
            `POST /payment_intents/${payment.id}/capture`,
            `${intentId}:capture`,
            "amount_to_capture=4200&expand[0]=latest_charge"
          ],
          [`POST /payment_intents/${payment.id}/cancel`, `${intentId}:void`, "expand[0]=latest_charge"],
          ["GET /refunds", null, `payment_intent=${payment.id}&limit=100`],
          [
            "POST /refunds",
            `${intentId}:refund:${refundId}`,
            `payment_intent=${payment.id}&amount=1200&metadata[onsale_intent_id]=${intentId}&metadata[onsale_refund_key]=${intentId}:refund:${refundId}`
          ]
        ]
      )
      for (const one of sent) assert.deepInclude(one.headers, headers)
    })
  )

  const amounts: ReadonlyArray<readonly [number, string, string | null]> = [
    [4_200, "EUR", "4200"],
    [4_200, "JPY", "4200"],
    // Without decimals to us, and in hundredths at Stripe.
    [4_200, "ISK", "420000"],
    [4_200, "MGA", "42"],
    [4_201, "MGA", null],
    [4_200, "KWD", "4200"],
    [4_201, "KWD", null]
  ]
  for (const [amount, currency, stripes] of amounts) {
    it.effect(`for ${amount} ${currency} is ${stripes ?? "nothing"}`, () =>
      Effect.gen(function* () {
        const { provider, sent } = yield* recorded(({ form }) => ({
          status: 200,
          body: {
            ...payment,
            currency: currency.toLowerCase(),
            amount: Number(/amount=(\d+)/.exec(form)?.[1])
          }
        }))
        const standing = yield* Effect.result(authorise(provider, currency, amount))
        if (stripes === null) {
          assert.lengthOf(sent, 0)
          assert.deepInclude(standing, { _tag: "Failure" })
        } else {
          assert.include(sent[0]?.form, `amount=${stripes}&`)
          assert.deepNestedInclude(standing, { "success.amount": amount, "success.currency": currency })
        }
      })
    )
  }
})

describe("what Stripe says of a failure", () => {
  const error = (type: string, code?: string, more: object = {}) => ({
    error: { type, ...(code === undefined ? {} : { code }), message: "told so", ...more }
  })

  const failures: ReadonlyArray<readonly [number, unknown, ProviderFailure["kind"], string]> = [
    [402, error("card_error", "expired_card"), "declined", "expired_card"],
    [402, error("card_error", "card_declined", { decline_code: "stolen_card" }), "declined", "stolen_card"],
    [400, error("invalid_request_error", "parameter_unknown"), "declined", "parameter_unknown"],
    [404, error("invalid_request_error", "resource_missing"), "declined", "resource_missing"],
    [400, error("idempotency_error"), "unknown", "key_reused"],
    [401, error("invalid_request_error"), "retryable", "authentication_failed"],
    [403, error("invalid_request_error"), "retryable", "permission_denied"],
    [409, error("invalid_request_error", "idempotency_key_in_use"), "unknown", "idempotency_key_in_use"],
    [429, error("invalid_request_error", "rate_limit"), "retryable", "rate_limit"],
    [429, error("invalid_request_error", "lock_timeout"), "retryable", "lock_timeout"],
    [500, error("api_error"), "unknown", "http_500"],
    [503, error("api_error"), "unknown", "http_503"],
    [502, "<html>bad gateway</html>", "unknown", "unreadable_answer"],
    [200, "{", "unknown", "unreadable_answer"],
    [200, {}, "unknown", "unreadable_answer"],
    [200, { ...payment, amount: "4200" }, "unknown", "unreadable_answer"],
    [200, { ...payment, status: "a new one" }, "unknown", "unreadable_answer"],
    [200, `"${"x".repeat(5_000_000)}"`, "unknown", "answer_too_large"]
  ]
  for (const [index, [status, body, kind, code]] of failures.entries()) {
    it.effect(`${kind} (${code}), for ${status} (case ${index})`, () =>
      Effect.gen(function* () {
        const { provider, sent } = yield* recorded(() => ({ status, body }))
        assert.deepInclude(yield* Effect.flip(authorise(provider)), { _tag: "ProviderFailure", kind, code })
        // The SDK repeats nothing by itself.
        assert.lengthOf(sent, 1)
      })
    )
  }

  it.effect("a declined card is an answer, where it has the payment with it", () =>
    Effect.gen(function* () {
      const declined = {
        ...payment,
        status: "requires_payment_method",
        latest_charge: "ch_1",
        last_payment_error: { type: "card_error", code: "card_declined", decline_code: "insufficient_funds" }
      }
      const { provider } = yield* recorded(() => ({
        status: 402,
        body: error("card_error", "card_declined", { payment_intent: declined })
      }))
      assert.deepInclude(yield* authorise(provider), {
        status: "failed",
        reference: payment.id,
        failureCode: "insufficient_funds"
      })
    })
  )

  it.effect("a connection that was closed is unknown, and not tried again behind our back", () =>
    Effect.gen(function* () {
      for (const [code, kind] of [
        ["ECONNRESET", "unknown"],
        ["EPIPE", "unknown"],
        ["ECONNREFUSED", "retryable"]
      ] as const) {
        let calls = 0
        const client = HttpClient.make((request) => {
          calls++
          const cause = Object.assign(new Error("it broke"), { code })
          return Effect.fail(
            new HttpClientError.HttpClientError({
              reason: new HttpClientError.TransportError({ request, cause })
            })
          )
        })
        const provider = yield* StripeProvider.make(stripeOptions).pipe(
          Effect.provideService(HttpClient.HttpClient, client),
          Effect.provide(layerMac)
        )
        assert.strictEqual((yield* Effect.flip(authorise(provider))).kind, kind)
        assert.strictEqual(calls, 1)
      }
    })
  )

  it.effect("no answer within the time limit is unknown", () =>
    Effect.gen(function* () {
      let calls = 0
      const client = HttpClient.make(() => Effect.suspend(() => (calls++, Effect.never)))
      const provider = yield* StripeProvider.make({ ...stripeOptions, timeout: "6 seconds" }).pipe(
        Effect.provideService(HttpClient.HttpClient, client),
        Effect.provide(layerMac)
      )
      const fiber = yield* Effect.forkChild(Effect.flip(authorise(provider)))
      yield* pollUntil(
        Effect.sync(() => calls),
        (made) => made === 1
      )
      yield* TestClock.adjust("6 seconds")
      assert.deepInclude(yield* Fiber.join(fiber), { kind: "unknown", code: "timeout" })
    })
  )

  it.effect("the secret is in none of it", () =>
    Effect.gen(function* () {
      const secretKey = Redacted.make("sk_live_very_secret")
      for (const status of [200, 400, 401, 500]) {
        const body = error("invalid_request_error", undefined, {
          message: "Invalid API Key: sk_live_very_secret"
        })
        const { provider } = yield* recorded(() => ({ status, body }), { secretKey })
        const failure = yield* Effect.flip(authorise(provider))
        assert.notInclude(JSON.stringify(failure) + failure.message + String(failure.stack), "very_secret")
      }
    })
  )
})
