/**
 * A payment at a provider that it has left: the provider had said that nothing happened, and now has it after all.
 * What it holds there is given back, whatever became of the payment at its own provider.
 */
import { type PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import { Effect, Metric } from "effect"
import { keys, type PaymentProvider, type ProviderFailure } from "./PaymentProvider.ts"

/** `absent`: it has none, or the payment is over there without money. */
export type StrayOutcome = "absent" | "voided" | "refunded"

const strays = Metric.counter("onsale_payment_strays", {
  description: "Payments found at a provider that they had left, by provider and what was given back",
  incremental: true
})

/**
 * Finds the payment at the provider by our key, and voids what is authorised and refunds what is captured there. May be
 * repeated. Only for a provider that is not the payment's own: it never becomes that again.
 *
 * Fails where it is not certain that nothing is held any more: it is to be called again.
 */
export const giveBackStray = Effect.fn("giveBackStray")(function* (
  provider: PaymentProvider,
  intentId: PaymentIntentId
): Effect.fn.Return<StrayOutcome, ProviderFailure> {
  const found = yield* provider.find({ key: keys.authorise(intentId), intentId, reference: null })
  if (found._tag === "Absent" || found.status === "voided" || found.status === "failed") return "absent"
  const { currency, reference } = found
  const rest = found.captured - found.refunded
  if (found.status === "captured" && rest === 0) return "absent"
  yield* Effect.logError(
    `payment ${intentId} left ${provider.name}, which has it as ${reference} (${found.status}): it is given back`
  )
  let outcome: StrayOutcome = "voided"
  if (found.status === "captured") {
    // Under the id of the payment, as what is undone is refunded once.
    const refundId = RefundId.make(intentId)
    yield* provider.refund({
      key: keys.refund(intentId, refundId),
      intentId,
      reference,
      amount: rest,
      currency
    })
    outcome = "refunded"
  } else {
    yield* provider.void({ key: keys.void(intentId), intentId, reference })
  }
  yield* Metric.update(Metric.withAttributes(strays, { provider: provider.name, outcome }), 1)
  return outcome
})
