/** Mollie's adapter against a stand-in of Mollie, for the suite of all adapters. */
import { NodeHttpClient } from "@effect/platform-node"
import * as FaultProxy from "@onsale/testing/FaultProxy"
import { PaymentServer } from "@onsale/testing/PaymentServer"
import { Effect, Layer, Predicate, Redacted } from "effect"
import * as MollieProvider from "../src/MollieProvider.ts"
import * as FakeMollie from "./FakeMollie.ts"

const tokens = { current: "the-new-token", old: "the-old-token", forged: "a-guess" } as const

export const mollieOptions = {
  apiKey: Redacted.make(FakeMollie.fakeMollieKey),
  returnUrl: "https://shop.test/orders/",
  webhookUrl: "https://shop.test/api/v1/webhooks/mollie",
  webhookTokens: [Redacted.make(tokens.current), Redacted.make(tokens.old)],
  timeout: "1 second",
  settleMs: 2_500
} as const

export const layerMollie = Layer.effect(
  PaymentServer,
  Effect.gen(function* () {
    const fake = yield* FakeMollie.make
    const proxy = yield* FaultProxy.make(fake.url)
    const make = (options: Partial<MollieProvider.MollieProviderOptions> = {}) =>
      MollieProvider.make({ ...mollieOptions, apiBase: proxy.url, ...options })
    const paymentOf = (reference: string) => {
      const payment = fake.payments.get(reference)
      if (payment === undefined) throw new Error(`there is no ${reference}`)
      return payment
    }
    return PaymentServer.of({
      provider: yield* make(),
      stranger: yield* make({ apiKey: Redacted.make("test_wrong") }),
      unreachable: yield* make({ apiBase: "http://127.0.0.1:9" }),
      methods: { ok: "tkn_ok", declined: "tkn_declined", action: "creditcard", processing: "tkn_slow" },
      ledgerOf: (intentId) =>
        Effect.sync(() =>
          [...fake.payments.values()]
            .filter(
              ({ metadata }) =>
                Predicate.hasProperty(metadata, "onsale_intent_id") && metadata.onsale_intent_id === intentId
            )
            .map((payment) => ({
              reference: payment.id,
              captured: payment.captures.reduce(
                (sum, { amount }) => sum + Number(amount.value.replace(".", "")),
                0
              ),
              refunded: fake.refundedOf(payment),
              refunds: payment.refunds.length,
              isLive: payment.status !== "canceled" && payment.status !== "failed"
            }))
        ),
      act: ({ reference }, isApproved) =>
        Effect.sync(() => {
          const payment = paymentOf(reference)
          payment.status = isApproved ? "authorized" : "failed"
          if (!isApproved) payment.failure = "authentication_failed"
        }),
      settle: (reference) =>
        Effect.sync(() => {
          paymentOf(reference).status = "authorized"
        }),
      dispute: (reference, outcome) =>
        Effect.sync(() => {
          paymentOf(reference).chargebacks = [
            { id: "chb_fake", reversedAt: outcome === "open" ? null : "2026-11-21T10:00:00+00:00" }
          ]
        }),
      strike: proxy.strike,
      hold: proxy.hold,
      webhook: ({ reference, secret }) =>
        Effect.succeed({
          body: new TextEncoder().encode(`id=${reference}`),
          headers: { "content-type": "application/x-www-form-urlencoded" },
          token: tokens[secret]
        }),
      signsTime: false
    })
  })
).pipe(Layer.provide(NodeHttpClient.layerUndici))
