/** The rules of a sale on the command line: `--tier-rule "Early bird: until=…, max=4"`, `--quota "Hall=300: A, B"`. */
import type { NewQuota, NewTier } from "@onsale/contracts/catalog/Event"
import { Result } from "effect"
import { split } from "./TierFlag.ts"

export const tierRuleSyntax = '"NAME: RULE, RULE"'
export const quotaSyntax = '"NAME=CAPACITY: TIER, TIER"'

type Rules = Omit<NewTier, "name" | "price" | "categories">

/** Splits at the first colon that is followed by a space: the colons of times are not. */
const parts = (text: string): readonly [name: string, rest: string] | undefined => {
  const [, name = "", rest = ""] = /^(.+?):\s+(.+)$/s.exec(text.trim()) ?? []
  return name.trim() === "" || rest.trim() === "" ? undefined : [name.trim(), rest]
}

const rule = (text: string): Result.Result<Rules, string> => {
  const [, key = "", value = ""] = /^([a-z-]+)(?:\s*=\s*(\S+))?$/.exec(text) ?? []
  const number = /^\d{1,9}$/.test(value) ? Number(value) : undefined
  if (key === "voucher-only" && value === "") return Result.succeed({ voucherOnly: true })
  if (key === "min" && number !== undefined) return Result.succeed({ minPerOrder: number })
  if (key === "max" && number !== undefined) return Result.succeed({ maxPerOrder: number })
  if (key === "from" && value !== "") return Result.succeed({ sale: { from: value } })
  if (key === "until" && value !== "") return Result.succeed({ sale: { until: value } })
  return Result.fail(`"${text}" is no rule: from=INSTANT, until=INSTANT, min=N, max=N and voucher-only are`)
}

/** The rules for the tier of that name, or what is wrong with the text. Instants are checked by the contract. */
export const parseTierRule = (
  text: string
): Result.Result<{ readonly name: string; readonly rules: Rules }, string> => {
  const found = parts(text)
  if (found === undefined)
    return Result.fail(
      `Expected ${tierRuleSyntax}, such as "Early bird: until=2026-10-01T00:00:00Z, max=4, voucher-only"`
    )
  let rules: Rules = {}
  for (const one of split(found[1])) {
    const parsed = rule(one)
    if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
    const { sale, ...more } = parsed.success
    rules = { ...rules, ...more, ...(sale === undefined ? {} : { sale: { ...rules.sale, ...sale } }) }
  }
  return Result.succeed({ name: found[0], rules })
}

/** A quota, or what is wrong with the text. */
export const parseQuota = (text: string): Result.Result<NewQuota, string> => {
  const {
    capacity = "",
    name = "",
    tiers = ""
  } = /^(?<name>.*\S)\s*=\s*(?<capacity>\d{1,8})\s*:(?<tiers>.*)$/s.exec(text.trim())?.groups ?? {}
  const named = split(tiers)
  return name === "" || named.length === 0
    ? Result.fail(`Expected ${quotaSyntax}, such as "Early birds=300: Early bird, Early bird child"`)
    : Result.succeed({ name, capacity: Number(capacity), tiers: named })
}
