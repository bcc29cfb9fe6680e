/** Stripe's adapter against a stand-in of Stripe, for the suite of all adapters. */
import { NodeHttpClient } from "@effect/platform-node"
import * as FaultProxy from "@onsale/testing/FaultProxy"
import { PaymentServer } from "@onsale/testing/PaymentServer"
import { Effect, Layer, Redacted } from "effect"
import { Mac, SecureRandom } from "effect/crypto"
import { createHmac } from "node:crypto"
import * as StripeProvider from "../src/StripeProvider.ts"
import * as FakeStripe from "./FakeStripe.ts"

export const layerMac = Mac.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

export const stripeSecrets = { current: "whsec_new", old: "whsec_old", forged: "whsec_guess" } as const

export const stripeOptions = {
  secretKey: Redacted.make(FakeStripe.fakeStripeKey),
  webhookSecrets: [Redacted.make(stripeSecrets.current), Redacted.make(stripeSecrets.old)],
  returnUrl: "https://shop.test/orders/",
  timeout: "1 second",
  settleMs: 2_500
} as const

/** As Stripe documents it, by other means than ours. */
export const stripeSignature = (text: string, secret: string, seconds: number) =>
  createHmac("sha256", secret).update(`${seconds}.${text}`).digest("hex")

export const layerStripe = Layer.effect(
  PaymentServer,
  Effect.gen(function* () {
    const fake = yield* FakeStripe.make
    const proxy = yield* FaultProxy.make(fake.url)
    const make = (options: Partial<StripeProvider.StripeProviderOptions> = {}) =>
      StripeProvider.make({ ...stripeOptions, apiBase: proxy.url, ...options })
    const paymentOf = (reference: string) => {
      const payment = fake.payments.get(reference)
      if (payment === undefined) throw new Error(`there is no ${reference}`)
      return payment
    }
    return PaymentServer.of({
      provider: yield* make(),
      stranger: yield* make({ secretKey: Redacted.make("sk_test_wrong") }),
      unreachable: yield* make({ apiBase: "http://127.0.0.1:9" }),
      methods: {
        ok: "pm_card_visa",
        declined: "pm_card_chargeDeclined",
        action: "pm_card_authenticationRequired",
        processing: "pm_card_slow"
      },
      ledgerOf: (intentId) =>
        Effect.sync(() =>
          [...fake.payments.values()]
            .filter(({ metadata }) => metadata["onsale_intent_id"] === intentId)
            .map((payment) => ({
              reference: payment.id,
              captured: payment.amountReceived,
              refunded: payment.amountRefunded,
              refunds: payment.refunds.length,
              isLive: payment.status !== "canceled" && payment.status !== "requires_payment_method"
            }))
        ),
      act: ({ reference }, isApproved) =>
        Effect.sync(() => {
          const payment = paymentOf(reference)
          payment.status = isApproved ? "requires_capture" : "requires_payment_method"
          if (!isApproved) payment.errorCode = "payment_intent_authentication_failure"
        }),
      settle: (reference) =>
        Effect.sync(() => {
          paymentOf(reference).status = "requires_capture"
        }),
      dispute: (reference, outcome) =>
        Effect.sync(() => {
          paymentOf(reference).disputes = [outcome === "open" ? "needs_response" : "won"]
        }),
      strike: proxy.strike,
      hold: proxy.hold,
      webhook: ({ atMs, intentId, reference, secret }) =>
        Effect.sync(() => {
          const text = JSON.stringify({
            id: `evt_${reference}`,
            object: "event",
            type: "payment_intent.amount_capturable_updated",
            data: {
              object: { id: reference, object: "payment_intent", metadata: { onsale_intent_id: intentId } }
            }
          })
          const seconds = Math.floor(atMs / 1000)
          const hex = stripeSignature(text, stripeSecrets[secret], seconds)
          return {
            body: new TextEncoder().encode(text),
            headers: { "stripe-signature": `t=${seconds},v1=${hex},v0=${"0".repeat(64)}` },
            token: undefined
          }
        }),
      signsTime: true
    })
  })
).pipe(Layer.provide([NodeHttpClient.layerUndici, layerMac]))
