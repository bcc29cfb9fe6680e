/** Events as the command line shows them. */
import type { EventDetail, Tier } from "@onsale/contracts/catalog/Event"
import { DateTime, Option } from "effect"
import { money, table } from "./Output.ts"
import { policyLine } from "./RefundCommand.ts"

/** Where the event is, as its visitors' clocks show it. */
export const local = (instant: string, timeZone: string): string =>
  Option.match(DateTime.makeZoned(instant, { timeZone }), {
    onNone: () => instant,
    onSome: (zoned) => `${DateTime.formatIsoOffset(zoned).slice(0, 16).replace("T", " ")} ${timeZone}`
  })

/** What is said of a tier beside its price. */
const rulesOf = ({ maxPerOrder, minPerOrder, sale, voucherOnly }: Tier, timeZone: string): string =>
  [
    ...(sale?.from === undefined ? [] : [`from ${local(sale.from, timeZone)}`]),
    ...(sale?.until === undefined ? [] : [`until ${local(sale.until, timeZone)}`]),
    ...(minPerOrder === undefined ? [] : [`at least ${minPerOrder}`]),
    ...(maxPerOrder === undefined ? [] : [`at most ${maxPerOrder}`]),
    ...(voucherOnly === true ? ["with a voucher"] : [])
  ].join(", ")

/** All that an organiser wants to see of an event. */
export const detailLines = (event: EventDetail): ReadonlyArray<string> => [
  `Event     ${event.id}`,
  `Name      ${event.name}`,
  `Starts    ${local(event.startsAt, event.timeZone)}`,
  `Venue     ${event.venue.name}`,
  `Status    ${event.status}${event.cancellation === undefined ? "" : `: ${event.cancellation.reason}`}`,
  `On sale   ${local(event.onSaleAt, event.timeZone)} until ${local(event.saleEndsAt, event.timeZone)}`,
  `Refunds   ${policyLine(event)}`,
  `Limits    ${[
    `${event.maxPerOrder} an order`,
    ...(event.maxPerCustomer === undefined ? [] : [`${event.maxPerCustomer} a customer`]),
    ...(event.maxTickets === undefined ? [] : [`${event.maxTickets} in all`])
  ].join(", ")}`,
  "",
  ...table(
    ["TIER", "PRICE", "CATEGORIES", "RULES", "ID"],
    event.tiers.map((tier) => [
      tier.name,
      money(tier.price),
      tier.categories.join(", "),
      rulesOf(tier, event.timeZone),
      tier.id
    ])
  ),
  ...(event.quotas === undefined
    ? []
    : [
        "",
        ...table(
          ["QUOTA", "CAPACITY", "TIERS"],
          event.quotas.map(({ capacity, name, tiers }) => [
            name,
            capacity,
            event.tiers.flatMap((tier) => (tiers.includes(tier.id) ? [tier.name] : [])).join(", ")
          ])
        )
      ])
]
