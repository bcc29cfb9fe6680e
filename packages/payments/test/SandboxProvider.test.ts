import { assert, describe, it } from "@effect/vitest"
import { OrderId, PaymentIntentId } from "@onsale/contracts/Ids"
import type { SandboxPayment } from "@onsale/contracts/payments/Sandbox"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { Mac, SecureRandom } from "effect/crypto"
import { HttpClient, HttpClientError, type HttpClientRequest, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { keys, type ProviderFailure } from "../src/PaymentProvider.ts"
import * as SandboxProvider from "../src/SandboxProvider.ts"

const layerMac = Mac.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

const intentId = PaymentIntentId.make("019a0000-0000-7000-8000-000000000001")

const request = {
  key: keys.authorise(intentId),
  intentId,
  orderId: OrderId.make("019a0000-0000-7000-8000-000000000002"),
  amount: 100,
  currency: "EUR",
  method: "tok_ok"
}

const question = { key: request.key, intentId, reference: null }

const payment: SandboxPayment = {
  id: "pay_1",
  status: "authorised",
  amount: 100,
  currency: "EUR",
  captured: 0,
  refunded: 0,
  reference: intentId,
  createdAt: "2026-11-21T10:00:00.000Z"
}

type Respond = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<Response, HttpClientError.HttpClientError>

const withProvider = (respond: Respond) => {
  const client = HttpClient.make((request) =>
    Effect.map(respond(request), (response) => HttpClientResponse.fromWeb(request, response))
  )
  return SandboxProvider.make({
    url: "http://psp.test",
    secret: Redacted.make("secret"),
    webhookSecrets: []
  }).pipe(Effect.provideService(HttpClient.HttpClient, client), Effect.provide(layerMac))
}

const answering = (status: number, body: unknown) =>
  withProvider(() =>
    Effect.sync(() => new Response(typeof body === "string" ? body : JSON.stringify(body), { status }))
  )

const failing = (cause: unknown) =>
  withProvider((request) =>
    Effect.fail(
      new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
    )
  )

const errorBody = (type: string, code: string) => ({ error: { type, code, message: "told so" } })

describe("the sandbox's answers", () => {
  it.effect("carry the payment, a declined one too", () =>
    Effect.gen(function* () {
      const ok = yield* answering(201, payment)
      assert.deepInclude(yield* ok.authorise(request), {
        _tag: "Standing",
        status: "authorised",
        reference: "pay_1"
      })
      const declined = yield* answering(402, { ...payment, status: "failed", failureCode: "card_declined" })
      assert.deepInclude(yield* declined.authorise(request), {
        status: "failed",
        failureCode: "card_declined"
      })
    })
  )

  it.effect("are asked for with our key, our secret and our reference", () =>
    Effect.gen(function* () {
      const seen: Array<HttpClientRequest.HttpClientRequest> = []
      const provider = yield* withProvider((request) => {
        seen.push(request)
        return Effect.sync(() => new Response(JSON.stringify(payment), { status: 201 }))
      })
      yield* provider.authorise(request)
      const [sent] = seen
      assert.strictEqual(sent?.headers["idempotency-key"], `${intentId}:authorise`)
      assert.strictEqual(sent?.headers["authorization"], "Bearer secret")
      const body = sent?.body._tag === "Uint8Array" ? new TextDecoder().decode(sent.body.body) : ""
      assert.include(body, `"reference":"${intentId}"`)
      assert.include(body, '"capture":"manual"')
    })
  )

  it.effect("to a question are the payment, nothing, or not known yet", () =>
    Effect.gen(function* () {
      const found = yield* answering(200, {
        data: [{ ...payment, status: "refunded", captured: 100, refunded: 100 }],
        inFlight: false
      })
      assert.deepInclude(yield* found.find(question), { status: "captured", captured: 100, refunded: 100 })
      const absent = yield* answering(200, { data: [], inFlight: false })
      assert.deepStrictEqual(yield* absent.find(question), { _tag: "Absent" })
      const running = yield* answering(200, { data: [], inFlight: true })
      assert.deepInclude(yield* Effect.flip(running.find(question)), { kind: "unknown", code: "in_flight" })
    })
  )

  const failures: ReadonlyArray<readonly [number, unknown, ProviderFailure["kind"]]> = [
    [400, errorBody("invalid_request", "method_unknown"), "declined"],
    [404, errorBody("invalid_request", "payment_unknown"), "declined"],
    [404, "<html>no such page</html>", "retryable"],
    [409, errorBody("invalid_state", "payment_not_voidable"), "declined"],
    [409, errorBody("idempotency_error", "key_in_use"), "unknown"],
    [422, errorBody("idempotency_error", "key_reused"), "unknown"],
    [401, errorBody("authentication_error", "key_wrong"), "retryable"],
    [429, "", "retryable"],
    [500, errorBody("api_error", "provider_error"), "unknown"],
    [502, "<html>bad gateway</html>", "unknown"],
    [503, errorBody("api_error", "overloaded"), "unknown"],
    [302, "", "unknown"],
    [201, "{", "unknown"],
    [201, { ...payment, amount: "100" }, "unknown"],
    [201, `"${"x".repeat(70_000)}"`, "unknown"]
  ]

  for (const [index, [status, body, kind]] of failures.entries()) {
    it.effect(`say of money: ${kind}, for ${status} (case ${index})`, () =>
      Effect.gen(function* () {
        const provider = yield* answering(status, body)
        assert.deepInclude(yield* Effect.flip(provider.authorise(request)), { _tag: "ProviderFailure", kind })
      })
    )
  }

  it.effect("that never were sent for did nothing; those that broke are unknown", () =>
    Effect.gen(function* () {
      const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" })
      const tries = [
        [refused, "retryable"],
        [new TypeError("fetch failed", { cause: refused }), "retryable"],
        [Object.assign(new Error("reset"), { code: "ECONNRESET" }), "unknown"],
        [Object.assign(new Error("closed"), { code: "UND_ERR_SOCKET" }), "unknown"],
        [new Error("whatever"), "unknown"],
        ["a word", "unknown"]
      ] as const
      for (const [cause, kind] of tries) {
        const provider = yield* failing(cause)
        assert.deepInclude(yield* Effect.flip(provider.authorise(request)), { kind })
      }
    })
  )

  it.effect("are waited for five seconds", () =>
    Effect.gen(function* () {
      const provider = yield* withProvider(() => Effect.never)
      const fiber = yield* Effect.forkChild(Effect.flip(provider.authorise(request)))
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* Fiber.join(fiber), { kind: "unknown", code: "timeout" })
    })
  )
})
