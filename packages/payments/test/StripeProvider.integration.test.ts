import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { makeUuidV7, OrderId, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import { Clock, ConfigProvider, Effect, Layer } from "effect"
import * as ConfiguredProviders from "../src/ConfiguredProviders.ts"
import { keys, PaymentProviders } from "../src/PaymentProvider.ts"
import * as StripeProvider from "../src/StripeProvider.ts"
import * as FakeStripe from "./FakeStripe.ts"
import { layerMac, stripeOptions } from "./StripeServer.ts"

describe("a day later, when Stripe has forgotten our keys", () => {
  it.live("INV-04: what was captured, voided or refunded is found, and not done again", () =>
    Effect.gen(function* () {
      const fake = yield* FakeStripe.make
      const provider = yield* StripeProvider.make({ ...stripeOptions, apiBase: fake.url })
      const nowMs = yield* Clock.currentTimeMillis
      const orderId = OrderId.make(makeUuidV7(nowMs))
      const amount = 4_200
      const currency = "EUR"
      const newPayment = Effect.suspend(() => {
        const intentId = PaymentIntentId.make(makeUuidV7(nowMs))
        const key = keys.authorise(intentId)
        return Effect.map(
          provider.authorise({ key, intentId, orderId, amount, currency, method: "pm_card_visa" }),
          ({ reference }) => ({ intentId, reference })
        )
      })
      const paid = yield* newPayment
      const capture = provider.capture({ ...paid, key: keys.capture(paid.intentId), amount, currency })
      yield* capture
      fake.forgetKeys()
      assert.deepInclude(yield* capture, { status: "captured", captured: amount })
      const refundId = RefundId.make(makeUuidV7(nowMs))
      const refund = provider.refund({
        ...paid,
        key: keys.refund(paid.intentId, refundId),
        amount: 1_200,
        currency
      })
      yield* refund
      fake.forgetKeys()
      yield* refund
      assert.deepInclude(fake.payments.get(paid.reference), { amountReceived: amount, amountRefunded: 1_200 })

      const dropped = yield* newPayment
      const undo = provider.void({ ...dropped, key: keys.void(dropped.intentId) })
      yield* undo
      fake.forgetKeys()
      assert.strictEqual((yield* undo).status, "voided")
    }).pipe(Effect.provide([NodeHttpClient.layerUndici, layerMac]))
  )
})

describe("the providers that are connected", () => {
  const sandbox = {
    ONSALE_SANDBOX_URL: "http://127.0.0.1:9",
    ONSALE_SANDBOX_SECRET: "secret",
    ONSALE_SANDBOX_WEBHOOK_SECRET: "new,old"
  }
  const stripe = {
    ONSALE_STRIPE_SECRET_KEY: "sk_test_x",
    ONSALE_STRIPE_WEBHOOK_SECRET: "whsec_1, whsec_2",
    ONSALE_STRIPE_RETURN_URL: "https://shop.test/orders/"
  }
  const mollie = {
    ONSALE_MOLLIE_API_KEY: "test_x",
    ONSALE_MOLLIE_WEBHOOK_URL: "https://shop.test/api/v1/webhooks/mollie",
    ONSALE_MOLLIE_WEBHOOK_TOKEN: "token",
    ONSALE_MOLLIE_RETURN_URL: "https://shop.test/orders/"
  }
  const connected = (settings: Readonly<Record<string, string>>) =>
    PaymentProviders.pipe(
      Effect.map(({ byName, preferred, routes }) => ({
        preferred: preferred.name,
        all: [...byName.keys()],
        routes
      })),
      Effect.provide(
        ConfiguredProviders.layerConfig.pipe(
          Layer.provide(NodeHttpClient.layerUndici),
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(settings)))
        )
      )
    )

  it.live("are the sandbox, and those whose key is configured", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* connected(sandbox), {
        preferred: "sandbox",
        all: ["sandbox"],
        routes: [{ provider: "sandbox", weight: 1 }]
      })
      assert.deepInclude(yield* connected({ ...sandbox, ...stripe, ...mollie }), {
        preferred: "sandbox",
        all: ["sandbox", "stripe", "mollie"]
      })
    })
  )

  it.live("may be two sandboxes, with what each takes said by routes", () =>
    Effect.gen(function* () {
      const two = {
        ...sandbox,
        ONSALE_SANDBOX_B_URL: "http://127.0.0.1:9",
        ONSALE_SANDBOX_B_SECRET: "secret",
        ONSALE_SANDBOX_B_WEBHOOK_SECRET: "one"
      }
      assert.deepStrictEqual((yield* connected(two)).all, ["sandbox", "sandbox-b"])
      const routes = '[{"provider":"sandbox","weight":1},{"provider":"sandbox-b","weight":2}]'
      assert.deepStrictEqual((yield* connected({ ...two, ONSALE_PAYMENT_ROUTES: routes })).routes, [
        { provider: "sandbox", weight: 1 },
        { provider: "sandbox-b", weight: 2 }
      ])
      const error = yield* Effect.flip(connected({ ...sandbox, ONSALE_PAYMENT_ROUTES: routes }))
      assert.strictEqual(error._tag, "ConfigError")
      assert.include(String(error), "got sandbox-b")
      assert.include(String(error), "ONSALE_PAYMENT_ROUTES")
    })
  )

  it.live("are none where one has a key and lacks the rest", () =>
    Effect.gen(function* () {
      const { ONSALE_STRIPE_WEBHOOK_SECRET: _, ...rest } = stripe
      const error = yield* Effect.flip(connected({ ...sandbox, ...rest }))
      assert.strictEqual(error._tag, "ConfigError")
      assert.include(String(error), "ONSALE_STRIPE_WEBHOOK_SECRET")
    })
  )
})
