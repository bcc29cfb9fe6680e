import { describe, expect, it } from "vitest"
import { isLinearisable, longestGapMs, type SeatCall } from "../../src/cluster/History.ts"

const call = (
  kind: SeatCall["kind"],
  hold: string,
  startMs: number,
  endMs: number | undefined = startMs + 1
): SeatCall => ({ kind, hold, startMs, endMs })

describe("the history of a seat", () => {
  it("takes what one seller could have answered", () => {
    expect(isLinearisable([call("hold", "a", 0), call("taken", "", 2), call("kept", "a", 4)])).toBe(true)
    expect(isLinearisable([call("hold", "a", 0), call("release", "a", 2), call("hold", "b", 4)])).toBe(true)
    // The two overlap: the release may have come first.
    expect(isLinearisable([call("hold", "a", 0), call("release", "a", 2, 10), call("hold", "b", 4, 5)])).toBe(
      true
    )
  })

  it("notices a seat that two were told they have", () => {
    expect(isLinearisable([call("hold", "a", 0), call("hold", "b", 2)])).toBe(false)
    // Given back only after the second had it.
    expect(isLinearisable([call("hold", "a", 0), call("hold", "b", 2), call("release", "a", 4)])).toBe(false)
  })

  it("notices a refusal of a seat that nobody can have had", () => {
    expect(isLinearisable([call("taken", "", 0), call("hold", "a", 2)])).toBe(false)
    expect(isLinearisable([call("hold", "a", 0), call("release", "a", 2), call("taken", "", 4)])).toBe(false)
  })

  it("notices a hold that was answered and is lost", () => {
    expect(isLinearisable([call("hold", "a", 0), call("hold", "b", 2), call("kept", "a", 4)])).toBe(false)
  })

  it("lets a call without an answer have happened, or not", () => {
    const lost = { ...call("hold", "a", 0), endMs: undefined }
    expect(isLinearisable([lost, call("taken", "", 5)])).toBe(true)
    expect(isLinearisable([lost, call("hold", "b", 5)])).toBe(true)
    expect(isLinearisable([lost, call("taken", "", 5), call("hold", "b", 7)])).toBe(false)
    const released = { ...call("release", "a", 4), endMs: undefined }
    expect(isLinearisable([call("hold", "a", 0), released, call("hold", "b", 6)])).toBe(true)
  })
})

describe("the silence of an event", () => {
  it("is the longest time between two successes", () => {
    expect(longestGapMs([0, 10, 50, 60], 5, 70)).toBe(40)
    expect(longestGapMs([0, 10], 5, 70)).toBe(60)
  })
})
