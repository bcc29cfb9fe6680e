/** A payment that a test takes through its steps at one provider: part of `PaymentProviderSuite`. */
import { makeUuidV7, OrderId, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import type { Answer, Standing } from "@onsale/payments/PaymentAnswer"
import { keys, type ProviderFailure } from "@onsale/payments/PaymentProvider"
import { Clock, Effect } from "effect"
import { assert } from "vitest"
import { PaymentServer } from "./PaymentServer.ts"
import { pollUntil } from "./Poll.ts"

export const price = 4_200

/** A new payment, of which the provider has not heard yet. */
export const newPlay = Effect.fnUntraced(function* (
  options: { readonly amount?: number; readonly currency?: string } = {}
) {
  const server = yield* PaymentServer
  const nowMs = yield* Clock.currentTimeMillis
  const intentId = PaymentIntentId.make(makeUuidV7(nowMs))
  const orderId = OrderId.make(makeUuidV7(nowMs))
  const { amount = price, currency = "EUR" } = options
  const { provider } = server
  const key = keys.authorise(intentId)
  const find = (reference: string | null = null) => provider.find({ key, intentId, reference })
  return {
    intentId,
    ledger: server.ledgerOf(intentId),
    authorise: (method = server.methods.ok, at = provider) =>
      at.authorise({ key, intentId, orderId, amount, currency, method }),
    capture: (reference: string) =>
      provider.capture({ key: keys.capture(intentId), intentId, reference, amount, currency }),
    void: (reference: string) => provider.void({ key: keys.void(intentId), intentId, reference }),
    refund: (reference: string, refundId: RefundId, part: number) =>
      provider.refund({ key: keys.refund(intentId, refundId), intentId, reference, amount: part, currency }),
    find,
    /** Asks until the provider is certain, and the answer is as wanted. */
    findUntil: (isWanted: (answer: Answer) => boolean = () => true, reference: string | null = null) =>
      pollUntil(
        find(reference).pipe(
          Effect.catch((failure: ProviderFailure) =>
            failure.kind === "unknown" ? Effect.succeed(null) : Effect.fail(failure)
          )
        ),
        (answer): answer is Exclude<typeof answer, null> => answer !== null && isWanted(answer)
      )
  }
})

export type Play = Effect.Success<ReturnType<typeof newPlay>>

export const newRefundId = Effect.map(Clock.currentTimeMillis, (nowMs) => RefundId.make(makeUuidV7(nowMs)))

/**
 * Repeats a step while its outcome is unknown, as the payments do it: with the same key. A provider that
 * carries a step out later says so by this.
 */
export const untilKnown = <A>(step: Effect.Effect<A, ProviderFailure>) =>
  pollUntil(
    step.pipe(
      Effect.map((value) => ({ value })),
      Effect.catch((failure) => (failure.kind === "unknown" ? Effect.succeed(null) : Effect.fail(failure)))
    ),
    (answer): answer is { readonly value: Awaited<A> & A } => answer !== null
  ).pipe(Effect.map(({ value }) => value))

/** Authorised, and the reference under which the provider knows it. */
export const authorised = Effect.fnUntraced(function* (play: Play) {
  const standing = yield* play.authorise()
  assert.strictEqual(standing.status, "authorised")
  return standing.reference
})

/** Captured whole. */
export const captured = Effect.fnUntraced(function* (play: Play) {
  const reference = yield* authorised(play)
  assert.strictEqual((yield* untilKnown(play.capture(reference))).status, "captured")
  return reference
})

export const isStanding =
  (status: Standing["status"]) =>
  (answer: Answer): boolean =>
    answer._tag === "Standing" && answer.status === status

/** The one payment of the intent in the server's ledger. */
export const theEntry = Effect.fnUntraced(function* (play: Play) {
  const entries = yield* play.ledger
  const [entry] = entries
  assert(entries.length === 1 && entry !== undefined, `${entries.length} payments in the ledger`)
  return entry
})
