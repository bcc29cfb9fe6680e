/** What we read of Mollie's objects as its SDK gives them, and what it means. */
import { PaymentIntentId } from "@onsale/contracts/Ids"
import { Option, Predicate, Schema } from "effect"
import * as CurrencyUnits from "./CurrencyUnits.ts"
import type { Dispute } from "./Payment.ts"
import type { Standing } from "./PaymentAnswer.ts"
import type { ProviderFailure } from "./PaymentProvider.ts"
import { unknown } from "./ProviderHttp.ts"

/** Our names in the metadata of Mollie's objects. */
export const metadataNames = {
  intent: "onsale_intent_id",
  order: "onsale_order_id",
  refundKey: "onsale_refund_key"
} as const

const Money = Schema.Struct({ currency: Schema.String, value: Schema.String })
const maybe = <S extends Schema.Constraint>(schema: S) => Schema.optional(Schema.NullOr(schema))

const Id = Schema.String.check(Schema.isPattern(/^[a-zA-Z0-9_]{1,255}$/))

export const MolliePayment = Schema.Struct({
  id: Id,
  status: Schema.Literals(["open", "pending", "authorized", "paid", "canceled", "expired", "failed"]),
  amount: Money,
  amountCaptured: maybe(Money),
  amountRefunded: maybe(Money),
  amountChargedBack: maybe(Money),
  metadata: Schema.Unknown,
  /** ISO 8601. */
  createdAt: Schema.String,
  isCancelable: maybe(Schema.Boolean),
  statusReason: maybe(Schema.Struct({ code: Schema.String })),
  links: Schema.Struct({ checkout: maybe(Schema.Struct({ href: Schema.String })) })
})
export type MolliePayment = typeof MolliePayment.Type

const Next = Schema.Struct({ next: maybe(Schema.Struct({ href: Schema.String })) })

/** A page as the SDK's lists answer it: the items are in `embedded`, under the name of their kind. */
const page = <const Name extends string, S extends Schema.Constraint>(name: Name, item: S) =>
  Schema.Struct({
    result: Schema.Struct({
      embedded: Schema.Struct({ [name]: Schema.Array(item) } as { readonly [K in Name]: Schema.$Array<S> }),
      links: Next
    })
  })

export const MolliePayments = page("payments", MolliePayment)

export const MollieRefund = Schema.Struct({
  id: Id,
  status: Schema.Literals(["queued", "pending", "processing", "refunded", "failed", "canceled"]),
  metadata: Schema.Unknown
})
export type MollieRefund = typeof MollieRefund.Type
export const MollieRefunds = page("refunds", MollieRefund)

export const MollieCapture = Schema.Struct({
  id: Id,
  status: Schema.Literals(["pending", "succeeded", "failed"])
})
export const MollieCaptures = page("captures", MollieCapture)

export const MollieChargebacks = page(
  "chargebacks",
  Schema.Struct({ id: Id, reversedAt: maybe(Schema.String) })
)

/** The id from which the next page begins; null after the last. */
export const nextFrom = (links: typeof Next.Type): string | null => {
  const href = links.next?.href
  return href !== undefined && URL.canParse(href) ? new URL(href).searchParams.get("from") : null
}

// --- meaning ------------------------------------------------------------------------------------

const decodeIntentId = Schema.decodeUnknownOption(PaymentIntentId)

/** A text of ours in an object's metadata, which may be anything. */
export const metadataOf = (metadata: unknown, name: string): string | null =>
  Predicate.hasProperty(metadata, name) && Predicate.isString(metadata[name]) ? metadata[name] : null

export const intentIdOf = (payment: MolliePayment): PaymentIntentId | null =>
  Option.getOrNull(decodeIntentId(metadataOf(payment.metadata, metadataNames.intent)))

const statuses = {
  // It waits for the buyer, on the page that is linked.
  open: "requires_action",
  pending: "processing",
  authorized: "authorised",
  paid: "captured",
  canceled: "voided",
  expired: "failed",
  failed: "failed"
} as const satisfies Record<MolliePayment["status"], Standing["status"]>

const codePattern = /^[a-z0-9_]{1,100}$/

/** Fails with `unknown` where an amount cannot be read. */
export const standing = (payment: MolliePayment, dispute: Dispute | null): Standing | ProviderFailure => {
  const { amount, createdAt } = payment
  const { currency } = amount
  const status = statuses[payment.status]
  const read = (money: typeof Money.Type | null | undefined, otherwise: number) =>
    money == null
      ? otherwise
      : money.currency === currency
        ? CurrencyUnits.fromDecimal(money.value, currency)
        : null
  const total = read(amount, 0)
  // Where it is not told apart, a payment that is paid is paid whole.
  const captured = status === "captured" ? read(payment.amountCaptured, total ?? 0) : 0
  const refunded = status === "captured" ? read(payment.amountRefunded, 0) : 0
  if (total === null || captured === null || refunded === null || Number.isNaN(Date.parse(createdAt))) {
    return unknown("unreadable_answer", `the amounts of ${payment.id} cannot be read`)
  }
  const reason = payment.statusReason?.code
  const url = payment.links.checkout?.href
  return {
    _tag: "Standing",
    reference: payment.id,
    status,
    amount: total,
    currency,
    captured,
    refunded,
    failureCode:
      status === "failed"
        ? reason !== undefined && codePattern.test(reason)
          ? reason
          : payment.status
        : null,
    nextAction: status === "requires_action" && url !== undefined ? { type: "redirect", url } : null,
    dispute
  }
}

/** Whether something was charged back, be it reversed or not. */
export const isChargedBack = (payment: MolliePayment): boolean =>
  payment.amountChargedBack != null && /[1-9]/.test(payment.amountChargedBack.value)

/** Mollie takes a chargeback's money at once and may give it back; that it never will is not told. */
export const disputeOf = (
  chargebacks: ReadonlyArray<{ readonly reversedAt?: string | null | undefined }>
): Dispute | null =>
  chargebacks.length === 0 ? null : chargebacks.every(({ reversedAt }) => reversedAt != null) ? "won" : "open"
