import { assert, describe, layer } from "@effect/vitest"
import { makeUuidV7, PaymentIntentId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Clock, Effect, Layer, References } from "effect"
import { SqlClient } from "effect/sql"
import {
  type ListRequest,
  type PaymentProvider,
  PaymentProviders,
  ProviderFailure
} from "../src/PaymentProvider.ts"
import { Reconciler } from "../src/Reconciler.ts"
import { ReconciliationTable } from "../src/ReconciliationTable.ts"
import {
  intentRow,
  layerPayments,
  ledgerOf,
  newPayment,
  newRefundId,
  sandboxKeyCall
} from "./PaymentsFixture.ts"

/** Looks at what was made this moment, too. */
const now = { marginMs: -1_000 }

const reconcilerOver = (change: (provider: PaymentProvider) => PaymentProvider) =>
  Effect.gen(function* () {
    const { byName } = yield* PaymentProviders
    const provider = byName.get("sandbox")
    assert.isDefined(provider)
    const providers = PaymentProviders.layerOf(change(provider))
    return yield* Effect.provide(Reconciler, Layer.fresh(Reconciler.layer.pipe(Layer.provide(providers))))
  })

const look = Effect.gen(function* () {
  const reconciler = yield* reconcilerOver((provider) => provider)
  // What it tells is what these tests provoke.
  const [look] = yield* Effect.provideService(reconciler.run(now), References.MinimumLogLevel, "Fatal")
  assert.isDefined(look)
  assert.strictEqual(look.outcome, "done")
  return look
})

const table = Effect.provide(ReconciliationTable, ReconciliationTable.layer)

const differencesOf = (intentId: PaymentIntentId) =>
  Effect.flatMap(table, (table) => table.ofIntent(intentId)).pipe(
    Effect.map((all) => all.map(({ kind, resolution }) => [kind, resolution]))
  )

const captured = Effect.gen(function* () {
  const made = yield* newPayment("tok_ok")
  yield* made.client.Authorise({ payment: made.payment })
  const { providerReference } = yield* made.client.Capture()
  assert.isNotNull(providerReference)
  return { ...made, reference: providerReference }
})

/** At the sandbox, behind our back. */
const byHand = {
  authorise: (intentId: string) =>
    sandboxKeyCall("/v1/payments", `${intentId}:authorise`, {
      amount: 4_200,
      currency: "EUR",
      method: "tok_ok",
      reference: intentId,
      capture: "manual"
    }),
  refund: (reference: string, amount: number) =>
    sandboxKeyCall(`/v1/payments/${reference}/refunds`, `hand:${reference}:${amount}`, { amount }),
  capture: (reference: string) =>
    sandboxKeyCall(`/v1/payments/${reference}/capture`, `hand:${reference}`, {}),
  void: (reference: string) => sandboxKeyCall(`/v1/payments/${reference}/void`, `hand:${reference}`, {})
}

const newIntentId = Effect.map(Clock.currentTimeMillis, (nowMs) => PaymentIntentId.make(makeUuidV7(nowMs)))

