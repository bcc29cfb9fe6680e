/** The rules of a provider's webhooks: part of `PaymentProviderSuite`. */
import { Clock, Effect } from "effect"
import { assert } from "vitest"
import { authorised, newPlay } from "./PaymentPlay.ts"
import { PaymentServer, type PaymentRules } from "./PaymentServer.ts"

export const paymentWebhookRules: PaymentRules = (it) => {
  const arranged = Effect.fnUntraced(function* (secret: "current" | "old" | "forged", offMs = 0) {
    const { provider, webhook } = yield* PaymentServer
    const play = yield* newPlay()
    const reference = yield* authorised(play)
    const atMs = (yield* Clock.currentTimeMillis) + offMs
    const sent = yield* webhook({ intentId: play.intentId, reference, secret, atMs })
    return { intentId: play.intentId, sent, read: provider.readWebhook(sent.body, sent.headers, sent.token) }
  })

  for (const secret of ["current", "old"] as const) {
    it.effect(`a webhook with the ${secret} secret names our payment`, () =>
      Effect.gen(function* () {
        const { intentId, read } = yield* arranged(secret)
        assert.deepInclude(yield* read, { intentId, status: "authorised" })
      })
    )
  }

  it.effect("a webhook that comes twice is the same one", () =>
    Effect.gen(function* () {
      const { read } = yield* arranged("current")
      const first = yield* read
      assert.strictEqual((yield* read).eventId, first.eventId)
      assert.isTrue(first.eventId.length > 0 && first.eventId.length <= 255)
    })
  )

  it.effect("a forged webhook is refused, and so is one without a secret", () =>
    Effect.gen(function* () {
      const { provider } = yield* PaymentServer
      const { read, sent } = yield* arranged("forged")
      assert.deepInclude(yield* Effect.flip(read), { reason: "signature_invalid" })
      assert.deepInclude(yield* Effect.flip(provider.readWebhook(sent.body, {})), {
        reason: "signature_missing"
      })
    })
  )

  it.effect("a webhook that was signed ten minutes ago, or ahead, is refused", () =>
    Effect.gen(function* () {
      const { signsTime } = yield* PaymentServer
      if (!signsTime) return
      for (const offMs of [-600_000, 600_000]) {
        const { read } = yield* arranged("current", offMs)
        assert.deepInclude(yield* Effect.flip(read), { reason: "signature_expired" })
      }
    })
  )

  it.effect("a body that is none of the provider's is refused, whoever signed it", () =>
    Effect.gen(function* () {
      const { provider } = yield* PaymentServer
      const { sent } = yield* arranged("current")
      const other = new TextEncoder().encode("nonsense")
      const error = yield* Effect.flip(provider.readWebhook(other, sent.headers, sent.token))
      // Where the body is signed it is the signature that is wrong.
      assert.include(["signature_invalid", "body_invalid"], error.reason)
    })
  )
}
