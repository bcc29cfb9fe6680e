import { assert, describe, it } from "@effect/vitest"
import type { SandboxFaults } from "@onsale/contracts/payments/Sandbox"
import { strikeOf } from "../src/Faults.ts"

const plan = (seed: number, rate = 0.25): SandboxFaults => ({
  rate,
  seed,
  kinds: ["error_before", "error_after", "timeout_before", "timeout_after", "reset", "slow"]
})

const calls = Array.from({ length: 4_000 }, (_, index) => index + 1)
const strikes = (faults: SandboxFaults) => calls.map((n) => strikeOf(faults, n))

describe("Faults", () => {
  it("strikes the same calls alike under the same seed, others under another", () => {
    assert.deepStrictEqual(strikes(plan(7)), strikes(plan(7)))
    assert.notDeepEqual(strikes(plan(7)), strikes(plan(8)))
  })

  it("strikes about as many calls as the rate says, with every kind", () => {
    const struck = strikes(plan(7)).flatMap((hit) => hit ?? [])
    assert.isTrue(Math.abs(struck.length / calls.length - 0.25) < 0.03, `${struck.length} struck`)
    for (const kind of plan(7).kinds) {
      const share = struck.filter((hit) => hit.kind === kind).length / struck.length
      assert.isTrue(Math.abs(share - 1 / 6) < 0.05, `${kind}: ${share}`)
    }
  })

  it("strikes nothing at 0 and everything at 1", () => {
    assert.isTrue(strikes(plan(7, 0)).every((hit) => hit === undefined))
    assert.isTrue(strikes(plan(7, 1)).every((hit) => hit !== undefined))
  })
})
