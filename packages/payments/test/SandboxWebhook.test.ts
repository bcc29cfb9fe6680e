import { assert, describe, it } from "@effect/vitest"
import { PaymentIntentId } from "@onsale/contracts/Ids"
import type { SandboxWebhook } from "@onsale/contracts/payments/Sandbox"
import { Effect, Layer, Redacted } from "effect"
import { Mac, SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import * as SandboxWebhookReader from "../src/SandboxWebhook.ts"
import { signatureOf } from "./SandboxProcess.ts"

const layerMac = Mac.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

const secrets = [Redacted.make("the new secret"), Redacted.make("the old secret")]
const nowSeconds = 1_795_000_000
const intentId = PaymentIntentId.make("019a0000-0000-7000-8000-000000000001")

const webhook = {
  id: "evt_1",
  type: "payment.authorised",
  createdAt: "2026-11-21T10:00:00.000Z",
  data: {
    id: "pay_1",
    status: "authorised",
    amount: 100,
    currency: "EUR",
    captured: 0,
    refunded: 0,
    reference: intentId,
    createdAt: "2026-11-21T10:00:00.000Z"
  }
} satisfies SandboxWebhook

const bytes = (text: string) => new TextEncoder().encode(text)

/** Reads a body that was signed with `secret` at `seconds`. */
const read = Effect.fnUntraced(function* (
  body: string,
  {
    secret = "the new secret",
    seconds = nowSeconds,
    sent = body
  }: { secret?: string; seconds?: number; sent?: string } = {}
) {
  yield* TestClock.setTime(nowSeconds * 1000)
  const reader = yield* SandboxWebhookReader.makeReader(secrets)
  return yield* reader(bytes(sent), signatureOf(body, Redacted.make(secret), seconds))
}, Effect.provide(layerMac))

const reasonOf = <A, E>(effect: Effect.Effect<A, E>) => Effect.flip(effect)

describe("a webhook of the sandbox", () => {
  const body = JSON.stringify(webhook)

  it.effect("is read when any of the secrets signed it", () =>
    Effect.gen(function* () {
      const expected = { eventId: "evt_1", intentId, status: "authorised" } as const
      assert.deepStrictEqual(yield* read(body), expected)
      assert.deepStrictEqual(yield* read(body, { secret: "the old secret" }), expected)
    })
  )

  it.effect("is refused when another secret signed it, or another body was signed", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* reasonOf(read(body, { secret: "a third secret" })), {
        reason: "signature_invalid"
      })
      const changed = body.replace("authorised", "captured")
      assert.deepInclude(yield* reasonOf(read(body, { sent: changed })), { reason: "signature_invalid" })
      // The same JSON in other bytes is not what was signed.
      assert.deepInclude(yield* reasonOf(read(body, { sent: `${body} ` })), { reason: "signature_invalid" })
    })
  )

  it.effect("is refused when its signature is older or newer than five minutes", () =>
    Effect.gen(function* () {
      for (const off of [-301, 301]) {
        const error = yield* reasonOf(read(body, { seconds: nowSeconds + off }))
        assert.deepInclude(error, { reason: "signature_expired" })
      }
      assert.strictEqual((yield* read(body, { seconds: nowSeconds - 299 })).eventId, "evt_1")
    })
  )

  it.effect("is refused without a signature, and with one that is none", () =>
    Effect.gen(function* () {
      const reader = yield* SandboxWebhookReader.makeReader(secrets)
      const tries = [
        "",
        "t=1",
        "v1=00",
        `t=x,v1=${"0".repeat(64)}`,
        `t=1,v1=${"g".repeat(64)}`,
        "t=1,v1=".padEnd(9_999, "0")
      ]
      for (const header of tries) {
        const error = yield* reasonOf(reader(bytes(body), { "sandbox-signature": header }))
        assert.deepInclude(error, { reason: "signature_invalid" })
      }
      assert.deepInclude(yield* reasonOf(reader(bytes(body), {})), { reason: "signature_missing" })
    }).pipe(Effect.provide(layerMac))
  )

  it.effect("is refused when no secret is configured", () =>
    Effect.gen(function* () {
      const reader = yield* SandboxWebhookReader.makeReader([])
      const header = { "sandbox-signature": `t=${nowSeconds},v1=${"0".repeat(64)}` }
      assert.deepInclude(yield* reasonOf(reader(bytes(body), header)), { reason: "signature_invalid" })
    }).pipe(Effect.provide(layerMac))
  )

  it.effect("that is signed and yet unreadable is refused", () =>
    Effect.gen(function* () {
      for (const text of [
        "",
        "{",
        JSON.stringify({ ...webhook, id: "" }),
        JSON.stringify({ ...webhook, id: "evt_\0" }),
        JSON.stringify({ ...webhook, id: "x".repeat(256) }),
        JSON.stringify({ ...webhook, data: {} })
      ]) {
        assert.deepInclude(yield* reasonOf(read(text)), { reason: "body_invalid" })
      }
    })
  )

  it.effect("of a payment that is none of ours names no intent", () =>
    Effect.gen(function* () {
      const other = { ...webhook, data: { ...webhook.data, reference: "somebody else's" } }
      assert.strictEqual((yield* read(JSON.stringify(other))).intentId, null)
    })
  )
})
