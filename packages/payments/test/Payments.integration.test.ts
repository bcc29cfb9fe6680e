import { assert, describe, layer } from "@effect/vitest"
import type { PaymentIntentId } from "@onsale/contracts/Ids"
import { PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import * as Journal from "@onsale/platform/Journal"
import { pollUntil } from "@onsale/testing/Poll"
import { Clock, Effect, Stream } from "effect"
import { PaymentAudit } from "../src/PaymentAudit.ts"
import { keys, PaymentProviders } from "../src/PaymentProvider.ts"
import { Payments } from "../src/Payments.ts"
import {
  approve,
  Interception,
  intentRow,
  journalOf,
  layerPayments,
  ledgerOf,
  makeDue,
  newPayment,
  newRefundId,
  strike
} from "./PaymentsFixture.ts"

/** Strikes once, after that call for that intent. */
const interceptOnce = (intentId: PaymentIntentId, call: string, effect: Effect.Effect<void>) =>
  Effect.map(Interception, (interception) => {
    interception.after = (made, key) =>
      Effect.suspend(() => {
        if (made !== call || !key.startsWith(intentId)) return Effect.void
        interception.after = null
        return effect
      })
  })

layer(layerPayments, { excludeTestServices: true, timeout: "60 seconds" })("payments", (it) => {
  describe("the happy path", () => {
    it.effect("authorises and captures with two rows of the journal, and money moves once", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok")
        assert.strictEqual((yield* client.Authorise({ payment })).status, "authorised")
        const view = yield* client.Capture()
        assert.deepInclude(view, {
          status: "captured",
          captured: 4_200,
          refunded: 0,
          orderId: payment.orderId
        })
        assert.deepStrictEqual(yield* journalOf(intentId), [["Created"], ["Authorised", "Captured"]])
        assert.deepInclude(yield* intentRow(intentId), {
          status: "captured",
          watch: "settled",
          nextCheckAt: null
        })
      })
    )

    it.effect("answers repeated steps with what is recorded, without another call", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok")
        yield* client.Authorise({ payment })
        const again = yield* client.Authorise({ payment })
        assert.strictEqual(again.status, "authorised")
        const views = yield* Effect.all([client.Capture(), client.Capture(), client.Capture()], {
          concurrency: 3
        })
        for (const view of views) assert.strictEqual(view.status, "captured")
        assert.deepStrictEqual(yield* client.GetPayment(), views[0])
        const ledger = yield* ledgerOf(intentId)
        assert.strictEqual(ledger.length, 1)
        assert.strictEqual(ledger[0]?.captured, 4_200)
      })
    )

    it.effect("takes a payment of nothing without a provider", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok", { amount: 0 })
        yield* client.Authorise({ payment })
        const view = yield* client.Capture()
        assert.deepInclude(view, { status: "captured", captured: 0, provider: "free" })
        assert.deepStrictEqual(yield* ledgerOf(intentId), [])
      })
    )

    it.effect("knows nothing of a payment that was never made", () =>
      Effect.gen(function* () {
        const { client } = yield* newPayment("tok_ok")
        assert.isNull(yield* client.GetPayment())
        for (const step of [client.Capture(), client.Void(), client.Refresh()]) {
          const error = yield* Effect.flip(step)
          assert.deepInclude(error, { _tag: "PaymentStepRefused", payment: null })
        }
      })
    )

    it.effect("refuses a second intent for an order (INV-04)", () =>
      Effect.gen(function* () {
        const first = yield* newPayment("tok_ok")
        yield* first.client.Authorise({ payment: first.payment })
        const second = yield* newPayment("tok_ok")
        const error = yield* Effect.flip(second.client.Authorise({ payment: first.payment }))
        assert.strictEqual(error._tag, "PaymentStepRefused")
        assert.deepStrictEqual(yield* ledgerOf(second.intentId), [])
        assert.deepStrictEqual(yield* journalOf(second.intentId), [])
      })
    )

    it.effect("declines a provider that is not connected, even one named free", () =>
      Effect.gen(function* () {
        for (const provider of ["nobody", "free"]) {
          const { client, payment } = yield* newPayment("tok_ok", { provider })
          assert.deepInclude(yield* client.Authorise({ payment }), {
            status: "failed",
            failureCode: "provider_unknown"
          })
        }
      })
    )
  })

  describe("a method token of the sandbox", () => {
    it.effect("tok_declined fails, and cannot be captured", () =>
      Effect.gen(function* () {
        const { client, payment } = yield* newPayment("tok_declined")
        const view = yield* client.Authorise({ payment })
        assert.deepInclude(view, { status: "failed", failureCode: "card_declined" })
        assert.strictEqual((yield* Effect.flip(client.Capture()))._tag, "PaymentStepRefused")
        assert.strictEqual((yield* client.Void()).status, "failed")
      })
    )

    it.effect("a token that nobody knows fails", () =>
      Effect.gen(function* () {
        const { client, payment } = yield* newPayment("tok_nonsense")
        assert.deepInclude(yield* client.Authorise({ payment }), {
          status: "failed",
          failureCode: "method_unknown"
        })
      })
    )

    for (const method of ["tok_timeout", "tok_error_charged"]) {
      it.effect(`${method} is found by our key and charged once`, () =>
        Effect.gen(function* () {
          const { client, intentId, payment } = yield* newPayment(method)
          assert.strictEqual((yield* client.Authorise({ payment })).status, "authorised")
          assert.strictEqual((yield* client.Capture()).captured, 4_200)
          assert.strictEqual((yield* ledgerOf(intentId)).length, 1)
          assert.deepStrictEqual(yield* journalOf(intentId), [["Created"], ["Authorised"], ["Captured"]])
        })
      )
    }

    it.effect("tok_error is tried again under the same key, then unavailable; a void ends it", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_error")
        assert.strictEqual((yield* Effect.flip(client.Authorise({ payment })))._tag, "PaymentUnavailable")
        assert.deepStrictEqual(yield* ledgerOf(intentId), [])
        assert.deepStrictEqual(yield* journalOf(intentId), [["Created"]])
        assert.strictEqual((yield* client.Void()).status, "voided")
        assert.strictEqual((yield* Effect.flip(client.Capture()))._tag, "PaymentStepRefused")
        assert.strictEqual((yield* intentRow(intentId))?.watch, "late")
      })
    )

    it.effect("tok_3ds waits for the buyer, and the webhook tells us", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_3ds")
        const view = yield* client.Authorise({ payment })
        assert.strictEqual(view.status, "requires_action")
        assert.strictEqual((yield* Effect.flip(client.Capture()))._tag, "PaymentStepRefused")
        yield* approve(view.nextAction?.url ?? "", true)
        yield* pollUntil(journalOf(intentId), (rows) => rows.flat().includes("Authorised"))
        assert.strictEqual((yield* client.Capture()).status, "captured")
      })
    )

    it.effect("tok_3ds that the buyer does not pass fails", () =>
      Effect.gen(function* () {
        const { client, payment } = yield* newPayment("tok_3ds")
        const view = yield* client.Authorise({ payment })
        yield* approve(view.nextAction?.url ?? "", false)
        const end = yield* pollUntil(client.GetPayment(), (payment) => payment?.status === "failed")
        assert.deepInclude(end, { failureCode: "authentication_failed", nextAction: null })
      })
    )

    it.effect("tok_3ds is voided while the buyer thinks", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_3ds")
        yield* client.Authorise({ payment })
        assert.strictEqual((yield* client.Void()).status, "voided")
        assert.strictEqual((yield* ledgerOf(intentId))[0]?.status, "voided")
      })
    )

    it.effect("tok_late is processing until the provider says otherwise", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_late_1")
        assert.strictEqual((yield* client.Authorise({ payment })).status, "processing")
        yield* pollUntil(journalOf(intentId), (rows) => rows.flat().includes("Authorised"))
        assert.strictEqual((yield* client.Capture()).status, "captured")
      })
    )

    for (const method of ["tok_capture_error", "tok_capture_timeout"]) {
      it.effect(`${method} is captured once`, () =>
        Effect.gen(function* () {
          const { client, intentId, payment } = yield* newPayment(method)
          yield* client.Authorise({ payment })
          assert.strictEqual((yield* client.Capture()).status, "captured")
          assert.strictEqual((yield* ledgerOf(intentId))[0]?.captured, 4_200)
          assert.deepStrictEqual(yield* journalOf(intentId), [["Created"], ["Authorised", "Captured"]])
        })
      )
    }
  })

  describe("refunds", () => {
    it.effect("go back in parts, each once, and no more than was captured", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_refund_error")
        yield* client.Authorise({ payment })
        yield* client.Capture()
        const first = yield* newRefundId
        const second = yield* newRefundId
        const part = yield* client.Refund({ refundId: first, amount: 1_200 })
        assert.deepInclude(part, { status: "partially_refunded", refunded: 1_200 })
        yield* client.Refund({ refundId: first, amount: 1_200 })
        const refused = yield* Effect.flip(client.Refund({ refundId: second, amount: 3_001 }))
        assert.strictEqual(refused._tag, "PaymentStepRefused")
        const all = yield* client.Refund({ refundId: second, amount: 3_000 })
        assert.deepInclude(all, { status: "refunded", refunded: 4_200 })
        const [ledger] = yield* ledgerOf(intentId)
        assert.deepStrictEqual(
          ledger?.refunds.map((refund) => refund.amount),
          [1_200, 3_000]
        )
      })
    )

    it.effect("that were made but not recorded are made once", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok")
        yield* client.Authorise({ payment })
        yield* client.Capture()
        yield* interceptOnce(intentId, "refund", Effect.die("the runner is gone"))
        const refundId = yield* newRefundId
        yield* Effect.exit(client.Refund({ refundId, amount: 4_200 }))
        assert.deepStrictEqual((yield* journalOf(intentId)).at(-1), ["RefundRequested"])
        // Nobody asks again: the supervisor finds it.
        yield* makeDue(intentId)
        yield* pollUntil(journalOf(intentId), (rows) => rows.flat().includes("Refunded"))
        assert.strictEqual((yield* ledgerOf(intentId))[0]?.refunds.length, 1)
      })
    )
  })

  describe("a crash between the provider's answer and our record of it", () => {
    it.effect("of an authorisation is found by our key, and charged once", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok")
        yield* interceptOnce(intentId, "authorise", Effect.die("the runner is gone"))
        yield* Effect.exit(client.Authorise({ payment }))
        assert.deepStrictEqual(yield* journalOf(intentId), [["Created"]])
        assert.strictEqual((yield* client.Authorise({ payment })).status, "authorised")
        assert.strictEqual((yield* ledgerOf(intentId)).length, 1)
      })
    )

    it.effect("of an authorisation that nobody asks for again is found by the supervisor", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok")
        yield* interceptOnce(intentId, "authorise", Effect.die("the runner is gone"))
        yield* Effect.exit(client.Authorise({ payment }))
        yield* makeDue(intentId)
        yield* pollUntil(journalOf(intentId), (rows) => rows.flat().includes("Authorised"))
      })
    )

    it.effect("of a capture is captured once", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok")
        yield* client.Authorise({ payment })
        yield* interceptOnce(intentId, "capture", Effect.die("the runner is gone"))
        yield* Effect.exit(client.Capture())
        assert.strictEqual((yield* client.Capture()).captured, 4_200)
        assert.deepStrictEqual(yield* journalOf(intentId), [["Created"], ["Authorised", "Captured"]])
      })
    )

    it.effect("of a capture that is voided afterwards is paid back", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok")
        yield* client.Authorise({ payment })
        yield* interceptOnce(intentId, "capture", Effect.die("the runner is gone"))
        yield* Effect.exit(client.Capture())
        // It was to be authorised only: what it is now is the order's to decide.
        assert.deepInclude(yield* client.Void(), { status: "captured", late: true })
        assert.deepInclude(yield* client.Void(), { status: "refunded", captured: 4_200, refunded: 4_200 })
        assert.deepInclude((yield* ledgerOf(intentId))[0], { status: "refunded", refunded: 4_200 })
      })
    )

    it.effect("by another owner's record gives way to it", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_ok")
        const journal = yield* Journal.make({ schema: "payments", event: PaymentEvent })
        const atMs = yield* Clock.currentTimeMillis
        const events: ReadonlyArray<PaymentEvent> = [
          { _tag: "Processing", reference: null, reason: "another owner" }
        ]
        yield* interceptOnce(
          intentId,
          "authorise",
          Effect.orDie(journal.append({ stream: intentId, version: 2, atMs, correlation: null, events }))
        )
        assert.strictEqual((yield* client.Authorise({ payment })).status, "authorised")
        assert.strictEqual((yield* client.Capture()).status, "captured")
        assert.deepStrictEqual((yield* journalOf(intentId)).flat(), [
          "Created",
          "Processing",
          "Authorised",
          "Captured"
        ])
        assert.strictEqual((yield* ledgerOf(intentId)).length, 1)
      })
    )
  })

  describe("a late success", () => {
    /** Nothing reaches the provider, until our first request arrives after all, when all is over here. */
    const late = Effect.gen(function* () {
      const made = yield* newPayment("tok_ok")
      const { client, intentId, payment } = made
      yield* Effect.scoped(
        Effect.andThen(
          strike({ rate: 1, kinds: ["error_before"], seed: 1 }),
          Effect.flip(client.Authorise({ payment }))
        )
      )
      assert.strictEqual((yield* client.Void()).status, "voided")
      const { preferred } = yield* PaymentProviders
      yield* preferred.authorise({ ...payment, key: keys.authorise(intentId), intentId })
      yield* makeDue(intentId)
      yield* pollUntil(client.GetPayment(), (view) => view?.late === true)
      return made
    })
    const settled = (intentId: PaymentIntentId) =>
      pollUntil(intentRow(intentId), (row) => row?.watch === "settled" && row.nextCheckAt === null)

    it.effect("after a void waits for the order, which gives it back", () =>
      Effect.gen(function* () {
        const { client, intentId } = yield* late
        assert.strictEqual((yield* ledgerOf(intentId))[0]?.status, "authorised")
        assert.strictEqual((yield* client.Void()).status, "voided")
        assert.strictEqual((yield* ledgerOf(intentId))[0]?.status, "voided")
        yield* makeDue(intentId)
        yield* settled(intentId)
        assert.deepStrictEqual((yield* journalOf(intentId)).slice(-4), [
          ["Voided"],
          ["Authorised"],
          ["LateMoneyRefused"],
          ["Voided"]
        ])
      })
    )

    it.effect("after a void waits for the order, which takes it after all", () =>
      Effect.gen(function* () {
        const { client, intentId } = yield* late
        assert.deepInclude(yield* client.Capture(), { status: "captured", captured: 4_200 })
        assert.deepInclude((yield* ledgerOf(intentId))[0], { status: "captured", captured: 4_200 })
        assert.deepStrictEqual((yield* journalOf(intentId)).slice(-3), [
          ["Authorised"],
          ["Reinstated"],
          ["Captured"]
        ])
      })
    )
  })

  describe("under faults of the provider", () => {
    const seed = 20_261_121
    it.effect(`every payment ends, and each is charged and refunded once (seed ${seed})`, () =>
      Effect.gen(function* () {
        const ids = yield* Effect.scoped(
          Effect.andThen(
            strike({ rate: 0.3, kinds: ["error_before", "error_after", "timeout_after", "reset"], seed }),
            Effect.forEach(
              Array.from({ length: 30 }, (_, index) => index),
              Effect.fnUntraced(function* (index) {
                const { client, intentId, payment } = yield* newPayment("tok_ok")
                const untilDone = <A, E extends { readonly _tag: string }>(step: Effect.Effect<A, E>) =>
                  Effect.retry(step, { times: 20, while: (error) => error._tag === "PaymentUnavailable" })
                yield* untilDone(client.Authorise({ payment }))
                yield* pollUntil(client.GetPayment(), (view) => view?.status === "authorised")
                if (index % 3 === 0) {
                  yield* untilDone(client.Void())
                } else {
                  yield* untilDone(client.Capture())
                  const refundId = yield* newRefundId
                  if (index % 3 === 1) yield* untilDone(client.Refund({ refundId, amount: 4_200 }))
                }
                return intentId
              }),
              { concurrency: 10 }
            )
          )
        )
        for (const [index, intentId] of ids.entries()) {
          const ledger = yield* ledgerOf(intentId)
          assert.strictEqual(ledger.length, 1)
          assert.deepInclude(
            ledger[0],
            index % 3 === 0
              ? { status: "voided", captured: 0, refunded: 0 }
              : index % 3 === 1
                ? { status: "refunded", captured: 4_200, refunded: 4_200 }
                : { status: "captured", captured: 4_200, refunded: 0 }
          )
        }
      })
    )
  })

  describe("what operators see", () => {
    it.effect("the audit's sums are the ledger's, and unfinished payments are listed", () =>
      Effect.gen(function* () {
        const { client, intentId, payment } = yield* newPayment("tok_3ds")
        yield* client.Authorise({ payment })
        const { listUnfinished } = yield* Payments
        assert.include(
          (yield* listUnfinished()).map((intent) => intent.intentId),
          intentId
        )
        assert.deepStrictEqual(yield* listUnfinished({ olderThanMs: 3_600_000 }), [])
        const audit = yield* PaymentAudit.pipe(Effect.provide(PaymentAudit.layer))
        const audited = yield* Stream.runCollect(audit.payments)
        assert.isAbove(audited.length, 10)
        for (const row of audited) {
          assert.isAtMost(row.captures, 1)
          assert.strictEqual(row.intent?.captured, row.captured)
          assert.strictEqual(row.intent?.refunded, row.refunded)
          assert.strictEqual(row.intent?.orderId, row.orderId)
          if (row.intent?.watch === "open") assert.isTrue(row.intent.isWatched)
          const [ledger] = yield* ledgerOf(row.intentId)
          assert.strictEqual(ledger?.captured ?? 0, row.captured)
          assert.strictEqual(ledger?.refunded ?? 0, row.refunded)
        }
      })
    )
  })
})
