/** `--tier "NAME=4500 EUR:Category A,Category B"`: a price level on the command line. */
import type { NewTier } from "@onsale/contracts/catalog/Event"
import { maxAmount } from "@onsale/contracts/Money"
import { Result } from "effect"

const shape = /^(?<name>.*\S)\s*=\s*(?<amount>\S+)\s+(?<currency>[A-Za-z]{3})\s*(?::(?<categories>.*))?$/s

export const syntax = '"NAME=AMOUNT CURRENCY:CATEGORY,CATEGORY"'

/** Splits at commas that no backslash precedes, for names that have a comma. */
export const split = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/(?:\\.|[^,\\])+/gs)]
    .map(([part]) => part.replace(/\\(.)/gs, "$1").trim())
    .filter((part) => part !== "")

/**
 * A tier, or what is wrong with the text. The amount is in minor units (4500 for 45.00 EUR). Without
 * categories it is of the category of its own name.
 */
export const parse = (text: string): Result.Result<NewTier, string> => {
  const groups = shape.exec(text.trim())?.groups
  if (groups === undefined) return Result.fail(`Expected ${syntax}, such as "Stalls=4500 EUR:Stalls,Boxes"`)
  const { amount = "", categories, currency = "", name = "" } = groups
  if (!/^\d+$/.test(amount) || Number(amount) > maxAmount) {
    return Result.fail(
      `"${amount}" is no amount of minor units: 45.00 EUR is written 4500 EUR, and ${maxAmount} is the most`
    )
  }
  const named = categories === undefined ? [name] : split(categories)
  if (named.length === 0) return Result.fail(`The tier "${name}" has a colon and no category after it`)
  return Result.succeed({
    name,
    price: { amount: Number(amount), currency: currency.toUpperCase() },
    categories: named
  })
}
