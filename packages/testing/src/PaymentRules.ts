/** The rules of a payment that nothing goes wrong with: part of `PaymentProviderSuite`. */
import type { ListedPayment } from "@onsale/payments/PaymentProvider"
import { Clock, Effect } from "effect"
import { assert } from "vitest"
import {
  authorised,
  captured,
  isStanding,
  newPlay,
  newRefundId,
  type Play,
  price,
  theEntry,
  untilKnown
} from "./PaymentPlay.ts"
import { PaymentServer, type PaymentRules } from "./PaymentServer.ts"

/** A window of some payments has fewer pages; one that never ends is a cursor that goes in circles. */
const maxPages = 50

export const paymentRules: PaymentRules = (it) => {
  // --- authorise

  it.effect("an authorisation holds the money and takes none", () =>
    Effect.gen(function* () {
      const play = yield* newPlay()
      const standing = yield* play.authorise()
      assert.deepInclude(standing, {
        status: "authorised",
        amount: price,
        currency: "EUR",
        captured: 0,
        refunded: 0,
        failureCode: null,
        nextAction: null,
        dispute: null
      })
      assert.deepInclude(yield* theEntry(play), {
        reference: standing.reference,
        captured: 0,
        isLive: true
      })
    })
  )

  it.effect("an amount of a currency without minor units comes back as it went", () =>
    Effect.gen(function* () {
      const play = yield* newPlay({ amount: 9_801, currency: "JPY" })
      const standing = yield* play.authorise()
      assert.deepInclude(standing, { amount: 9_801, currency: "JPY" })
      assert.strictEqual((yield* untilKnown(play.capture(standing.reference))).captured, 9_801)
    })
  )

  it.effect("a method that is declined holds nothing", () =>
    Effect.gen(function* () {
      const { methods } = yield* PaymentServer
      const play = yield* newPlay()
      const standing = yield* play.authorise(methods.declined)
      assert.strictEqual(standing.status, "failed")
      assert.isNotNull(standing.failureCode)
      assert.isTrue((yield* play.ledger).every(({ isLive }) => !isLive))
      assert.isTrue(isStanding("failed")(yield* play.findUntil()))
    })
  )

  it.effect("a method that nobody knows is declined, for good", () =>
    Effect.gen(function* () {
      const play = yield* newPlay()
      assert.strictEqual((yield* Effect.flip(play.authorise("tok_nonsense"))).kind, "declined")
      assert.deepStrictEqual(yield* play.ledger, [])
    })
  )

  for (const isApproved of [true, false]) {
    it.effect(
      `a buyer who has to act is sent to a page, and ${isApproved ? "passes" : "does not pass"} it`,
      () =>
        Effect.gen(function* () {
          const { act, methods } = yield* PaymentServer
          const play = yield* newPlay()
          const standing = yield* play.authorise(methods.action)
          assert.strictEqual(standing.status, "requires_action")
          assert.match(standing.nextAction?.url ?? "", /^https?:\/\//)
          yield* act(standing, isApproved)
          const end = yield* play.findUntil(isStanding(isApproved ? "authorised" : "failed"))
          assert.deepInclude(end, { reference: standing.reference, nextAction: null })
          assert.strictEqual((yield* theEntry(play)).captured, 0)
        })
    )
  }

  it.effect("a payment that the provider works on is processing until it is not", () =>
    Effect.gen(function* () {
      const { methods, settle } = yield* PaymentServer
      const play = yield* newPlay()
      const standing = yield* play.authorise(methods.processing)
      assert.strictEqual(standing.status, "processing")
      yield* settle(standing.reference)
      yield* play.findUntil(isStanding("authorised"))
    })
  )

  it.effect("INV-04: the same key again is the same payment, however often and all at once", () =>
    Effect.gen(function* () {
      const play = yield* newPlay()
      const first = yield* play.authorise()
      assert.deepStrictEqual(yield* play.authorise(), first)
      yield* theEntry(play)
      const other = yield* newPlay()
      // Some of them may be told that another still runs.
      yield* Effect.forEach([1, 2, 3, 4], () => Effect.exit(other.authorise()), { concurrency: 4 })
      yield* theEntry(other)
    })
  )

  // --- capture and void

  it.effect("INV-04: a capture takes the whole amount, once, whatever is repeated", () =>
    Effect.gen(function* () {
      const play = yield* newPlay()
      const reference = yield* captured(play)
      assert.deepInclude(yield* play.capture(reference), { status: "captured", captured: price, refunded: 0 })
      yield* Effect.forEach([1, 2, 3], () => Effect.exit(play.capture(reference)), { concurrency: 3 })
      assert.deepInclude(yield* theEntry(play), { captured: price, refunded: 0 })
    })
  )

  it.effect("a void gives the authorisation back, and is repeated as it is", () =>
    Effect.gen(function* () {
      const play = yield* newPlay()
      const reference = yield* authorised(play)
      assert.deepInclude(yield* untilKnown(play.void(reference)), { status: "voided", captured: 0 })
      assert.strictEqual((yield* untilKnown(play.void(reference))).status, "voided")
      assert.deepInclude(yield* theEntry(play), { captured: 0, isLive: false })
      assert.strictEqual((yield* Effect.flip(play.capture(reference))).kind, "declined")
    })
  )

  it.effect("what was captured is not voided", () =>
    Effect.gen(function* () {
      const play = yield* newPlay()
      const reference = yield* captured(play)
      assert.strictEqual((yield* Effect.flip(play.void(reference))).kind, "declined")
      assert.deepInclude(yield* theEntry(play), { captured: price, refunded: 0 })
    })
  )

  // --- refunds

  it.effect("INV-05: refunds go back in parts, each once, and no more than was captured", () =>
    Effect.gen(function* () {
      const play = yield* newPlay()
      const reference = yield* captured(play)
      const first = yield* newRefundId
      yield* play.refund(reference, first, 1_200)
      yield* play.refund(reference, first, 1_200)
      assert.deepInclude(yield* theEntry(play), { captured: price, refunded: 1_200, refunds: 1 })
      const tooMuch = yield* Effect.flip(play.refund(reference, yield* newRefundId, 3_001))
      assert.strictEqual(tooMuch.kind, "declined")
      yield* play.refund(reference, yield* newRefundId, 3_000)
      assert.deepInclude(yield* theEntry(play), { refunded: price, refunds: 2 })
      const end = yield* play.findUntil()
      assert.deepInclude(end, { status: "captured", captured: price, refunded: price })
    })
  )

  // --- disputes

  it.effect("a dispute is told, changes no sum, and ends", () =>
    Effect.gen(function* () {
      const { dispute } = yield* PaymentServer
      const play = yield* newPlay()
      const reference = yield* captured(play)
      yield* dispute(reference, "open")
      const disputed = yield* play.find(reference)
      assert.deepInclude(disputed, { status: "captured", captured: price, refunded: 0, dispute: "open" })
      yield* dispute(reference, "won")
      assert.deepInclude(yield* play.find(reference), { captured: price, refunded: 0, dispute: "won" })
    })
  )

  // --- find and list

  it.effect("a payment is found by our key and by the provider's own id; one that never was is absent", () =>
    Effect.gen(function* () {
      const play = yield* newPlay()
      const reference = yield* authorised(play)
      const byKey = yield* play.find()
      assert.deepInclude(byKey, { _tag: "Standing", reference, status: "authorised" })
      assert.deepStrictEqual(yield* play.find(reference), byKey)
      assert.deepStrictEqual(yield* (yield* newPlay()).find(), { _tag: "Absent" })
    })
  )

  it.effect("the payments of a time are listed, each once, over all pages", () =>
    Effect.gen(function* () {
      const { provider } = yield* PaymentServer
      const fromMs = (yield* Clock.currentTimeMillis) - 5_000
      const plays = yield* Effect.forEach(Array.from({ length: 25 }), () => newPlay())
      for (const play of plays) yield* authorised(play)
      const [first] = plays
      if (first !== undefined) yield* untilKnown(captureFound(first))
      const toMs = (yield* Clock.currentTimeMillis) + 5_000
      const listed: Array<ListedPayment> = []
      let cursor: string | null = null
      let pages = 0
      do {
        assert.isBelow(++pages, maxPages)
        const page: Effect.Success<ReturnType<typeof provider.list>> = yield* provider.list({
          fromMs,
          toMs,
          cursor
        })
        listed.push(...page.payments)
        cursor = page.nextCursor
      } while (cursor !== null)
      for (const play of plays) {
        const own = listed.filter(({ intentId }) => intentId === play.intentId)
        assert.lengthOf(own, 1)
        assert.deepStrictEqual(own[0]?.standing, yield* play.findUntil())
        assert.isTrue((own[0]?.createdAtMs ?? 0) >= fromMs && (own[0]?.createdAtMs ?? 0) < toMs)
      }
      const past = yield* provider.list({
        fromMs: fromMs - 86_400_000,
        toMs: fromMs - 80_000_000,
        cursor: null
      })
      assert.deepStrictEqual(past.payments, [])
    })
  )

  // --- who may

  it.effect("wrong credentials and an address where nobody listens have certainly done nothing", () =>
    Effect.gen(function* () {
      const { methods, stranger, unreachable } = yield* PaymentServer
      for (const provider of [stranger, unreachable]) {
        const play = yield* newPlay()
        assert.strictEqual((yield* Effect.flip(play.authorise(methods.ok, provider))).kind, "retryable")
        assert.deepStrictEqual(yield* play.ledger, [])
        // It is mended, and the same key works.
        yield* authorised(play)
        yield* theEntry(play)
      }
    })
  )
}

const captureFound = (play: Play) =>
  Effect.flatMap(play.find(), (answer) =>
    answer._tag === "Standing" ? play.capture(answer.reference) : Effect.die("it is not there")
  )
