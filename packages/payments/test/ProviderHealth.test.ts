import { makeUuidV7, OrderId, PaymentIntentId } from "@onsale/contracts/Ids"
import { assert, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { TestClock } from "effect/testing"
import { freeProvider } from "../src/FreeProvider.ts"
import { type PaymentProvider, ProviderFailure } from "../src/PaymentProvider.ts"
import * as ProviderHealth from "../src/ProviderHealth.ts"

const intentId = PaymentIntentId.make(makeUuidV7(1))
const step = { key: "k", intentId, reference: "r", amount: 1, currency: "EUR" }
const payment = { ...step, orderId: OrderId.make(makeUuidV7(1)), method: "tok_ok" }

const makeBroken = Effect.map(ProviderHealth.make, (health) => {
  let kind: ProviderFailure["kind"] | null = "unknown"
  let calls = 0
  const base = freeProvider("EUR")
  const call = <A>(effect: Effect.Effect<A, ProviderFailure>) =>
    Effect.suspend(() => {
      calls++
      return kind === null ? effect : Effect.fail(new ProviderFailure({ kind, code: "broken", message: "" }))
    })
  const provider: PaymentProvider = {
    ...base,
    name: "broken",
    authorise: (request) => call(base.authorise(request)),
    capture: (request) => call(base.capture(request)),
    void: (request) => call(base.void(request)),
    find: (request) => call(base.find(request))
  }
  return {
    provider: health.guard(provider),
    isHealthy: health.isHealthy("broken"),
    fail: (as: ProviderFailure["kind"] | null) => Effect.sync(() => (kind = as)),
    calls: () => calls
  }
})

const code = (effect: Effect.Effect<unknown, ProviderFailure>) =>
  Effect.map(Effect.result(effect), (result) => (Result.isFailure(result) ? result.failure.code : "ok"))

it.effect("who fails too often gets no new payments, and each of its own steps", () =>
  Effect.gen(function* () {
    const { calls, fail, isHealthy, provider } = yield* makeBroken
    for (let i = 0; i < 10; i++) assert.strictEqual(yield* code(provider.authorise(payment)), "broken")
    assert.isFalse(yield* isHealthy)
    const before = calls()
    const refused = yield* Effect.flip(provider.authorise(payment))
    assert.deepInclude(refused, { kind: "retryable", code: "breaker_open" })
    assert.strictEqual(calls(), before, "nothing was sent")
    yield* fail(null)
    for (const call of [provider.capture(step), provider.void(step), provider.find(step)])
      assert.strictEqual(yield* code(call), "ok")
    assert.strictEqual(calls(), before + 3)
  })
)

it.effect("who is well again is found out by one payment, in growing intervals", () =>
  Effect.gen(function* () {
    const { calls, fail, isHealthy, provider } = yield* makeBroken
    for (let i = 0; i < 10; i++) yield* code(provider.authorise(payment))
    yield* TestClock.adjust("2 seconds")
    assert.isTrue(yield* isHealthy, "the probe needs a payment")
    assert.strictEqual(yield* code(provider.authorise(payment)), "broken")
    yield* TestClock.adjust("2 seconds")
    assert.isFalse(yield* isHealthy, "twice as long")
    yield* TestClock.adjust("2 seconds")
    yield* fail(null)
    const before = calls()
    assert.strictEqual(yield* code(provider.authorise(payment)), "ok")
    assert.strictEqual(calls(), before + 1)
    assert.isTrue(yield* isHealthy)
  })
)

it.effect("who declines is healthy, and who only does not answer questions too", () =>
  Effect.gen(function* () {
    const { fail, isHealthy, provider } = yield* makeBroken
    for (let i = 0; i < 30; i++) yield* code(provider.find({ ...step, reference: null }))
    yield* fail("declined")
    for (let i = 0; i < 30; i++) yield* code(provider.authorise(payment))
    assert.isTrue(yield* isHealthy)
  })
)
