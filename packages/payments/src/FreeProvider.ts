/** The provider of payments of nothing: an order of free tickets takes the same steps and calls nobody. */
import { Effect } from "effect"
import type { Standing } from "./PaymentAnswer.ts"
import { type PaymentProvider, ProviderFailure, WebhookRejected } from "./PaymentProvider.ts"

/** A name that no connected provider has: it is given by the amount, never by the buyer. */
export const freeProviderName = "free"

const standing = (status: "authorised" | "captured" | "voided", currency: string): Standing => ({
  _tag: "Standing",
  reference: "free",
  status,
  amount: 0,
  currency,
  captured: 0,
  refunded: 0,
  failureCode: null,
  nextAction: null,
  dispute: null
})

/** `currency` is the one of the payment at hand, as it has no ledger to read it from. */
export const freeProvider = (currency: string): PaymentProvider => ({
  name: freeProviderName,
  currencies: "all",
  authorise: () => Effect.succeed(standing("authorised", currency)),
  capture: () => Effect.succeed(standing("captured", currency)),
  void: () => Effect.succeed(standing("voided", currency)),
  refund: () =>
    Effect.fail(new ProviderFailure({ kind: "declined", code: "nothing_to_refund", message: "It was free" })),
  find: () => Effect.succeed({ _tag: "Absent" }),
  list: () => Effect.succeed({ payments: [], nextCursor: null }),
  readWebhook: () => Effect.fail(new WebhookRejected({ reason: "signature_missing" }))
})
