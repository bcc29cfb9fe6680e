import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import { type ChannelMessage, type ChannelProvider, DeliveryError } from "../src/Channel.ts"
import * as ProviderPool from "../src/ProviderPool.ts"

const message: ChannelMessage = {
  id: "order:confirmed",
  recipient: { channel: "email", name: "Ada", address: "ada@example.org" },
  rendered: { subject: "", text: "", html: "", sms: "", push: { title: "", body: "" } },
  attachments: []
}

/** A provider that does what it is told, and counts. */
const provider = (
  name: string,
  answer: (n: number) => DeliveryError | null,
  more: Partial<ChannelProvider> = {}
) => {
  const calls: Array<string> = []
  const made: ChannelProvider = {
    channel: "email",
    name,
    send: ({ id }) =>
      Effect.suspend(() => {
        calls.push(id)
        const error = answer(calls.length)
        return error === null ? Effect.succeed({ reference: id }) : Effect.fail(error)
      }),
    ...more
  }
  return { made, calls }
}
const takes = () => null
const says = (kind: DeliveryError["kind"]) => () => DeliveryError.of(kind, kind)

const outcomes = ({ tries }: ProviderPool.Delivery) =>
  tries.map(({ outcome, provider }) => `${provider} ${outcome}`)

describe("ProviderPool", () => {
  it.effect("what the first certainly did not take goes to the next at once", () =>
    Effect.gen(function* () {
      for (const kind of ["unreachable", "deferred"] as const) {
        const pool = yield* ProviderPool.make(provider("a", says(kind)).made, provider("b", takes).made)
        const delivery = yield* pool.deliver(message)
        assert.deepStrictEqual(outcomes(delivery), [`a ${kind}`, "b sent"])
        assert.strictEqual(Result.isSuccess(delivery.result) && delivery.result.success.provider, "b")
      }
    })
  )

  it.effect("what is refused, or may have been taken, goes to no other", () =>
    Effect.gen(function* () {
      for (const kind of ["refused", "unknown"] as const) {
        const second = provider("b", takes)
        const pool = yield* ProviderPool.make(provider("a", says(kind)).made, second.made)
        const { result } = yield* pool.deliver(message)
        assert.strictEqual(Result.isFailure(result) && result.failure.kind, kind)
        assert.deepStrictEqual(second.calls, [])
      }
    })
  )

  it.effect("who may have taken it is asked first, with the same id", () =>
    Effect.gen(function* () {
      const first = provider("a", takes)
      const second = provider("b", takes)
      const pool = yield* ProviderPool.make(first.made, second.made)
      yield* pool.deliver(message, "b")
      assert.deepStrictEqual([first.calls, second.calls], [[], [message.id]])
    })
  )

  it.effect("a provider that fails is left alone, and tried again after a while", () =>
    Effect.gen(function* () {
      let broken = true
      const first = provider("a", () => (broken ? DeliveryError.of("unreachable", "down") : null))
      const pool = yield* ProviderPool.make(first.made, provider("b", takes).made)
      for (let i = 0; i < 30; i++) yield* pool.deliver(message)
      assert.strictEqual(first.calls.length, 10)
      broken = false
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(outcomes(yield* pool.deliver(message)), ["a sent"])
    })
  )

  it.effect("a provider that hangs is given up in time, as one that may have it", () =>
    Effect.gen(function* () {
      const pool = yield* ProviderPool.make(provider("a", takes, { send: () => Effect.never }).made)
      const delivering = yield* Effect.forkChild(pool.deliver(message))
      yield* TestClock.adjust("24 seconds")
      const { result } = yield* Fiber.join(delivering)
      assert.strictEqual(Result.isFailure(result) && result.failure.kind, "unknown")
    })
  )

  it.effect("a message waits for its turn a bounded time, then goes elsewhere", () =>
    Effect.gen(function* () {
      const slow = provider("a", takes, { ratePerSecond: 1 })
      const pool = yield* ProviderPool.make(slow.made, provider("b", takes).made)
      const all = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 20 }), () => pool.deliver(message), { concurrency: "unbounded" })
      )
      for (let i = 0; i < 100; i++) yield* TestClock.adjust("100 millis")
      const sent = (yield* Fiber.join(all)).map(
        ({ result }) => Result.isSuccess(result) && result.success.provider
      )
      assert.strictEqual(sent.length, 20)
      // One at once and one a second while they wait, at most five seconds.
      assert.isAtLeast(slow.calls.length, 4)
      assert.isAtMost(slow.calls.length, 7)
      assert.strictEqual(sent.filter((name) => name === "b").length, 20 - slow.calls.length)
    })
  )

  it.effect("with the first failing half of the time nearly all are delivered at the first attempt", () =>
    Effect.gen(function* () {
      const first = provider("a", (n) => (n % 2 === 0 ? DeliveryError.of("unreachable", "down") : null))
      const pool = yield* ProviderPool.make(first.made, provider("b", takes).made)
      let sent = 0
      for (let i = 0; i < 1_000; i++) {
        if (Result.isSuccess((yield* pool.deliver(message)).result)) sent++
        yield* TestClock.adjust("50 millis")
      }
      assert.strictEqual(sent, 1_000)
      assert.isBelow(first.calls.length, 200)
    })
  )
})
