import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parse } from "../src/cli/TierFlag.ts"

const tier = (name: string, amount: number, currency: string, ...categories: ReadonlyArray<string>) =>
  Result.succeed({ name, price: { amount, currency }, categories })

describe("--tier", () => {
  it("is a name, an amount in minor units with its currency, and categories", () => {
    assert.deepStrictEqual(
      parse("Stalls=4500 EUR:Category A,Category B"),
      tier("Stalls", 4500, "EUR", "Category A", "Category B")
    )
    assert.deepStrictEqual(parse(" Box = 0 eur : A , B "), tier("Box", 0, "EUR", "A", "B"))
    assert.deepStrictEqual(parse("A = B=1 JPY:A"), tier("A = B", 1, "JPY", "A"))
  })
  it("is of the category of its name, where none is named", () => {
    assert.deepStrictEqual(parse("Category A=4500 EUR"), tier("Category A", 4500, "EUR", "Category A"))
  })
  it("takes a comma of a category with a backslash before it, and a colon as it is", () => {
    assert.deepStrictEqual(
      parse("A=1 EUR:Row 1\\, left,Row: 2,\\\\"),
      tier("A", 1, "EUR", "Row 1, left", "Row: 2", "\\")
    )
  })
  it("is refused with what is wrong", () => {
    const wrong = (text: string) =>
      Result.match(parse(text), { onFailure: (message) => message, onSuccess: () => "" })
    assert.match(wrong("Stalls"), /^Expected "NAME=AMOUNT/)
    assert.match(wrong("=4500 EUR:A"), /^Expected/)
    assert.match(wrong("Stalls=4500:A"), /^Expected/)
    assert.match(wrong("Stalls=45.00 EUR:A"), /no amount of minor units/)
    assert.match(wrong("Stalls=-1 EUR:A"), /no amount of minor units/)
    assert.match(wrong("Stalls=99999999999999 EUR:A"), /no amount of minor units/)
    assert.match(wrong("Stalls=4500 EUR:"), /no category/)
    assert.match(wrong("Stalls=4500 EUR: , "), /no category/)
  })
})
