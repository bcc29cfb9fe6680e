import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as AdaptiveLimit from "../src/AdaptiveLimit.ts"
import * as StandingDelay from "../src/StandingDelay.ts"

const options: AdaptiveLimit.Options = { least: 4, most: 64, first: 16, targetMs: 40 }
const Delay = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5_000 }))

/** Of the limit, how much was at work at most. */
const Used = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

const busyTurn = (limit: AdaptiveLimit.AdaptiveLimit, standingMs: number): number => {
  limit.reached = true
  AdaptiveLimit.turn(limit, standingMs, limit.value)
  return limit.value
}

describe("a limit that adapts", () => {
  it.prop(
    "stays between the least and the most, falls beyond the target, rises within it where it was reached, and goes back to the first where it was not used",
    [Schema.Array(Schema.Tuple([Delay, Schema.Boolean, Used])).check(Schema.isMaxLength(100))],
    ([turns]) => {
      const limit = AdaptiveLimit.make(options)
      for (const [standingMs, reached, part] of turns) {
        const before = limit.value
        const used = before * part
        limit.reached = reached
        AdaptiveLimit.turn(limit, standingMs, used)
        assert.isAtLeast(limit.value, options.least)
        assert.isAtMost(limit.value, options.most)
        if (standingMs > options.targetMs) assert.isTrue(limit.value < before || before === options.least)
        else if (reached) assert.isTrue(limit.value > before || before === options.most)
        else if (before <= options.first || used >= before) {
          assert.strictEqual(limit.value, before, "what was not reached tells nothing")
        } else {
          assert.isBelow(limit.value, before)
          assert.isAtLeast(limit.value, Math.max(options.first, used))
        }
      }
    }
  )

  it("settles where the delay is the target, for a thread that bears so many", () => {
    // A thread where each of `borne` adds a millisecond.
    for (const borne of [10, 30, 50]) {
      const limit = AdaptiveLimit.make(options)
      const seen: Array<number> = []
      for (let i = 0; i < 400; i++) {
        const value = busyTurn(limit, limit.value > borne ? 2 * options.targetMs : options.targetMs * 0.7)
        if (i >= 300) seen.push(value)
      }
      assert.isAtLeast(Math.min(...seen), borne * 0.8)
      assert.isAtMost(Math.max(...seen), borne + 2)
    }
  })

  it("is down at the least within a second of a crowd, and up again soon after it", () => {
    const limit = AdaptiveLimit.make({ ...options, first: 64 })
    const turnsASecond = 5
    for (let i = 0; i < turnsASecond; i++) busyTurn(limit, 400)
    assert.strictEqual(limit.value, options.least)
    for (let i = 0; i < 2 * turnsASecond; i++) busyTurn(limit, 0)
    assert.strictEqual(limit.value, options.most)
  })
})

describe("a delay that stands", () => {
  it("is that of several turns: one long turn is none, and what was looked at begins anew", () => {
    let begun = 0
    const again = () => begun++
    assert.isUndefined(StandingDelay.look({ samples: StandingDelay.leastSamples - 1, leastMs: 900 }, again))
    assert.strictEqual(begun, 0)
    assert.strictEqual(StandingDelay.look({ samples: StandingDelay.leastSamples, leastMs: 3 }, again), 3)
    assert.strictEqual(StandingDelay.look({ samples: 10, leastMs: -0.1 }, again), 0)
    assert.strictEqual(begun, 2)
  })
})