layer(layerPayments, { excludeTestServices: true, timeout: "60 seconds" })("reconciliation", (it) => {
  it.effect("finds nothing among payments that were captured, voided and refunded", () =>
    Effect.gen(function* () {
      yield* captured
      const voided = yield* newPayment("tok_ok")
      yield* voided.client.Authorise({ payment: voided.payment })
      yield* voided.client.Void()
      const refunded = yield* captured
      yield* refunded.client.Refund({ refundId: yield* newRefundId, amount: 1_000 })
      const declined = yield* newPayment("tok_declined")
      yield* declined.client.Authorise({ payment: declined.payment })
      assert.deepInclude(yield* look, { listed: 4, foreign: 0, found: 0, closed: 0 })
    })
  )

  it.effect("counts what others made at the same account, and leaves it", () =>
    Effect.gen(function* () {
      const before = yield* look
      yield* byHand.authorise(`somebody-${yield* newIntentId}`)
      const after = yield* look
      assert.deepStrictEqual([after.foreign - before.foreign, after.found], [1, 0])
    })
  )

  it.effect("tells once of a refund by hand, which is nobody's to mend", () =>
    Effect.gen(function* () {
      const { intentId, reference } = yield* captured
      yield* byHand.refund(reference, 700)
      assert.strictEqual((yield* look).found, 1)
      assert.strictEqual((yield* look).found, 0)
      assert.deepStrictEqual(yield* differencesOf(intentId), [["refund_sum", null]])
      // Until the same is refunded here: the provider has given it back already.
      const sql = yield* SqlClient.SqlClient
      yield* sql`UPDATE payments.intents SET refunded = 700 WHERE id = ${intentId}::uuid`
      yield* look
      assert.deepStrictEqual(yield* differencesOf(intentId), [["refund_sum", "agrees now"]])
    })
  )

  it.effect("has a payment asked for that was voided there behind our back", () =>
    Effect.gen(function* () {
      const { client, intentId, payment } = yield* newPayment("tok_ok")
      yield* client.Authorise({ payment })
      const [there] = yield* ledgerOf(intentId)
      yield* byHand.void(there?.id ?? "")
      assert.strictEqual((yield* look).found, 1)
      yield* pollUntil(intentRow(intentId), (row) => row?.status === "voided")
      yield* look
      assert.deepStrictEqual(yield* differencesOf(intentId), [["status", "agrees now"]])
    })
  )

  for (const holds of ["authorised", "captured"] as const) {
    it.effect(`gives back what a provider has ${holds} of a payment that is another's, once`, () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok", { provider: "refusing" })
        yield* Effect.flip(client.Authorise({ payment }))
        yield* byHand.authorise(intentId)
        const [stray] = yield* ledgerOf(intentId)
        if (holds === "captured") yield* byHand.capture(stray?.id ?? "")
        assert.deepInclude(yield* look, { found: 1, closed: 1 })
        const outcome = holds === "captured" ? "refunded" : "voided"
        const [after] = yield* ledgerOf(intentId)
        assert.deepInclude(after, { status: outcome, refunded: holds === "captured" ? 4_200 : 0 })
        assert.deepInclude(yield* look, { found: 0, closed: 0 })
        assert.deepStrictEqual(yield* differencesOf(intentId), [
          ["other_provider", `given back there (${outcome})`]
        ])
        assert.strictEqual((yield* ledgerOf(intentId))[0]?.refunds.length, holds === "captured" ? 1 : 0)
      })
    )
  }

  it.effect("tells of a payment in our name that we do not know, and does not touch it", () =>
    Effect.gen(function* () {
      const intentId = yield* newIntentId
      yield* byHand.authorise(intentId)
      yield* look
      assert.strictEqual((yield* look).found, 0)
      assert.deepStrictEqual(yield* differencesOf(intentId), [["unknown_here", null]])
      assert.strictEqual((yield* ledgerOf(intentId))[0]?.status, "authorised")
    })
  )

  it.effect("tells of sums and currencies that differ, until they do not", () =>
    Effect.gen(function* () {
      const { intentId } = yield* captured
      const sql = yield* SqlClient.SqlClient
      yield* sql`UPDATE payments.intents SET amount = 5000, currency = 'USD' WHERE id = ${intentId}::uuid`
      assert.strictEqual((yield* look).found, 2)
      assert.strictEqual((yield* look).found, 0)
      yield* sql`UPDATE payments.intents SET amount = 4200, currency = 'EUR' WHERE id = ${intentId}::uuid`
      assert.strictEqual((yield* look).closed, 2)
      assert.sameDeepMembers(yield* differencesOf(intentId), [
        ["amount", "agrees now"],
        ["currency", "agrees now"]
      ])
    })
  )

  it.effect("tells of a captured payment that the provider knows nothing of", () =>
    Effect.gen(function* () {
      const intentId = yield* newIntentId
      const sql = yield* SqlClient.SqlClient
      yield* sql`INSERT INTO payments.intents SELECT (jsonb_populate_record(i, jsonb_build_object(
          'id', ${intentId}::text, 'order_id', ${intentId}::text, 'provider_reference', 'pay_none'))).*
        FROM payments.intents i WHERE status = 'captured' LIMIT 1`
      assert.strictEqual((yield* look).found, 1)
      assert.strictEqual((yield* look).found, 0)
      assert.deepStrictEqual(yield* differencesOf(intentId), [["missing_there", null]])
      yield* sql`DELETE FROM payments.intents WHERE id = ${intentId}::uuid`
      yield* look
      assert.deepStrictEqual(yield* differencesOf(intentId), [["missing_there", "agrees now"]])
    })
  )

  describe("a look", () => {
    it.effect("that the provider does not answer to the end is made again from the same time", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const doneTo = sql`SELECT done_to::text, last_completed_at::text FROM payments.reconciliations`
        const asked: Array<ListRequest> = []
        const failing = yield* reconcilerOver((provider) => ({
          ...provider,
          list: (request) => {
            asked.push(request)
            return Effect.fail(new ProviderFailure({ kind: "declined", code: "down", message: "on command" }))
          }
        }))
        const before = yield* doneTo
        assert.strictEqual((yield* failing.run(now))[0]?.outcome, "incomplete")
        assert.deepStrictEqual(yield* doneTo, before)
        yield* look
        assert.notDeepEqual(yield* doneTo, before)
        assert.strictEqual(asked.length, 1)
      })
    )

    it.effect("is one runner's at a time, and not made again when it has just been", () =>
      Effect.gen(function* () {
        const reconciler = yield* reconcilerOver((provider) => provider)
        const looks = yield* Effect.all([reconciler.run(now), reconciler.run(now)], { concurrency: 2 })
        assert.sameMembers(
          looks.flat().map(({ outcome }) => outcome),
          ["done", "busy"]
        )
        const again = yield* reconciler.run({ ...now, unlessDoneWithinMs: 60_000 })
        assert.strictEqual(again[0]?.outcome, "busy")
      })
    )
  })
})
