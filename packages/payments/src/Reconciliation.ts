/**
 * One payment in a provider's own list against our row of it. Pure: what is different, and what may be mended.
 *
 * Their list is a second witness beside our books. A difference is always told; it is mended only where asking the
 * provider again, or giving money back, is all that it takes. Nothing here ever takes money.
 */
import type { OrderId, PaymentIntentId } from "@onsale/contracts/Ids"
import type { PaymentStatus } from "@onsale/contracts/payments/PaymentIntent"
import { Schema } from "effect"
import { isCaptured, isOpen } from "./Payment.ts"
import type { Standing } from "./PaymentAnswer.ts"
import type { ListedPayment } from "./PaymentProvider.ts"

/**
 * - `unknown_here`: it names an intent of ours that we have no row of
 * - `other_provider`: we have the payment at another provider, and this one holds money or an authorisation of it
 * - `status`: they and we do not agree on what became of it
 * - `amount`, `currency`: it is not the payment that we asked for; `amount` also where another sum was captured
 * - `refund_sum`: another sum was paid back there than here, such as by hand
 * - `missing_there`: we have it as captured, and they know nothing of it
 */
export const DifferenceKind = Schema.Literals([
  "unknown_here",
  "other_provider",
  "status",
  "amount",
  "currency",
  "refund_sum",
  "missing_there"
])
export type DifferenceKind = typeof DifferenceKind.Type

/** What is done about one. `refresh`: the provider is asked again, by the payment's own supervisor. */
export type Mending = "refresh" | "give_back" | "none"

/** A payment as one side has it; sums in minor units. */
export const Side = Schema.Struct({
  provider: Schema.String,
  status: Schema.String,
  amount: Schema.Finite,
  currency: Schema.String,
  captured: Schema.Finite,
  refunded: Schema.Finite
})
export type Side = typeof Side.Type

/** Our row of a payment. */
export interface OurPayment extends Side {
  readonly intentId: PaymentIntentId
  readonly orderId: OrderId
  readonly status: PaymentStatus
  /** The provider's id for it; null before its first answer. */
  readonly reference: string | null
  /** Unix time in milliseconds of its last change. */
  readonly updatedAtMs: number
}

export interface Difference {
  readonly kind: DifferenceKind
  readonly provider: string
  /** The provider's id for the payment; ours where it has none. */
  readonly reference: string
  readonly intentId: PaymentIntentId
  readonly ours: Side | null
  readonly theirs: Side | null
}

export const mendingOf = (kind: DifferenceKind): Mending => {
  switch (kind) {
    case "other_provider":
      return "give_back"
    case "status":
    case "refund_sum":
      return "refresh"
    // Whose mistake it is cannot be told from here, and neither is money to be moved on a guess.
    case "unknown_here":
    case "amount":
    case "currency":
    case "missing_there":
      return "none"
  }
}

/** What became of the money, in the one word that both sides have for it. */
type Phase = "open" | "authorised" | "captured" | "ended"

const ourPhase = (status: PaymentStatus): Phase => {
  if (status === "disputed" || isCaptured(status)) return "captured"
  if (status === "authorised") return "authorised"
  return isOpen(status) ? "open" : "ended"
}

const theirPhase = (status: Standing["status"]): Phase => {
  switch (status) {
    case "captured":
    case "authorised":
      return status
    case "requires_action":
    case "processing":
      return "open"
    case "voided":
    case "failed":
      return "ended"
  }
}

/** Whether the provider holds something of the buyer's. */
const holdsMoney = ({ captured, refunded, status }: Standing): boolean =>
  status === "authorised" || (status === "captured" && captured > refunded)

const sideOf = (
  provider: string,
  { amount, captured, currency, refunded, status }: Omit<Side, "provider">
): Side => ({ provider, status, amount, currency, captured, refunded })

export const ourSide = (ours: OurPayment): Side => sideOf(ours.provider, ours)

/**
 * What is different about a payment of the list of `provider`. Nothing where it was not made by us, and nothing where
 * our row has changed since `settledBeforeMs`: its steps may be under way.
 */
export const compare = (
  provider: string,
  listed: ListedPayment,
  ours: OurPayment | null,
  settledBeforeMs: number
): ReadonlyArray<Difference> => {
  const { intentId, standing } = listed
  if (intentId === null) return []
  const tell = (...kinds: ReadonlyArray<DifferenceKind>): ReadonlyArray<Difference> =>
    kinds.map((kind) => ({
      kind,
      provider,
      reference: standing.reference,
      intentId,
      ours: ours === null ? null : ourSide(ours),
      theirs: sideOf(provider, standing)
    }))
  if (ours === null) return tell("unknown_here")
  if (ours.updatedAtMs >= settledBeforeMs) return []
  if (ours.provider !== provider) {
    // The very same payment: one account that is connected under two names. Giving it back would undo the sale.
    if (ours.reference === standing.reference) return []
    // What it has left behind there is no matter as long as it holds nothing.
    return holdsMoney(standing) ? tell("other_provider") : []
  }

  const kinds: Array<DifferenceKind> = []
  if (standing.currency !== ours.currency) kinds.push("currency")
  const phase = theirPhase(standing.status)
  const bothCaptured = phase === "captured" && ourPhase(ours.status) === "captured"
  if (standing.amount !== ours.amount || (bothCaptured && standing.captured !== ours.captured))
    kinds.push("amount")
  if (phase !== ourPhase(ours.status)) kinds.push("status")
  else if (bothCaptured && standing.refunded !== ours.refunded) kinds.push("refund_sum")
  return tell(...kinds)
}

/** A payment that we have as captured and that the provider, asked for it by our key, knows nothing of. */
export const missingThere = (ours: OurPayment): Difference => ({
  kind: "missing_there",
  provider: ours.provider,
  reference: ours.reference ?? ours.intentId,
  intentId: ours.intentId,
  ours: ourSide(ours),
  theirs: null
})
