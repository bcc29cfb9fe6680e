/** The refund policy of an event: as it was sent, as it is stored, as it binds buyers and as they see it. Pure. */
import type { NewRefundPolicy, RefundPolicyView } from "@onsale/contracts/catalog/Event"
import type { RefundPolicy, SaleTerms } from "@onsale/contracts/catalog/SaleTerms"
import { DateTime } from "effect"
import { millis, type Tell } from "./EventRules.ts"
import type { StoredEvent } from "./StoredEvent.ts"

export type StoredRefundPolicy = NonNullable<StoredEvent["refundPolicy"]>

const hourMs = 3_600_000

/** What is stored of a policy; null where everything is paid back at any time. */
export const check = (
  policy: NewRefundPolicy | undefined,
  path: string,
  tell: Tell
): StoredRefundPolicy | null => {
  if (policy === undefined || Object.keys(policy).length === 0) return null
  const { until, ...rest } = policy
  return { ...rest, ...(until === undefined ? {} : { untilMs: millis(until, `${path}/until`, tell) }) }
}

/** The policy with its deadline as a time. */
const resolve = (policy: StoredRefundPolicy, startsAtMs: number): RefundPolicy => {
  const { feeAmount, feeBasisPoints, hoursBeforeStart, untilMs } = policy
  const deadlineMs = hoursBeforeStart === undefined ? untilMs : startsAtMs - hoursBeforeStart * hourMs
  return {
    ...(deadlineMs === undefined ? {} : { untilMs: deadlineMs }),
    ...(feeBasisPoints === undefined ? {} : { feeBasisPoints }),
    ...(feeAmount === undefined ? {} : { feeAmount })
  }
}

/** What is agreed with who buys now; undefined where there is nothing to agree on. */
export const termsOf = (event: StoredEvent): SaleTerms | undefined => {
  const { organiser, refundPolicy, startsAtMs } = event
  if (organiser === null && refundPolicy === null) return undefined
  return {
    ...(organiser === null ? {} : { organiser }),
    ...(refundPolicy === null ? {} : { refunds: resolve(refundPolicy, startsAtMs) })
  }
}

/** As buyers see it before they buy. */
export const viewOf = (policy: StoredRefundPolicy, startsAtMs: number): RefundPolicyView => {
  const { untilMs, ...fees } = resolve(policy, startsAtMs)
  return {
    ...(untilMs === undefined ? {} : { until: DateTime.formatIso(DateTime.makeUnsafe(untilMs)) }),
    ...(policy.hoursBeforeStart === undefined ? {} : { hoursBeforeStart: policy.hoursBeforeStart }),
    ...fees
  }
}
