import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import {
  type Answer,
  authorise,
  intentId,
  key,
  madeMs,
  payment,
  recorded,
  type Sent
} from "./StripeRecorder.ts"

describe("a payment is looked for at Stripe", () => {
  const question = { key, intentId, reference: null }
  const list = (data: ReadonlyArray<unknown>, hasMore = false) => ({
    status: 200,
    body: { object: "list", has_more: hasMore, data }
  })
  const kindOf = ({ method, path }: Sent) =>
    `${method} ${path.replace("https://api.stripe.com/v1/payment_intents", "") || "list"}`

  /** At `ageMs` after the intent's id was made. */
  const findAt = Effect.fnUntraced(function* (ageMs: number, answer: Answer) {
    yield* TestClock.setTime(madeMs + ageMs)
    const { provider, sent } = yield* recorded(answer)
    const found = yield* Effect.result(provider.find(question))
    // A question never charges, whatever it finds.
    assert.isTrue(sent.every(({ method }) => method === "GET"))
    return { found, calls: sent.map(kindOf), sent }
  })

  it.effect("by list alone while search cannot know it yet, in the time of our intent", () =>
    Effect.gen(function* () {
      const { calls, found, sent } = yield* findAt(1_000, () => list([{ ...payment, metadata: {} }, payment]))
      assert.deepNestedInclude(found, { "success.reference": payment.id, "success.status": "authorised" })
      assert.deepStrictEqual(calls.slice(0, 1), ["GET list"])
      const [from, to] = [Math.floor(madeMs / 1000) - 300, Math.ceil(madeMs / 1000) + 7_500]
      assert.include(sent[0]?.query, `created[gte]=${from}&created[lte]=${to}`)
      assert.notInclude(calls.join(), "search")
    })
  )

  it.effect("by search from a minute on, and the hit is read again: the index may be behind", () =>
    Effect.gen(function* () {
      const { calls, found, sent } = yield* findAt(61_000, ({ path }) =>
        path.endsWith("/search")
          ? list([payment])
          : { status: 200, body: { ...payment, status: "succeeded", amount_received: 4_200 } }
      )
      assert.deepNestedInclude(found, { "success.status": "captured", "success.captured": 4_200 })
      assert.deepStrictEqual(calls, ["GET /search", `GET /${payment.id}`])
      assert.include(sent[0]?.query, `query=metadata['onsale_intent_id']:'${intentId}'`)
    })
  )

  it.effect(
    "that search does not know is absent only when the list of its time has been read to the end",
    () =>
      Effect.gen(function* () {
        const absent = yield* findAt(61_000, () => list([]))
        assert.deepNestedInclude(absent.found, { "success._tag": "Absent" })
        assert.deepStrictEqual(absent.calls, ["GET /search", "GET list"])
        const other = { ...payment, metadata: {} }
        const tooMany = yield* findAt(61_000, ({ path }) =>
          path.endsWith("/search") ? list([]) : list([other], true)
        )
        assert.deepNestedInclude(tooMany.found, { "failure.kind": "unknown", "failure.code": "not_certain" })
        // Ten pages, and no more of them.
        assert.lengthOf(tooMany.calls, 11)
      })
  )

  it.effect("by search alone when the index has everything that can have been made", () =>
    Effect.gen(function* () {
      const { calls, found } = yield* findAt(6 * 3_600_000, () => list([]))
      assert.deepNestedInclude(found, { "success._tag": "Absent" })
      assert.deepStrictEqual(calls, ["GET /search"])
    })
  )

  it.effect("and is not absent for as long as a request of ours may still arrive", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(madeMs + 1_000)
      const { provider } = yield* recorded(
        ({ method }) => (method === "POST" ? { status: 500, body: {} } : list([])),
        { settleMs: 30_000 }
      )
      assert.strictEqual((yield* Effect.flip(authorise(provider))).kind, "unknown")
      assert.deepInclude(yield* Effect.flip(provider.find(question)), { kind: "unknown", code: "in_flight" })
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(yield* provider.find(question), { _tag: "Absent" })
    })
  )

  it.effect("and is not believed where one intent has two that hold money", () =>
    Effect.gen(function* () {
      const { found } = yield* findAt(1_000, () => list([payment, { ...payment, id: "pi_other" }]))
      assert.deepNestedInclude(found, { "failure.kind": "unknown", "failure.code": "several_payments" })
      // One that failed is no second one.
      const failed = { ...payment, id: "pi_other", status: "requires_payment_method" }
      const one = yield* findAt(1_000, () => list([failed, payment]))
      assert.deepNestedInclude(one.found, { "success.reference": payment.id })
    })
  )

  it.effect("by Stripe's own id where it is known; a failure is never an answer", () =>
    Effect.gen(function* () {
      const { provider, sent } = yield* recorded(() => ({
        status: 404,
        body: { error: { type: "invalid_request_error", code: "resource_missing" } }
      }))
      const failure = yield* Effect.flip(provider.find({ ...question, reference: payment.id }))
      assert.strictEqual(failure.kind, "unknown")
      assert.deepStrictEqual(sent.map(kindOf), [`GET /${payment.id}`])
    })
  )
})
