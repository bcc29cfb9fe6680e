/**
 * A mail before it is set: what its HTML and its text both say, so that neither says more than the other. Pure.
 * All text is formatted and isolated already.
 */
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { Money } from "@onsale/contracts/Money"
import type { Locale } from "@onsale/contracts/notifications/Locale"
import * as OrderReference from "../OrderReference.ts"
import { plain } from "../TextLayout.ts"
import * as Wording from "../Wording.ts"
import { isolate, typed } from "./Isolate.ts"
import type { NoticeContent, OrderContent } from "./NoticeContent.ts"
import { phrases } from "./SaidOf.ts"
import type { Words } from "./Words.ts"

/** Tickets that are listed; the others are in the PDF. */
const maxListed = 20

export interface Row {
  readonly label: string
  /** Empty where there is none, or lines of text. */
  readonly value: ReadonlyArray<string>
  readonly strong: boolean
}

export interface Letter {
  readonly locale: Locale
  /** How the news is: good, something to do, or bad. */
  readonly tone: "good" | "act" | "bad"
  readonly subject: string
  /** What a list of mails shows beside the subject. */
  readonly preheader: string
  readonly heading: string
  /** Null where the reader's name is not known. */
  readonly greeting: string | null
  readonly body: ReadonlyArray<string>
  readonly event: { readonly name: string; readonly when: string; readonly place: ReadonlyArray<string> }
  /** Somebody else's words. */
  readonly quote: { readonly label: string; readonly text: string } | null
  readonly rows: ReadonlyArray<Row>
  readonly action: { readonly label: string; readonly url: string } | null
  readonly notes: ReadonlyArray<string>
  readonly because: string
  readonly unsubscribe: { readonly label: string; readonly url: string } | null
}

/** Addresses come from payment providers: what a reader could be tricked by is no link. */
export const linkOf = (url: string | null): string | null =>
  url !== null && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? new URL(url).href : null

const toneOf = (tag: NoticeContent["_tag"]): Letter["tone"] => {
  switch (tag) {
    case "PaymentPending":
    case "PaymentExpiring":
    case "PaymentDeclined":
    case "EventChanged":
    case "HoldExpiring":
      return "act"
    case "OrderCancelled":
    case "EventCancelled":
    case "TicketReturned":
      return "bad"
    default:
      return "good"
  }
}

/** With tickets in the reader's hands, whoever knows the order's number can return them. */
const hasTickets = (content: NoticeContent): boolean => {
  switch (content._tag) {
    case "OrderConfirmed":
    case "EventChanged":
    case "EventReminder":
    case "TicketReissued":
    case "TicketGiven":
      return true
    case "Refunded":
      return !content.whole
    default:
      return false
  }
}

export const make = (
  content: NoticeContent,
  words: Words,
  locale: Locale,
  unsubscribe: { readonly label: string; readonly url: string } | null
): Letter => {
  const { event } = content
  const { labels } = words
  const said = phrases(content, words, locale)
  const money = (value: Money) => isolate(Wording.amount(value, locale), locale)
  const row = (label: string, value: ReadonlyArray<string>, strong = false): Row => ({ label, value, strong })
  const amountRow = (label: string, value: Money) => row(label, [money(value)], true)

  const placeOf = ({ venue }: EventFacts) =>
    [venue.name, venue.location].filter((part) => plain(part) !== "").map((part) => typed(part, locale))
  const whenOf = ({ startsAt, timeZone }: EventFacts) =>
    isolate(Wording.when(startsAt, timeZone, locale), locale)

  const listed = (all: ReadonlyArray<Row>): ReadonlyArray<Row> =>
    all.length <= maxListed ? all : [...all.slice(0, maxListed), row(words.more(all.length - maxListed), [])]
  const priced = (all: OrderContent["tickets"]) =>
    all.map(({ label, price }) => row(typed(label, locale), [money(price)]))
  const tickets = (): ReadonlyArray<Row> =>
    "order" in content ? listed(content.order.tickets.map(({ label }) => row(typed(label, locale), []))) : []

  /** Of what has changed alone: when, where, what, and who. */
  const changed = (before: EventFacts, one: EventFacts): ReadonlyArray<string> => [
    ...(before.name === event.name ? [] : [typed(one.name, locale)]),
    ...(before.startsAt === event.startsAt && before.timeZone === event.timeZone ? [] : [whenOf(one)]),
    ...(before.venue.name === event.venue.name && before.venue.location === event.venue.location
      ? []
      : placeOf(one)),
    ...(before.performers.join("\n") === event.performers.join("\n")
      ? []
      : one.performers.map((name) => typed(name, locale)))
  ]

  const rows = (): ReadonlyArray<Row> => {
    switch (content._tag) {
      case "OrderConfirmed":
        return [
          ...listed([
            ...priced(content.order.tickets),
            ...content.gone.map(({ label, price, to }) =>
              row(typed(label, locale), [
                money(price),
                to === null ? labels.returned : labels.givenTo(typed(to, locale))
              ])
            )
          ]),
          amountRow(labels.total, content.order.total)
        ]
      case "PaymentPending":
      case "PaymentExpiring":
      case "PaymentDeclined":
      case "OrderCancelled":
        return [...listed(priced(content.order.tickets)), amountRow(labels.total, content.order.total)]
      case "Refunded":
        return [
          ...listed(content.labels.map((label) => row(typed(label, locale), []))),
          amountRow(labels.refund, content.amount),
          ...(content.fee.amount === 0 ? [] : [amountRow(labels.fee, content.fee)])
        ]
      case "EventChanged":
        return [
          ...(content.before === null
            ? []
            : [
                row(labels.before, changed(content.before, content.before)),
                row(labels.now, changed(content.before, event), true)
              ]),
          ...tickets()
        ]
      case "EventCancelled":
        return [
          ...tickets(),
          ...(content.amount.amount === 0 ? [] : [amountRow(labels.refund, content.amount)])
        ]
      case "EventReminder":
      case "TicketReturned":
        return tickets()
      case "TicketReissued":
      case "TicketGiven":
        return [row(typed(content.label, locale), [], true)]
      case "HoldExpiring":
        return []
    }
  }

  // Who was given a ticket must not be able to return the others of the order.
  const toHolder = "order" in content ? content.order.toHolder : undefined
  const notes = (): ReadonlyArray<string> => {
    if (!("order" in content)) return []
    const reference = isolate(OrderReference.make(content.order.orderId), locale)
    if (toHolder !== undefined) return [words.reference(reference)]
    const orderId = isolate(content.order.orderId, locale)
    return hasTickets(content)
      ? [words.order(orderId, reference), words.orderIsSecret]
      : [words.order(orderId, null)]
  }

  const actionUrl = "actionUrl" in content ? linkOf(content.actionUrl) : null
  const reason = content._tag === "EventCancelled" ? typed(content.reason, locale) : ""
  return {
    locale,
    tone: toneOf(content._tag),
    subject: said.subject,
    preheader: said.body[0] ?? said.brief,
    heading: said.heading,
    greeting: "order" in content ? words.greeting(typed(toHolder ?? content.order.holder, locale)) : null,
    body: said.body,
    event: { name: typed(event.name, locale), when: whenOf(event), place: placeOf(event) },
    quote: plain(reason) === "" ? null : { label: labels.reason, text: reason },
    rows: rows(),
    action: actionUrl === null ? null : { label: labels.pay, url: actionUrl },
    notes: notes(),
    because:
      toHolder !== undefined ? words.because.ticket : words.because["order" in content ? "order" : "hold"],
    unsubscribe
  }
}
