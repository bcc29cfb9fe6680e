/** Puts a content into the formatted, isolated pieces that the sentences of a language are made of. Pure. */
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { Money } from "@onsale/contracts/Money"
import type { Locale } from "@onsale/contracts/notifications/Locale"
import * as Wording from "../Wording.ts"
import { isolate, typed } from "./Isolate.ts"
import type { NoticeContent, OrderContent } from "./NoticeContent.ts"
import type { Change, Phrases, Said, Words } from "./Words.ts"

/** What differs in the time or place of an event, or else in what it is. */
export const changeOf = (before: EventFacts | null, event: EventFacts): Change => {
  if (before === null) return "other"
  const time = before.startsAt !== event.startsAt || before.timeZone !== event.timeZone
  const place = before.venue.name !== event.venue.name || before.venue.location !== event.venue.location
  return time && place ? "timeAndPlace" : time ? "time" : place ? "place" : "other"
}

/** The notice in words; names are cut to `maxName` UTF-16 code units, for where there is little room. */
export const phrases = (
  content: NoticeContent,
  words: Words,
  locale: Locale,
  maxName = Number.POSITIVE_INFINITY
): Phrases => {
  const { event } = content
  const money = (value: Money) => isolate(Wording.amount(value, locale), locale)
  const moneyOrNone = (value: Money) => (value.amount === 0 ? null : money(value))
  const at = (ms: number) => isolate(Wording.whenBrief(ms, event.timeZone, locale), locale)
  const about = {
    event: typed(event.name, locale, maxName),
    when: isolate(Wording.when(event.startsAt, event.timeZone, locale), locale),
    at: isolate(Wording.whenBrief(event.startsAt, event.timeZone, locale), locale)
  }
  const giver = ({ holder }: OrderContent) => typed(holder, locale, maxName)
  const { notices } = words
  switch (content._tag) {
    case "OrderConfirmed":
      return notices.OrderConfirmed({
        ...about,
        tickets: content.order.tickets.length,
        isReturned: content.gone.some(({ to }) => to === null)
      })
    case "EventReminder":
      return notices.EventReminder({
        ...about,
        tickets: content.order.tickets.length,
        isGiven: content.order.toHolder !== undefined
      })
    case "PaymentPending":
    case "PaymentExpiring":
      return notices[content._tag]({
        ...about,
        amount: money(content.order.total),
        until: at(content.payUntilMs),
        acts: content.actionUrl !== null
      })
    case "PaymentDeclined":
      return notices.PaymentDeclined({ ...about, amount: money(content.order.total) })
    case "OrderCancelled":
      return notices.OrderCancelled({
        ...about,
        amount: money(content.order.total),
        paid: content.paid && content.order.total.amount > 0
      })
    case "Refunded":
      return notices.Refunded({
        ...about,
        amount: moneyOrNone(content.amount),
        fee: moneyOrNone(content.fee),
        tickets: content.labels.length,
        whole: content.whole,
        isEventCancelled: content.isEventCancelled
      })
    case "EventChanged":
      return notices.EventChanged({
        ...about,
        change: changeOf(content.before, event),
        isBeforeKnown: content.before !== null,
        tickets: content.order.tickets.length
      })
    case "EventCancelled":
      return notices.EventCancelled({
        ...about,
        amount: moneyOrNone(content.amount),
        giver: content.order.toHolder === undefined ? null : giver(content.order),
        tickets: content.order.tickets.length
      })
    case "TicketReissued":
      return notices.TicketReissued({
        ...about,
        label: typed(content.label, locale, maxName),
        giver: content.transferred ? giver(content.order) : null
      } satisfies Said["TicketReissued"])
    case "TicketGiven":
      return notices.TicketGiven({
        ...about,
        label: typed(content.label, locale, maxName),
        to: typed(content.to, locale, maxName)
      })
    case "TicketReturned":
      return notices.TicketReturned({
        ...about,
        tickets: content.order.tickets.length,
        giver: giver(content.order)
      })
    case "HoldExpiring":
      return notices.HoldExpiring({ ...about, until: at(content.expiresAtMs) })
  }
}
