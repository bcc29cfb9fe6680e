/** How amounts and times are put into words, on tickets and in messages alike: in the reader's language, at the venue. */
import type { Locale } from "@onsale/contracts/notifications/Locale"
import type { Money } from "@onsale/contracts/Money"

/**
 * Digits are Western ones in Arabic too, and the calendar is the Gregorian one: seats, order numbers and bank
 * statements are written so, and a message that mixes both kinds has to be read twice.
 */
const tags: { readonly [L in Locale]: string } = {
  en: "en-GB",
  de: "de-DE",
  fr: "fr-FR",
  es: "es-ES",
  ar: "ar-u-ca-gregory-nu-latn"
}

/** To make one costs more than to use it a thousand times. Zones and currencies are far fewer than this. */
const maxFormats = 2_000

/** Remembers what `make` makes; forgets all of it where somebody invents currencies. */
const remembered = <A>(make: (tag: string, what: string) => A) => {
  const known = new Map<string, A>()
  return (locale: Locale, what: string): A => {
    const key = `${locale} ${what}`
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= maxFormats) known.clear()
    const made = make(tags[locale], what)
    known.set(key, made)
    return made
  }
}

const currencies = remembered((tag, currency) => new Intl.NumberFormat(tag, { style: "currency", currency }))

/** "€49.50". The minor unit of a currency (2 digits, or 0, or 3) is what `Intl` knows of it. */
export const amount = ({ amount, currency }: Money, locale: Locale = "en"): string => {
  const format = currencies(locale, currency)
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

const percents = remembered(
  (tag) => new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: 2 })
)

/** "12.5%", of 0.125. */
export const percent = (share: number, locale: Locale = "en"): string => percents(locale, "").format(share)

/** A zone that this machine's data does not know must not keep anybody from their ticket. */
const knownZone = (timeZone: string): string => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone
  } catch {
    return "UTC"
  }
}

const dates = (options: Intl.DateTimeFormatOptions) => {
  const formats = remembered(
    (tag, timeZone) =>
      new Intl.DateTimeFormat(tag, {
        ...options,
        // Where the day has twice twelve hours, nobody writes "08".
        ...(options.hour !== undefined && tag.startsWith("ar") ? { hour: "numeric" } : {}),
        timeZone: knownZone(timeZone)
      })
  )
  return (at: string | number, timeZone: string, locale: Locale = "en") =>
    formats(locale, timeZone).format(new Date(at))
}

const dayOf = { weekday: "long", day: "numeric", month: "long", year: "numeric" } as const
const timeOf = { hour: "2-digit", minute: "2-digit" } as const

/** "Thursday, 24 December 2026": the day at the venue. */
export const day = dates(dayOf)

/** "20:30": the time at the venue. */
export const time = dates(timeOf)

/** "Thursday, 24 December 2026 at 20:30 CET": at the venue, and what its time is counted in. */
export const when = dates({ ...dayOf, ...timeOf, timeZoneName: "short" })

/** "24 Dec, 20:30 CET". */
export const whenBrief = dates({ day: "numeric", month: "short", ...timeOf, timeZoneName: "short" })

const zones = remembered(
  (tag, timeZone) => new Intl.DateTimeFormat(tag, { timeZoneName: "short", timeZone: knownZone(timeZone) })
)

/** "CET", "GMT+9": what the time is counted in. */
export const zone = (startsAt: string, timeZone: string, locale: Locale = "en"): string =>
  zones(locale, timeZone)
    .formatToParts(new Date(startsAt))
    .find(({ type }) => type === "timeZoneName")?.value ?? timeZone
