import { assert, layer } from "@effect/vitest"
import { makeUuidV7 } from "@onsale/contracts/Ids"
import type { SandboxWebhook } from "@onsale/contracts/payments/Sandbox"
import { Clock, Effect } from "effect"
import { Webhooks } from "../src/Webhooks.ts"
import {
  intentRow,
  journalOf,
  layerPayments,
  ledgerOf,
  newPayment,
  Refusing,
  strayOrganiser,
  webhookSecret
} from "./PaymentsFixture.ts"
import { signed } from "./SandboxProcess.ts"

layer(layerPayments, { excludeTestServices: true, timeout: "60 seconds" })("over two providers", (it) => {
  it.effect(
    "a payment that its first provider refuses is taken by the second, which all name from then on",
    () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok", { organiser: strayOrganiser })
        assert.deepInclude(yield* client.Authorise({ payment }), {
          status: "authorised",
          provider: "sandbox"
        })
        assert.deepInclude(yield* client.Capture(), { status: "captured", provider: "sandbox" })
        assert.deepStrictEqual(yield* journalOf(intentId), [
          ["Created"],
          ["Rerouted"],
          ["Authorised"],
          ["Captured"]
        ])
        assert.deepInclude(yield* intentRow(intentId), { provider: "sandbox", status: "captured" })
        assert.strictEqual((yield* ledgerOf(intentId)).length, 1)
      })
  )

  it.effect("a buyer who names a provider gets that one only", () =>
    Effect.gen(function* () {
      const { client, intentId, payment } = yield* newPayment("tok_ok", { provider: "refusing" })
      assert.strictEqual((yield* Effect.flip(client.Authorise({ payment })))._tag, "PaymentUnavailable")
      assert.deepInclude(yield* intentRow(intentId), { provider: "refusing" })
      assert.deepStrictEqual(yield* ledgerOf(intentId), [])
    })
  )

  it.effect("a currency that nobody can charge fails at once", () =>
    Effect.gen(function* () {
      const { client, payment } = yield* newPayment("tok_ok", { provider: "refusing", currency: "USD" })
      assert.deepInclude(yield* client.Authorise({ payment }), {
        status: "failed",
        failureCode: "currency_not_supported"
      })
    })
  )

  it.effect("what the provider that was left has after all is given back there, and the payment stays", () =>
    Effect.gen(function* () {
      const refusing = yield* Refusing
      const { client, intentId, payment } = yield* newPayment("tok_ok", { organiser: strayOrganiser })
      yield* client.Authorise({ payment })
      yield* client.Capture()
      refusing.holds = intentId
      const nowMs = yield* Clock.currentTimeMillis
      const webhook: SandboxWebhook = {
        id: `evt_${makeUuidV7(nowMs)}`,
        type: "payment.authorised",
        createdAt: "2026-11-26T10:00:00.000Z",
        data: {
          id: "stray_1",
          status: "authorised",
          amount: 4_200,
          currency: "EUR",
          captured: 0,
          refunded: 0,
          reference: intentId,
          createdAt: "2026-11-26T10:00:00.000Z"
        }
      }
      const { body, headers } = signed(webhook, webhookSecret, Math.floor(nowMs / 1000))
      const webhooks = yield* Webhooks
      assert.strictEqual(yield* webhooks.receive("refusing", body, headers), "stray")
      assert.deepStrictEqual(refusing.voids, [`${intentId}:void`])
      yield* webhooks.receive("refusing", body, headers)
      assert.strictEqual(refusing.voids.length, 1)
      assert.deepInclude(yield* client.Refresh(), { status: "captured", provider: "sandbox" })
    })
  )
})
