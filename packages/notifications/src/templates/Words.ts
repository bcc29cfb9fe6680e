/** What a language has to say: whoever adds a notice is told by the compiler which languages lack it. */
import type { Locale } from "@onsale/contracts/notifications/Locale"
import type { NoticeContent } from "./NoticeContent.ts"

/** What every notice knows; all that is text is formatted and isolated already. */
export interface AboutEvent {
  /** Its name. */
  readonly event: string
  /** "Thursday, 24 December 2026 at 20:30 CET". */
  readonly when: string
  /** "24 Dec, 20:30 CET". */
  readonly at: string
}

export interface Paying extends AboutEvent {
  readonly amount: string
  /** When the seats are given up. */
  readonly until: string
  /** The buyer has to act, and has a link for it. */
  readonly acts: boolean
}

export type Change = "time" | "place" | "timeAndPlace" | "other"

/** What the sentences of a notice are made of. An amount of nothing is null. */
export interface Said extends Record<NoticeContent["_tag"], AboutEvent> {
  /** `tickets` is 0 for a buyer who has none left: all were given to others or, `isReturned`, some of them returned. */
  readonly OrderConfirmed: AboutEvent & { readonly tickets: number; readonly isReturned: boolean }
  readonly PaymentPending: Paying
  readonly PaymentExpiring: Paying
  readonly PaymentDeclined: AboutEvent & { readonly amount: string }
  readonly OrderCancelled: AboutEvent & { readonly amount: string; readonly paid: boolean }
  readonly Refunded: AboutEvent & {
    readonly amount: string | null
    readonly fee: string | null
    readonly tickets: number
    readonly whole: boolean
    readonly isEventCancelled: boolean
  }
  /** `tickets` is 0 for a buyer who gave all of them to others. */
  readonly EventChanged: AboutEvent & {
    readonly change: Change
    readonly isBeforeKnown: boolean
    readonly tickets: number
  }
  /** `giver` is null for the buyer; else who gave the reader so many tickets, and gets the money. */
  readonly EventCancelled: AboutEvent & {
    readonly amount: string | null
    readonly giver: string | null
    readonly tickets: number
  }
  /** `isGiven`: to somebody who was given the tickets. */
  readonly EventReminder: AboutEvent & { readonly tickets: number; readonly isGiven: boolean }
  /** `giver` is null where it was not given to another person. */
  readonly TicketReissued: AboutEvent & { readonly label: string; readonly giver: string | null }
  readonly TicketGiven: AboutEvent & { readonly label: string; readonly to: string }
  readonly TicketReturned: AboutEvent & { readonly tickets: number; readonly giver: string }
  readonly HoldExpiring: AboutEvent & { readonly until: string }
}

/** A notice in a language. */
export interface Phrases {
  readonly subject: string
  /** Names nothing and nobody: 60 characters at most. */
  readonly heading: string
  /** All of it in a sentence or two, for who reads no more. */
  readonly brief: string
  readonly body: ReadonlyArray<string>
}

export interface Words {
  readonly greeting: (name: string) => string
  /** A label in front of its value on a line. */
  readonly labelled: (label: string, value: string) => string
  readonly labels: {
    readonly total: string
    readonly refund: string
    readonly fee: string
    readonly before: string
    readonly now: string
    /** In front of the organiser's own words. */
    readonly reason: string
    readonly pay: string
    /** Beside a ticket that the buyer has no more. */
    readonly givenTo: (name: string) => string
    readonly returned: string
  }
  /** Of a list that shows some of its entries. */
  readonly more: (count: number) => string
  /** `reference`: what the tickets call the order; null where it has none. */
  readonly order: (orderId: string, reference: string | null) => string
  readonly orderIsSecret: string
  readonly reference: (reference: string) => string
  /** Why this came. */
  readonly because: { readonly order: string; readonly ticket: string; readonly hold: string }
  /** In the calendar, under the event: of tickets that were bought, or given to the reader. */
  readonly calendarNote: { readonly order: string; readonly ticket: string }
  /** The link that ends messages of the kind. */
  readonly unsubscribe: { readonly reminders: string; readonly news: string }
  /** The page behind that link. */
  readonly unsubscribePage: {
    readonly ask: { readonly reminders: string; readonly news: string }
    readonly done: { readonly reminders: string; readonly news: string }
    /** What goes on all the same. */
    readonly stays: string
    readonly refused: string
  }
  readonly notices: { readonly [K in keyof Said]: (said: Said[K]) => Phrases }
}

/** The plural forms that whole numbers up to some thousands take. */
interface Forms {
  readonly en: "one" | "other"
  readonly de: "one" | "other"
  readonly fr: "one" | "other"
  readonly es: "one" | "other"
  readonly ar: "zero" | "one" | "two" | "few" | "many" | "other"
}

/** Chooses among the forms that a language has for a number; French and Spanish have one more for millions. */
export const plural = <L extends Locale>(locale: L) => {
  const rules = new Intl.PluralRules(locale)
  return (
    count: number,
    forms: { readonly [F in Forms[L]]: string } & { readonly other: string }
  ): string => {
    const known: { readonly [form: string]: string } = forms
    return known[rules.select(count)] ?? forms.other
  }
}

/** The sentences that apply. */
export const sentences = (...parts: ReadonlyArray<string | false>): ReadonlyArray<string> =>
  parts.filter((part): part is string => part !== false)
