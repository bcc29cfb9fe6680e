/**
 * Keeps what people have typed from turning round the sentence it stands in (Unicode Bidirectional Algorithm,
 * UAX #9). Names are made plain first, so that every isolate in a message is ours, and closed.
 */
import type { Locale } from "@onsale/contracts/notifications/Locale"
import { plain } from "../TextLayout.ts"

const first = "\u2068"
const last = "\u2069"

/** The blocks that are written from the right: Hebrew, Arabic and their kin. */
const fromRight = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

export const directions: { readonly [L in Locale]: "ltr" | "rtl" } = {
  en: "ltr",
  de: "ltr",
  fr: "ltr",
  es: "ltr",
  ar: "rtl"
}

/**
 * Text of our own, such as an amount, that stands in a sentence. Where nothing in it could turn anything, it
 * stays as it is: an isolate is a character that makes an SMS twice as long.
 */
export const isolate = (text: string, locale: Locale): string =>
  directions[locale] === "rtl" || fromRight.test(text) ? `${first}${text}${last}` : text

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" })

/** At most so many UTF-16 code units, without cutting a character through; an ellipsis says that there was more. */
export const clip = (text: string, maxLength: number): string => {
  if (text.length <= maxLength) return text
  let kept = ""
  for (const { segment } of graphemes.segment(text)) {
    if (kept.length + segment.length > maxLength - 1) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}

/** What somebody has typed, to stand in a sentence. */
export const typed = (text: string, locale: Locale, maxLength = Number.POSITIVE_INFINITY): string =>
  isolate(clip(plain(text), maxLength), locale)

/** Text for HTML: escaped, with elements in the place of isolates. */
export const html = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
    .replaceAll(first, "<bdi>")
    .replaceAll(last, "</bdi>")
