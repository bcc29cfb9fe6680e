/** The rules of a payment whose calls break: part of `PaymentProviderSuite`. */
import { Effect, Fiber } from "effect"
import { assert } from "vitest"
import { type Fault, faults } from "./FaultProxy.ts"
import {
  authorised,
  captured,
  isStanding,
  newPlay,
  newRefundId,
  price,
  theEntry,
  untilKnown
} from "./PaymentPlay.ts"
import { PaymentServer, type PaymentRules } from "./PaymentServer.ts"

const isBefore = (fault: Fault): boolean => fault.endsWith("_before")

export const paymentFaultRules: PaymentRules = (it) => {
  for (const fault of faults) {
    it.effect(`INV-04: an authorisation struck by ${fault} is unknown, then found, and charged once`, () =>
      Effect.gen(function* () {
        const { strike } = yield* PaymentServer
        const play = yield* newPlay()
        yield* strike(fault)
        assert.strictEqual((yield* Effect.flip(play.authorise())).kind, "unknown")
        const answer = yield* play.findUntil()
        if (isBefore(fault)) {
          assert.deepStrictEqual(answer, { _tag: "Absent" })
          assert.deepStrictEqual(yield* play.ledger, [])
        } else {
          assert.isTrue(isStanding("authorised")(answer))
        }
        assert.strictEqual((yield* play.authorise()).status, "authorised")
        assert.strictEqual((yield* theEntry(play)).captured, 0)
      })
    )

    it.effect(`INV-04: a capture struck by ${fault} is unknown, and taken once`, () =>
      Effect.gen(function* () {
        const { strike } = yield* PaymentServer
        const play = yield* newPlay()
        const reference = yield* authorised(play)
        yield* strike(fault)
        assert.strictEqual((yield* Effect.flip(play.capture(reference))).kind, "unknown")
        const end = yield* untilKnown(play.capture(reference))
        assert.deepInclude(end, { status: "captured", captured: price })
        assert.deepInclude(yield* theEntry(play), { captured: price, refunded: 0 })
      })
    )

    it.effect(`INV-05: a refund struck by ${fault} is unknown, and made once`, () =>
      Effect.gen(function* () {
        const { strike } = yield* PaymentServer
        const play = yield* newPlay()
        const reference = yield* captured(play)
        const refundId = yield* newRefundId
        yield* strike(fault)
        assert.strictEqual((yield* Effect.flip(play.refund(reference, refundId, 1_000))).kind, "unknown")
        yield* untilKnown(play.refund(reference, refundId, 1_000))
        assert.deepInclude(yield* theEntry(play), { refunded: 1_000, refunds: 1 })
      })
    )
  }

  it.effect("a void that was cut off after it was carried out is found, and repeated", () =>
    Effect.gen(function* () {
      const { strike } = yield* PaymentServer
      const play = yield* newPlay()
      const reference = yield* authorised(play)
      yield* strike("reset_after")
      assert.strictEqual((yield* Effect.flip(play.void(reference))).kind, "unknown")
      yield* play.findUntil(isStanding("voided"), reference)
      assert.strictEqual((yield* untilKnown(play.void(reference))).status, "voided")
      assert.isFalse((yield* theEntry(play)).isLive)
    })
  )

  it.effect("INV-04: while a call may still run, nobody says that there is no payment", () =>
    Effect.gen(function* () {
      const { hold } = yield* PaymentServer
      const play = yield* newPlay()
      const release = yield* hold
      const first = yield* Effect.forkChild(Effect.flip(play.authorise()))
      assert.strictEqual((yield* Fiber.join(first)).kind, "unknown")
      assert.deepInclude(yield* Effect.flip(play.find()), { kind: "unknown", code: "in_flight" })
      yield* release
      yield* play.findUntil(isStanding("authorised"))
      assert.strictEqual((yield* play.authorise()).status, "authorised")
      yield* theEntry(play)
    })
  )
}
