import { assert, describe, layer } from "@effect/vitest"
import { makeUuidV7 } from "@onsale/contracts/Ids"
import type { SandboxPaymentStatus, SandboxWebhook } from "@onsale/contracts/payments/Sandbox"
import * as Tracing from "@onsale/platform/Tracing"
import { pollUntil } from "@onsale/testing/Poll"
import * as SpanRecorder from "@onsale/testing/SpanRecorder"
import { Clock, Effect, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { IntentTable } from "../src/IntentTable.ts"
import { Webhooks } from "../src/Webhooks.ts"
import {
  dispute,
  Interception,
  intentRow,
  journalOf,
  layerPayments,
  ledgerOf,
  newPayment,
  oldWebhookSecret,
  webhookSecret
} from "./PaymentsFixture.ts"
import { signed } from "./SandboxProcess.ts"

const webhookOf = (reference: string, status: SandboxPaymentStatus, id: string): SandboxWebhook => ({
  id,
  type:
    status === "captured"
      ? "payment.captured"
      : status === "voided"
        ? "payment.voided"
        : "payment.authorised",
  createdAt: "2026-11-21T10:00:00.000Z",
  data: {
    id: "pay_1",
    status,
    amount: 4_200,
    currency: "EUR",
    captured: status === "captured" ? 4_200 : 0,
    refunded: 0,
    reference,
    createdAt: "2026-11-21T10:00:00.000Z"
  }
})

/** Delivers a webhook as the provider would. */
const deliver = Effect.fnUntraced(function* (
  webhook: SandboxWebhook,
  secret = webhookSecret,
  provider = "sandbox"
) {
  const webhooks = yield* Webhooks
  const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const { body, headers } = signed(webhook, secret, seconds)
  return yield* webhooks.receive(provider, body, headers)
})

const seenOf = Effect.fnUntraced(function* (eventId: string) {
  const sql = yield* SqlClient.SqlClient
  return (yield* sql`SELECT 1 FROM payments.webhook_events WHERE event_id = ${eventId}::text`).length
})

const newEventId = Effect.map(Clock.currentTimeMillis, (nowMs) => `evt_${makeUuidV7(nowMs)}`)

layer(layerPayments, { excludeTestServices: true, timeout: "60 seconds" })("webhooks", (it) => {
  describe("a webhook", () => {
    it.effect("that is not signed by the provider changes nothing", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_3ds")
        yield* client.Authorise({ payment })
        const before = yield* intentRow(intentId)
        const webhook = webhookOf(intentId, "authorised", yield* newEventId)
        const error = yield* Effect.flip(deliver(webhook, Redacted.make("a guess")))
        assert.deepInclude(error, { _tag: "WebhookRejected", reason: "signature_invalid" })
        assert.strictEqual(yield* seenOf(webhook.id), 0)
        assert.deepStrictEqual(yield* intentRow(intentId), before)
      })
    )

    it.effect("of a provider that is not connected is refused, and so is a body without an end", () =>
      Effect.gen(function* () {
        const webhooks = yield* Webhooks
        const webhook = webhookOf("x", "authorised", yield* newEventId)
        const unknown = yield* Effect.flip(deliver(webhook, webhookSecret, "nobody"))
        assert.strictEqual(unknown._tag, "WebhookProviderUnknown")
        const large = yield* Effect.flip(webhooks.receive("sandbox", new Uint8Array(1_000_000), {}))
        assert.deepInclude(large, { _tag: "WebhookRejected", reason: "too_large" })
      })
    )

    it.effect("is believed in nothing: the provider is asked", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_3ds")
        yield* client.Authorise({ payment })
        // Signed and yet not true: nobody has paid.
        assert.strictEqual(yield* deliver(webhookOf(intentId, "captured", yield* newEventId)), "noted")
        yield* client.Refresh()
        assert.deepInclude(yield* client.GetPayment(), { status: "requires_action", captured: 0 })
      })
    )

    it.effect("that is traced has a link to the trace of its payment", () => {
      const recorder = SpanRecorder.make()
      return Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_3ds")
        const correlation = Tracing.carriedOf({ correlation: "buyer", span: SpanRecorder.clientSpan(1) })
        yield* client.Authorise({ payment: { ...payment, correlation } })
        const delivered = deliver(webhookOf(intentId, "authorised", yield* newEventId))
        yield* Tracing.continued(SpanRecorder.clientSpan(2), "delivered")(delivered)
        const [received, ...more] = recorder.named("Webhooks.receive")
        assert.lengthOf(more, 0)
        assert.strictEqual(received?.traceId, SpanRecorder.traceOf(2))
        assert.deepStrictEqual(SpanRecorder.linkedTo(received!), [SpanRecorder.traceOf(1)])
      }).pipe(recorder.recorded)
    })

    it.effect("that comes twice is noted once", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_3ds")
        yield* client.Authorise({ payment })
        const webhook = webhookOf(intentId, "authorised", yield* newEventId)
        assert.strictEqual(yield* deliver(webhook), "noted")
        assert.strictEqual(yield* deliver(webhook), "known")
        assert.strictEqual(yield* deliver(webhook, oldWebhookSecret), "known")
        assert.strictEqual(yield* seenOf(webhook.id), 1)
      })
    )

    it.effect("that comes before the answer of the call that caused it does no harm", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok")
        const interception = yield* Interception
        const context = yield* Effect.context<Webhooks | SqlClient.SqlClient>()
        const eventId = yield* newEventId
        interception.after = (call, key) =>
          Effect.suspend(() => {
            if (call !== "authorise" || !key.startsWith(intentId)) return Effect.void
            interception.after = null
            return deliver(webhookOf(intentId, "authorised", eventId)).pipe(
              // The supervisor comes while the entity is still at it.
              Effect.andThen(pollUntil(intentRow(intentId), (row) => row?.checks === 1)),
              Effect.provide(context),
              Effect.orDie
            )
          })
        assert.strictEqual((yield* client.Authorise({ payment })).status, "authorised")
        assert.strictEqual(yield* seenOf(eventId), 1)
        assert.strictEqual((yield* client.Capture()).status, "captured")
        assert.deepStrictEqual(yield* journalOf(intentId), [["Created"], ["Authorised"], ["Captured"]])
        assert.strictEqual((yield* ledgerOf(intentId)).length, 1)
      })
    )

    it.effect("that comes late and out of order says nothing new", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok")
        yield* client.Authorise({ payment })
        yield* client.Capture()
        assert.strictEqual(yield* deliver(webhookOf(intentId, "captured", yield* newEventId)), "known")
        assert.strictEqual(yield* deliver(webhookOf(intentId, "authorised", yield* newEventId)), "known")
        // A contradiction is looked into, and then left alone again.
        assert.strictEqual(yield* deliver(webhookOf(intentId, "voided", yield* newEventId)), "noted")
        yield* pollUntil(intentRow(intentId), (row) => row?.nextCheckAt === null)
        assert.deepStrictEqual(yield* journalOf(intentId), [["Created"], ["Authorised", "Captured"]])
      })
    )

    it.effect("of a payment that we do not have is answered and forgotten", () =>
      Effect.gen(function* () {
        const eventId = yield* newEventId
        assert.strictEqual(yield* deliver(webhookOf("somebody else's", "authorised", eventId)), "foreign")
        const nobody = makeUuidV7(yield* Clock.currentTimeMillis)
        assert.strictEqual(yield* deliver(webhookOf(nobody, "authorised", eventId)), "known")
        assert.strictEqual(yield* seenOf(eventId), 0)
      })
    )

    it.effect("is forgotten after a week", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_3ds")
        yield* client.Authorise({ payment })
        const eventId = yield* newEventId
        yield* deliver(webhookOf(intentId, "authorised", eventId))
        const table = yield* IntentTable
        const nowMs = yield* Clock.currentTimeMillis
        assert.strictEqual(yield* table.pruneWebhooks(nowMs + 6 * 24 * 3_600_000), 0)
        assert.strictEqual(yield* seenOf(eventId), 1)
        // More than are deleted at a time: a table that is never emptied grows for ever.
        const sql = yield* SqlClient.SqlClient
        yield* sql`INSERT INTO payments.webhook_events (provider, event_id, received_at)
          SELECT 'sandbox', 'evt_crowd_' || n, to_timestamp(${nowMs}::float8 / 1000) FROM generate_series(1, 11000) AS n`
        assert.isAtLeast(yield* table.pruneWebhooks(nowMs + 8 * 24 * 3_600_000), 11_001)
        assert.strictEqual(yield* seenOf(eventId), 0)
        assert.strictEqual((yield* sql`SELECT 1 FROM payments.webhook_events`).length, 0)
      }).pipe(Effect.provide(IntentTable.layer))
    )
  })

  describe("a dispute", () => {
    it.effect("is recorded beside the payment, at once or by webhook, until it is decided", () =>
      Effect.gen(function* () {
        for (const method of ["tok_dispute", "tok_ok"]) {
          const { client, intentId, payment } = yield* newPayment(method)
          yield* client.Authorise({ payment })
          const { providerReference } = yield* client.Capture()
          if (method === "tok_ok") yield* dispute(providerReference ?? "", "open")
          const disputed = yield* pollUntil(client.GetPayment(), (view) => view?.status === "disputed")
          assert.deepInclude(disputed, { captured: 4_200, refunded: 0 })
          assert.deepInclude(yield* intentRow(intentId), { status: "disputed", watch: "settled" })
          yield* dispute(providerReference ?? "", "lost")
          const decided = yield* pollUntil(client.GetPayment(), (view) => view?.status === "captured")
          assert.deepInclude(decided, { captured: 4_200, refunded: 0 })
          assert.deepStrictEqual((yield* journalOf(intentId)).flat(), [
            "Created",
            "Authorised",
            "Captured",
            "Disputed",
            "DisputeClosed"
          ])
        }
      })
    )
  })

  describe("the supervisor", () => {
    it.effect("takes an intent once, and looks again later and later", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_3ds")
        yield* client.Authorise({ payment })
        const sql = yield* SqlClient.SqlClient
        const table = yield* IntentTable
        const Check = Schema.Array(Schema.Struct({ afterMs: Schema.Finite }))
        const nowMs = yield* Clock.currentTimeMillis
        // Far ahead, where the running supervisor does not look.
        let atMs = nowMs + 365 * 24 * 3_600_000
        const pauses: Array<number> = []
        for (let i = 0; i < 14; i++) {
          const claims = yield* table.claimDue(atMs, 10_000)
          assert.include(
            claims.map((claim) => claim.intentId),
            intentId
          )
          assert.notInclude(
            (yield* table.claimDue(atMs, 10_000)).map((claim) => claim.intentId),
            intentId
          )
          const rows =
            yield* sql`SELECT (extract(epoch FROM next_check_at) * 1000 - ${atMs}::float8)::float8 AS "afterMs"
            FROM payments.intents WHERE id = ${intentId}::uuid`
          const [row] = yield* Schema.decodeUnknownEffect(Check)(rows)
          pauses.push(Math.round(row?.afterMs ?? 0))
          yield* table.release(claims)
          atMs += 3_600_000
        }
        assert.deepStrictEqual(pauses.slice(0, 4), [2_000, 4_000, 8_000, 16_000])
        assert.strictEqual(pauses.at(-1), 3_600_000)
      }).pipe(Effect.provide(IntentTable.layer))
    )
  })
})
