/** How amounts and times are put into words, on tickets and in mails alike. */
import type { Money } from "@onsale/contracts/Money"

const locale = "en-GB"

/** "€49.50". The minor unit of a currency (2 digits, or 0, or 3) is what `Intl` knows of it. */
export const amount = ({ amount, currency }: Money): string => {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency })
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

/** A zone that this machine's data does not know must not keep anybody from their ticket. */
const knownZone = (timeZone: string): string => {
  try {
    return new Intl.DateTimeFormat(locale, { timeZone }).resolvedOptions().timeZone
  } catch {
    return "UTC"
  }
}

/** "Thursday, 24 December 2026": the day at the venue. */
export const day = (startsAt: string, timeZone: string): string =>
  new Intl.DateTimeFormat(locale, {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: knownZone(timeZone)
  }).format(new Date(startsAt))

/** "20:30": the time at the venue. */
export const time = (startsAt: string, timeZone: string): string =>
  new Intl.DateTimeFormat(locale, {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: knownZone(timeZone)
  }).format(new Date(startsAt))

/** "CET", "GMT+9": what the time is counted in. */
export const zone = (startsAt: string, timeZone: string): string =>
  new Intl.DateTimeFormat(locale, { timeZoneName: "short", timeZone: knownZone(timeZone) })
    .formatToParts(new Date(startsAt))
    .find(({ type }) => type === "timeZoneName")?.value ?? timeZone
