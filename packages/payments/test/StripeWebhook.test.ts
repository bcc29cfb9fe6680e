import { assert, describe, it } from "@effect/vitest"
import { PaymentIntentId } from "@onsale/contracts/Ids"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { Stripe } from "stripe"
import type { WebhookNotice, WebhookRejected } from "../src/PaymentProvider.ts"
import { failure } from "../src/ProviderHttp.ts"
import * as StripeWebhook from "../src/StripeWebhook.ts"
import type { StripePayment } from "../src/StripeWire.ts"
import { layerMac, stripeSecrets, stripeSignature } from "./StripeServer.ts"

const nowSeconds = 1_795_000_000
const intentId = PaymentIntentId.make("019a0000-0000-7000-8000-000000000001")
const secrets = [Redacted.make(stripeSecrets.current), Redacted.make(stripeSecrets.old)]
const stripe = new Stripe("sk_test_unused")

const payment: StripePayment = {
  id: "pi_1",
  status: "succeeded",
  amount: 100,
  amount_received: 100,
  currency: "eur",
  created: nowSeconds,
  metadata: { onsale_intent_id: intentId },
  latest_charge: null
}

const event = (type: string, object: object, id = "evt_1") =>
  JSON.stringify({ id, object: "event", type, created: nowSeconds, data: { object } })

const intent = { id: "pi_1", object: "payment_intent", metadata: { onsale_intent_id: intentId } }
const body = event("payment_intent.succeeded", intent)

const read = Effect.fnUntraced(function* (
  text: string,
  header: string | undefined,
  retrieve: (id: string) => ReturnType<StripeClientRetrieve> = () => Effect.succeed(payment)
) {
  yield* TestClock.setTime(nowSeconds * 1000)
  const reader = yield* StripeWebhook.makeReader(secrets, { retrieve })
  return yield* reader(new TextEncoder().encode(text), { "stripe-signature": header })
}, Effect.provide(layerMac))

type StripeClientRetrieve = Parameters<typeof StripeWebhook.makeReader>[1]["retrieve"]

const header = (text: string, secret: string = stripeSecrets.current, seconds = nowSeconds) =>
  `t=${seconds},v1=${stripeSignature(text, secret, seconds)}`

