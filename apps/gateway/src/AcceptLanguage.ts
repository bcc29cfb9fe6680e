/** Which of our languages a client reads best (RFC 9110 §12.5.4). Pure. */
import { Locale } from "@onsale/contracts/notifications/Locale"

/** Characters, and languages in them, that are looked at: browsers send some forty. */
const maxLength = 500
const maxLanguages = 20

const isOurs = (language: string): language is Locale => Locale.literals.some((one) => one === language)

const weightOf = (parameters: ReadonlyArray<string>): number => {
  const weight = parameters.find((one) => one.startsWith("q="))
  const value = weight === undefined ? 1 : Number(weight.slice(2))
  return value >= 0 && value <= 1 ? value : 0
}

/** The one with the highest weight that we write, the first of equals; undefined where there is none. */
export const of = (header: string | undefined): Locale | undefined => {
  let best: Locale | undefined
  let bestWeight = 0
  const ranges = (header ?? "").slice(0, maxLength).toLowerCase().split(",", maxLanguages)
  for (const range of ranges) {
    const [tag = "", ...parameters] = range.split(";").map((text) => text.trim())
    const language = tag.split("-", 1)[0] ?? ""
    const weight = weightOf(parameters)
    if (isOurs(language) && weight > bestWeight) {
      best = language
      bestWeight = weight
    }
  }
  return best
}
