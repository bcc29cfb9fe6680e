/** The terms of a purchase in words, for the foot of a ticket. Pure. */
import type { TicketDocument } from "@onsale/contracts/notifications/TicketDocument"
import { ticketWords } from "./TicketWords.ts"
import * as Wording from "./Wording.ts"

/** As they were agreed: the same whenever they are printed. */
export const inWords = ({
  event,
  issuedAtMs,
  locale,
  refunds,
  tickets
}: Pick<TicketDocument, "event" | "issuedAtMs" | "locale" | "refunds" | "tickets">): string => {
  const words = ticketWords[locale]
  const { feeAmount = 0, feeBasisPoints = 0, untilMs } = refunds
  if (feeBasisPoints >= 10_000 || (untilMs !== undefined && untilMs <= issuedAtMs)) return words.noRefunds
  const currency = tickets.find(({ price }) => price !== undefined)?.price?.currency
  const fees = [
    ...(feeBasisPoints === 0 ? [] : [Wording.percent(feeBasisPoints / 10_000, locale)]),
    ...(feeAmount === 0 || currency === undefined
      ? []
      : [Wording.amount({ amount: feeAmount, currency }, locale)])
  ]
  return words.refunds(
    untilMs === undefined ? null : Wording.when(untilMs, event.timeZone, locale),
    fees.length === 0 ? null : fees.join(" + ")
  )
}