describe("a webhook of Stripe", () => {
  it.effect("is verified as the SDK would sign it, and the SDK accepts what we do", () =>
    Effect.gen(function* () {
      const made = stripe.webhooks.generateTestHeaderString({
        payload: body,
        secret: stripeSecrets.current,
        timestamp: nowSeconds
      })
      assert.deepStrictEqual(yield* read(body, made), { eventId: "evt_1", intentId, status: "captured" })
      const ours = header(body)
      const opened = stripe.webhooks.constructEvent(
        body,
        ours,
        stripeSecrets.current,
        300,
        undefined,
        nowSeconds * 1000
      )
      assert.strictEqual(opened.id, "evt_1")
    })
  )

  it.effect("is read with any of the secrets, among tags of others and of other schemes", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* read(body, header(body, stripeSecrets.old))).eventId, "evt_1")
      const old = stripeSignature(body, stripeSecrets.old, nowSeconds)
      const both = `t=${nowSeconds},v1=${"0".repeat(64)},v1=${old},v0=${"f".repeat(64)}`
      assert.strictEqual((yield* read(body, both)).eventId, "evt_1")
    })
  )

  it.effect("is refused where its signature is missing, wrong, of another body, or none", () =>
    Effect.gen(function* () {
      const tries: ReadonlyArray<readonly [string | undefined, WebhookRejected["reason"]]> = [
        [undefined, "signature_missing"],
        [header(body, "whsec_guess"), "signature_invalid"],
        [header(`${body} `), "signature_invalid"],
        // What v0 says is for tests, and counts for nothing.
        [
          `t=${nowSeconds},v0=${stripeSignature(body, stripeSecrets.current, nowSeconds)}`,
          "signature_invalid"
        ],
        [`v1=${stripeSignature(body, stripeSecrets.current, nowSeconds)}`, "signature_invalid"],
        [`t=${nowSeconds},${header(body)}`, "signature_invalid"],
        ["", "signature_invalid"],
        [
          `t=${nowSeconds},${Array.from({ length: 9 }, () => `v1=${"0".repeat(64)}`).join(",")}`,
          "signature_invalid"
        ],
        ["t=1,v1=".padEnd(9_999, "0"), "signature_invalid"]
      ]
      for (const [signature, reason] of tries) {
        assert.deepInclude(yield* Effect.flip(read(body, signature)), { reason })
      }
    })
  )

  it.effect("is refused when its signature is older or newer than five minutes", () =>
    Effect.gen(function* () {
      for (const off of [-301, 301]) {
        const late = header(body, stripeSecrets.current, nowSeconds + off)
        assert.deepInclude(yield* Effect.flip(read(body, late)), { reason: "signature_expired" })
      }
      const inTime = header(body, stripeSecrets.current, nowSeconds - 300)
      assert.strictEqual((yield* read(body, inTime)).eventId, "evt_1")
    })
  )

  it.effect("of bytes that are no text is verified over the bytes", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(nowSeconds * 1000)
      const reader = yield* StripeWebhook.makeReader(secrets, { retrieve: () => Effect.succeed(payment) })
      // Decoded, the byte would be the same replacement character that was signed.
      const bytes = new TextEncoder().encode(body.replace("evt_1", "evt_\ufffd"))
      const signature = header(body.replace("evt_1", "evt_\ufffd"))
      const at = bytes.indexOf(0xef)
      const forged = new Uint8Array([...bytes.slice(0, at), 0xff, ...bytes.slice(at + 3)])
      assert.deepInclude(yield* Effect.flip(reader(forged, { "stripe-signature": signature })), {
        reason: "signature_invalid"
      })
    }).pipe(Effect.provide(layerMac))
  )

  const types: ReadonlyArray<readonly [string, WebhookNotice["status"]]> = [
    ["payment_intent.amount_capturable_updated", "authorised"],
    ["payment_intent.requires_action", "requires_action"],
    ["payment_intent.processing", "processing"],
    ["payment_intent.payment_failed", "failed"],
    ["payment_intent.canceled", "voided"],
    ["payment_intent.succeeded", "captured"],
    ["charge.refunded", "refunded"]
  ]
  for (const [type, status] of types) {
    it.effect(`of the type ${type} says ${status}`, () =>
      Effect.gen(function* () {
        const text = event(type, intent)
        assert.deepInclude(yield* read(text, header(text)), { intentId, status })
      })
    )
  }

  const dispute = { id: "dp_1", object: "dispute", metadata: {}, payment_intent: "pi_1" }

  it.effect("of a dispute or of a refund by hand is asked for whose it is", () =>
    Effect.gen(function* () {
      for (const [type, status] of [
        ["charge.dispute.created", "disputed"],
        ["charge.dispute.closed", "disputed"],
        ["refund.created", "refunded"]
      ] as const) {
        const text = event(type, dispute)
        assert.deepStrictEqual(yield* read(text, header(text)), { eventId: "evt_1", intentId, status })
      }
    })
  )

  it.effect(
    "whose payment Stripe cannot tell has to come again, and one that it does not know is none of ours",
    () =>
      Effect.gen(function* () {
        const text = event("charge.dispute.created", dispute)
        const away = yield* Effect.flip(
          read(text, header(text), () => Effect.fail(failure("unknown", "timeout", "no answer")))
        )
        assert.strictEqual(away.reason, "provider_unavailable")
        const gone = yield* read(text, header(text), () =>
          Effect.fail(failure("declined", "resource_missing", "404"))
        )
        assert.isNull(gone.intentId)
        const foreign = yield* read(text, header(text), () => Effect.succeed({ ...payment, metadata: {} }))
        assert.isNull(foreign.intentId)
      })
  )

  it.effect("of a type that we do not know names no payment, and asks nothing", () =>
    Effect.gen(function* () {
      const text = event("customer.created", { id: "cus_1", object: "customer", payment_intent: "pi_1" })
      const notice = yield* read(text, header(text), () => Effect.die("nobody is to be asked"))
      assert.isNull(notice.intentId)
    })
  )

  it.effect("that is signed and yet unreadable is refused", () =>
    Effect.gen(function* () {
      for (const text of ["", "{", "[]", JSON.stringify({ id: "evt_1", type: "x" })]) {
        assert.deepInclude(yield* Effect.flip(read(text, header(text))), { reason: "body_invalid" })
      }
    })
  )
})
