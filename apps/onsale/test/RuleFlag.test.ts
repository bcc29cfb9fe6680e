import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parseQuota, parseTierRule } from "../src/cli/RuleFlag.ts"

describe("--tier-rule", () => {
  it("has a tier and its rules", () => {
    assert.deepStrictEqual(
      parseTierRule("Early bird: from=2026-10-01T08:00:00+02:00, until=2026-11-01T00:00:00Z, max=4"),
      Result.succeed({
        name: "Early bird",
        rules: {
          sale: { from: "2026-10-01T08:00:00+02:00", until: "2026-11-01T00:00:00Z" },
          maxPerOrder: 4
        }
      })
    )
    assert.deepStrictEqual(
      parseTierRule("Group:min=8 , voucher-only".replace(":", ": ")),
      Result.succeed({ name: "Group", rules: { minPerOrder: 8, voucherOnly: true } })
    )
  })

  it("says what is wrong", () => {
    for (const text of [
      "",
      "Early bird",
      "Early bird:",
      ": max=4",
      "Early bird: often",
      "A: max=x",
      "A: max="
    ]) {
      const result = parseTierRule(text)
      assert.isTrue(Result.isFailure(result), text)
    }
    const result = parseTierRule("A: max=4, often")
    assert.include(Result.isFailure(result) ? result.failure : "", '"often" is no rule')
  })
})

describe("--quota", () => {
  it("has a name, a capacity and tiers", () => {
    assert.deepStrictEqual(
      parseQuota("Early = 300: Early bird, Child\\, early"),
      Result.succeed({ name: "Early", capacity: 300, tiers: ["Early bird", "Child, early"] })
    )
  })

  it("says what is wrong", () => {
    for (const text of ["", "Early=300", "Early=300:", "Early: A", "=3: A", "Early=x: A"])
      assert.isTrue(Result.isFailure(parseQuota(text)), text)
  })
})
