/** How long a text is as an SMS (3GPP TS 23.038): in seven bits a character where they are enough, else in sixteen. */

const basic = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
/** These take two places. */
const extended = new Set("^{}\\[~]|€")

const units7 = (text: string): number | null => {
  let units = 0
  for (const char of text) {
    if (basic.has(char)) units += 1
    else if (extended.has(char)) units += 2
    else return null
  }
  return units
}

export interface SmsLength {
  readonly encoding: "GSM-7" | "UCS-2"
  /** Of that encoding: septets, or UTF-16 code units. */
  readonly units: number
  /** Messages that it is sent, and paid for, as. */
  readonly segments: number
}

/** A text in several parts has seven places less in each, three of sixteen bits. */
const segments = (units: number, alone: number, part: number) =>
  units <= alone ? 1 : Math.ceil(units / part)

export const length = (text: string): SmsLength => {
  const units = units7(text)
  return units === null
    ? { encoding: "UCS-2", units: text.length, segments: segments(text.length, 70, 67) }
    : { encoding: "GSM-7", units, segments: segments(units, 160, 153) }
}

/** Characters at most. */
export const maxLength = 320

const typographic: ReadonlyArray<readonly [RegExp, string]> = [
  [/[\u00a0\u2007\u2009\u202f]/g, " "],
  [/[‘’]/g, "'"],
  [/[“”„«»]/g, '"'],
  [/[–—]/g, "-"],
  [/…/g, "..."]
]

/**
 * The same words with plain spaces, dashes and quotation marks, where that alone makes it fit into seven bits;
 * letters are never changed, names are written as they are.
 */
export const lean = (text: string): string => {
  const leaner = typographic.reduce((text, [from, to]) => text.replaceAll(from, to), text)
  return units7(leaner) === null ? text : leaner
}
